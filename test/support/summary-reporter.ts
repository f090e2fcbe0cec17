/**
 * Says what a run left out: each skipped test with its reason, compared with what the
 * environment is known to lack (test/expected-skips.json), then the counts as the last line.
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
  readExpectedSkips,
  requirementOf,
  unmetIn,
  unprivileged,
} from '../../scripts/test/expected-skips.mjs';
import {
  type Durations,
  type Failure,
  type Result,
  resultLine,
  type Skip,
} from '../../scripts/test/result.mjs';
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

interface Tally {
  readonly files: string[];
  /** File → how many of its tests. */
  readonly passed: Record<string, number>;
  readonly skips: Skip[];
  readonly failures: Failure[];
  /** Of the tests that ran. */
  readonly durations: Durations;
  /** Of random programs, seeds and the like. */
  readonly share: { ran: number; all: number };
}

function firstLine(errors: readonly SerializedError[] | undefined): string {
  const text = errors?.[0]?.message ?? 'no message';
  return stripVTControlCharacters(text).split('\n', 1)[0] as string;
}

function addTest(tally: Tally, file: string, test: TestCase, hasPattern: boolean): void {
  const result = test.result();
  const name = test.fullName;
  const milliseconds = test.diagnostic()?.duration;
  const { share } = test.meta();
  if (share !== undefined) {
    tally.share.ran += share.ran;
    tally.share.all += share.all;
  }
  if (result.state !== 'skipped' && milliseconds !== undefined) {
    tally.durations[file] ??= {};
    tally.durations[file][name] = Math.round(milliseconds);
  }
  // The run's pattern or tags have left it out: nothing is told of it.
  if (hasPattern && result.state === 'skipped' && result.note === undefined) return;
  if (result.state === 'passed') tally.passed[file] = (tally.passed[file] ?? 0) + 1;
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
  const lists = { files: [], skips: [], failures: [] };
  const tally: Tally = { ...lists, passed: {}, durations: {}, share: { ran: 0, all: 0 } };
  for (const module of modules) {
    // In a guest the files are compiled; they have one name everywhere.
    const file = relative(process.cwd(), module.moduleId).replace(/\.js$/, '.ts');
    const tests = [...module.children.allTests()];
    tally.files.push(file);
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

/** Skipped for a requirement that is not known to be unmet here. */
function unexpectedOf(environment: string, isPrivileged: boolean, { skips }: Tally): Skip[] {
  const environments = [environment, ...(isPrivileged ? [] : [unprivileged])];
  const unmet = unmetIn(readExpectedSkips(), environments);
  return skips.filter(({ reason }) => !unmet.has(requirementOf(reason)));
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
    this.#hasPattern = config.testNamePattern !== undefined || config.tagsFilter !== undefined;
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
      const unexpected = unexpectedOf(environment, isPrivileged, tally);
      if (unexpected.length > 0 && env['NODE_NUMA_RECORD_SKIPS'] !== '1') {
        const what = `${unexpected.length} tests lack what ${environment} is known to have`;
        lines.push(`${what}: ${someNames(unexpected)}`);
        process.exitCode = 1;
      }
      if (env['NODE_NUMA_TEST_RESULT'] === '1') {
        const result: Result = { ...tally, unexpected, isPrivileged };
        lines.push(resultLine(result));
      }
    }
    if (tally.failures.length > 0) process.exitCode = 1;
    lines.push(countLine(tally));
    // At the very end: other reporters and vitest itself print after this hook.
    process.once('exit', () => writeOut(`\n${lines.join('\n')}\n`));
  }
}
