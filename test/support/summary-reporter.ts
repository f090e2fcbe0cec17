/**
 * Says what a run left out: each skipped test with its reason, compared with what the
 * environment is known to skip (test/expected-skips.json), then the counts as the last line.
 *
 * NODE_NUMA_TEST_ENVIRONMENT names the environment; without it nothing is compared.
 * NODE_NUMA_RECORD_SKIPS=1 makes unknown skips no failure: who started the run writes them down.
 * NODE_NUMA_TEST_RESULT=1 adds all of it as one line for a program to read.
 */

import { writeSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { Reporter, SerializedError, TestCase, TestModule, Vitest } from 'vitest/node';
import {
  expectedNames,
  readExpectedSkips,
  unprivileged,
} from '../../scripts/test/expected-skips.mjs';
import { type Durations, type Result, resultLine } from '../../scripts/test/result.mjs';
import { guestPort } from './environment.ts';
import { readHostMachine } from './host-machine.ts';

/** Names in one line; the whole list is above it. */
const NAMES_MAX = 5;

const FULL_PIPE_WAIT_MS = 20;

async function hasPrivilege(): Promise<boolean> {
  // Puppets of a guest are its root.
  if (guestPort !== undefined) return true;
  if (process.platform !== 'linux') return false;
  const { isPrivileged, canChangeUser } = await readHostMachine();
  return isPrivileged && canChangeUser;
}

interface Skip {
  readonly file: string;
  readonly name: string;
  readonly reason: string;
}

interface Failure {
  readonly file: string;
  readonly name: string;
  readonly message: string;
}

interface Tally {
  /** File → how many of its tests. */
  readonly passed: Record<string, number>;
  readonly skips: Skip[];
  readonly failures: Failure[];
  /** Of the tests that ran. */
  readonly durations: Durations;
  /** File → names of all its tests. */
  readonly names: Map<string, Set<string>>;
  /** Names of tests that the run's pattern has left out: nothing is told of them. */
  readonly leftOut: Set<string>;
}

function firstLine(errors: readonly SerializedError[] | undefined): string {
  const text = errors?.[0]?.message ?? 'no message';
  return stripVTControlCharacters(text).split('\n', 1)[0] as string;
}

function addTest(tally: Tally, file: string, test: TestCase, hasPattern: boolean): void {
  const result = test.result();
  const name = test.fullName;
  const milliseconds = test.diagnostic()?.duration;
  if (result.state !== 'skipped' && milliseconds !== undefined) {
    tally.durations[file] ??= {};
    tally.durations[file][name] = Math.round(milliseconds);
  }
  if (hasPattern && result.state === 'skipped' && result.note === undefined) {
    tally.leftOut.add(name);
  } else if (result.state === 'passed') tally.passed[file] = (tally.passed[file] ?? 0) + 1;
  else if (result.state === 'failed') {
    tally.failures.push({ file, name, message: firstLine(result.errors) });
  } else {
    const reason =
      (result.state === 'skipped' && result.note) ||
      'without a reason: a failure or a mark in the source kept it from running';
    tally.skips.push({ file, name, reason });
  }
}

function tallyOf(
  modules: readonly TestModule[],
  unhandled: readonly SerializedError[],
  hasPattern: boolean,
): Tally {
  const tests = { names: new Map<string, Set<string>>(), leftOut: new Set<string>() };
  const tally: Tally = { passed: {}, skips: [], failures: [], durations: {}, ...tests };
  for (const module of modules) {
    // In a guest the files are compiled; they have one name everywhere.
    const file = relative(process.cwd(), module.moduleId).replace(/\.js$/, '.ts');
    const tests = [...module.children.allTests()];
    tally.names.set(file, new Set(tests.map(({ fullName }) => fullName)));
    const failedBefore = tally.failures.length;
    for (const test of tests) addTest(tally, file, test, hasPattern);
    // A file that could not be read, or a hook that failed, fails no test of its own.
    if (!module.ok() && tally.failures.length === failedBefore) {
      tally.failures.push({ file, name: 'the file', message: firstLine(module.errors()) });
    }
  }
  for (const error of unhandled) {
    tally.failures.push({ file: 'outside of a test', name: 'error', message: firstLine([error]) });
  }
  return tally;
}

/** What was skipped against what is known to be skipped. */
function compare(environment: string, isPrivileged: boolean, { names, skips, leftOut }: Tally) {
  const expected = readExpectedSkips();
  const environments = [environment, ...(isPrivileged ? [] : [unprivileged])];
  const unexpected: Skip[] = [];
  const unskipped: { file: string; name: string }[] = [];
  const absent: { file: string; name: string }[] = [];
  for (const [file, present] of names) {
    const skipped = skips.filter((skip) => skip.file === file);
    const known = expectedNames(expected, file, environments);
    unexpected.push(...skipped.filter(({ name }) => !known.has(name)));
    const happened = new Set(skipped.map(({ name }) => name));
    for (const name of known) {
      if (!happened.has(name) && !leftOut.has(name)) unskipped.push({ file, name });
    }
    for (const name of Object.values(expected[file] ?? {}).flat()) {
      if (!present.has(name)) absent.push({ file, name });
    }
  }
  return { unexpected, unskipped, absent };
}

function listSkips(skips: readonly Skip[]): string[] {
  const reasons = [...new Set(skips.map(({ reason }) => reason))];
  return reasons.flatMap((reason) => [
    `skipped, ${reason}:`,
    ...skips
      .filter((skip) => skip.reason === reason)
      .map(({ file, name }) => `  ${file} > ${name}`),
  ]);
}

function countLine({ passed, failures, skips }: Tally): string {
  const passedCount = Object.values(passed).reduce((sum, count) => sum + count, 0);
  const skipped = skips.length > 0 ? `, ${skips.length} skipped` : '';
  return `${passedCount} passed, ${failures.length} failed${skipped}`;
}

/** The first names of a list, in one line. */
function someNames(tests: readonly { name: string }[]): string {
  const first = tests.slice(0, NAMES_MAX).map(({ name }) => name);
  return [...first, ...(tests.length > NAMES_MAX ? ['...'] : [])].join('; ');
}

/** All of it: an output that is a pipe may take only a part at a time. */
function writeOut(text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_PIPE_WAIT_MS);
    }
  }
}

export default class SummaryReporter implements Reporter {
  #hasPattern = false;

  onInit({ config }: Vitest): void {
    this.#hasPattern = config.testNamePattern !== undefined;
  }

  async onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly SerializedError[],
  ): Promise<void> {
    const { NODE_NUMA_TEST_ENVIRONMENT: environment, ...env } = process.env;
    const tally = tallyOf(modules, unhandledErrors, this.#hasPattern);
    const lines = listSkips(tally.skips);
    const isPrivileged = await hasPrivilege();
    if (environment !== undefined) {
      const compared = compare(environment, isPrivileged, tally);
      const { unexpected, unskipped } = compared;
      if (unskipped.length > 0) {
        const what = `${unskipped.length} tests not skipped that ${environment} is known to skip`;
        lines.push(`${what}: ${someNames(unskipped)}`);
      }
      if (unexpected.length > 0 && env['NODE_NUMA_RECORD_SKIPS'] !== '1') {
        const what = `${unexpected.length} tests skipped that ${environment} ran before`;
        lines.push(`${what}: ${someNames(unexpected)}`);
        process.exitCode = 1;
      }
      if (env['NODE_NUMA_TEST_RESULT'] === '1') {
        const { names, leftOut: _, ...counted } = tally;
        const result: Result = { ...counted, ...compared, isPrivileged, files: [...names.keys()] };
        lines.push(resultLine(result));
      }
    }
    if (tally.failures.length > 0) process.exitCode = 1;
    lines.push(countLine(tally));
    // At the very end: other reporters and vitest itself print after this hook.
    process.once('exit', () => writeOut(`\n${lines.join('\n')}\n`));
  }
}
