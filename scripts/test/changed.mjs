// @ts-check
// npm test -- --changed: what a change can affect, in less than two minutes. The tests nearest to
// the change run first, some files at a time; when the time is up no more are begun, and the rest
// is told.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { guestAvailability } from '../guest/availability.mjs';
import { projectFolder } from '../guest/host.mjs';
import { defaultKernel } from '../guest/kernel.mjs';
import { affectedTests, readUsers } from './affected.mjs';
import { runPart } from './part.mjs';
import { guestPart, hostPart, hostSuitesHere, kernelContract } from './suites.mjs';
import { partLines, say } from './summary.mjs';

/** Nothing is begun after that; what has begun takes less than a minute. */
const secondsMax = 60;
const filesAtATime = 16;
/** Take more than their share of two minutes: they run where they have changed themselves. */
const long = /^test\/(package\/|native\/(sanitize|leak)\.)/;
const askedMachine = 'four-nodes-single-cpu';

/** @typedef {import('./part.mjs').Outcome} Outcome */

/**
 * What differs from a commit; without one what is not committed, or what the last commit changed.
 * @param {string} [since]
 * @returns {{ since: string, files: string[] }}
 */
export function changedFiles(since) {
  const git = (/** @type {string[]} */ ...parameters) => {
    const { status, stdout, stderr } = spawnSync('git', parameters, {
      cwd: projectFolder,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`git ${parameters.join(' ')}: ${stderr.trim()}`);
    return stdout.split('\n').filter(Boolean);
  };
  const added = git('ls-files', '--others', '--exclude-standard');
  const filesSince = (/** @type {string} */ commit) => {
    return [...git('diff', '--name-only', '--no-renames', commit), ...added];
  };
  const wanted = since ?? (filesSince('HEAD').length > 0 ? 'HEAD' : 'HEAD~1');
  return { since: wanted, files: filesSince(wanted) };
}

/**
 * @param {{ signal: AbortSignal, files: string[], startMs: number }} options
 * @returns {Promise<Outcome[]>}
 */
export async function runChanged({ signal, files, startMs }) {
  const isOver = () => signal.aborted || performance.now() - startMs > secondsMax * 1000;
  const users = readUsers(projectFolder, files);
  const { environment, suites } = await hostSuitesHere();
  const all = [...users.keys()].filter((file) => file.endsWith('.test.ts'));
  const here = all.filter((file) => suites.some((suite) => file.startsWith(suite)));
  const affected = affectedTests(users, files).filter(({ file }) => here.includes(file));
  const isLong = (/** @type {typeof affected[0]} */ { file, distance }) =>
    distance > 0 && long.test(file);
  const rest = affected.filter((one) => !isLong(one)).map(({ file }) => file);
  const count = affected.length;
  say(`${count} of ${here.length} files of tests can be affected`);
  /** @type {Outcome[]} */
  const outcomes = [];
  const run = async (/** @type {import('./part.mjs').Part} */ part) => {
    const outcome = await runPart(part, { signal, isShown: true });
    for (const line of partLines(outcome)) say(line);
    outcomes.push(outcome);
  };
  const asked = askedPart(files);
  for (let number = 1; rest.length > 0 && !isOver(); number += 1) {
    const some = rest.splice(0, filesAtATime);
    await run({ ...hostPart(environment, some), name: `${environment} ${number}` });
    if (number === 1 && asked && !isOver()) await run(asked);
  }
  const wasAsked = outcomes.some(({ name }) => name === asked?.name);
  say('');
  for (const file of rest) say(`not run, no time was left: ${file}`);
  for (const { file } of affected.filter(isLong)) say(`not run, takes too long: ${file}`);
  say(`not run, not affected: ${here.length - count} files of tests`);
  say(`not run: ${wasAsked ? 'other kernels' : 'kernels'}, and what needs a guest; npm test does`);
  return outcomes;
}

/**
 * One kernel is asked for the families of the contract that changed.
 * @param {string[]} files
 * @returns {import('./part.mjs').Part | undefined}
 */
function askedPart(files) {
  const families = files
    .filter((file) => file.startsWith('test/contract/') && file.endsWith('.contract.ts'))
    .filter((file) => existsSync(join(projectFolder, file)))
    .flatMap((file) => {
      const text = readFileSync(join(projectFolder, file), 'utf8');
      return [...text.matchAll(/^ {2}(?:describe\(|familyFor\(subject, )'([^']+)'/gm)].map(
        (match) => match[1] ?? '',
      );
    });
  if (families.length === 0 || !guestAvailability().available) return undefined;
  const suites = [...kernelContract, '-t', `(${families.join('|')})`];
  return guestPart({ machine: askedMachine, kernel: defaultKernel, suites, isAsked: true });
}
