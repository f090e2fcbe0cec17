/**
 * Says what a run left out: each skipped test with its reason, compared with what the
 * environment is known to skip (test/expected-skips.json), then the counts as the last line.
 *
 * NODE_NUMA_TEST_ENVIRONMENT names the environment; without it nothing is compared.
 * NODE_NUMA_RECORD_SKIPS=1 writes this run's skips down as the expected ones.
 */

import { readFileSync, writeFileSync, writeSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';
import { readHostMachine } from './host-machine.ts';

const EXPECTED_SKIPS = fileURLToPath(new URL('../expected-skips.json', import.meta.url));

/** Environment → file → full names of the tests that it skips. */
type ExpectedSkips = Record<string, Record<string, string[]>>;

/** Names in one line; the whole list is above it. */
const NAMES_MAX = 5;

/** Expected in any environment where the tests run without a system administrator's rights. */
const UNPRIVILEGED = 'unprivileged';

function hasPrivilege(): boolean {
  if (process.platform !== 'linux') return false;
  const { isPrivileged, canChangeUser } = readHostMachine();
  return isPrivileged && canChangeUser;
}

interface Skip {
  readonly file: string;
  readonly name: string;
  readonly reason: string;
}

interface Tally {
  passed: number;
  failed: number;
  readonly skips: Skip[];
  readonly files: string[];
}

function tallyOf(modules: readonly TestModule[], unhandled: number): Tally {
  const tally: Tally = { passed: 0, failed: unhandled, skips: [], files: [] };
  for (const module of modules) {
    const file = relative(process.cwd(), module.moduleId);
    tally.files.push(file);
    const failedBefore = tally.failed;
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === 'passed') tally.passed += 1;
      else if (result.state === 'failed') tally.failed += 1;
      else {
        const reason =
          (result.state === 'skipped' && result.note) ||
          'without a reason: a failure or a mark in the source kept it from running';
        tally.skips.push({ file, name: test.fullName, reason });
      }
    }
    // A file that could not be read, or a hook that failed, fails no test of its own.
    if (!module.ok() && tally.failed === failedBefore) tally.failed += 1;
  }
  return tally;
}

function readExpected(): ExpectedSkips {
  return JSON.parse(readFileSync(EXPECTED_SKIPS, 'utf8')) as ExpectedSkips;
}

function record(environment: string, { files, skips }: Tally): void {
  const all = readExpected();
  const known = { ...all[environment] };
  for (const file of files) {
    const names = skips.filter((skip) => skip.file === file).map(({ name }) => name);
    if (names.length > 0) known[file] = names;
    else delete known[file];
  }
  all[environment] = Object.fromEntries(Object.entries(known).sort());
  writeFileSync(EXPECTED_SKIPS, `${JSON.stringify(all, null, 2)}\n`);
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

function countLine({ passed, failed, skips }: Tally): string {
  const skipped = skips.length > 0 ? `, ${skips.length} skipped` : '';
  return `${passed} passed, ${failed} failed${skipped}`;
}

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const tally = tallyOf(modules, unhandledErrors.length);
    const lines = listSkips(tally.skips);
    const { NODE_NUMA_TEST_ENVIRONMENT: environment, NODE_NUMA_RECORD_SKIPS: recording } =
      process.env;
    if (environment !== undefined && recording === '1') {
      record(environment, tally);
    } else if (environment !== undefined) {
      const unexpected = this.#unexpected(environment, tally.skips);
      if (unexpected.length > 0) {
        const first = unexpected.slice(0, NAMES_MAX).map(({ name }) => name);
        const names = [...first, ...(unexpected.length > NAMES_MAX ? ['...'] : [])].join('; ');
        lines.push(`${unexpected.length} tests skipped that ${environment} ran before: ${names}`);
        process.exitCode = 1;
      }
    }
    if (tally.failed > 0) process.exitCode = 1;
    lines.push(countLine(tally));
    // At the very end: other reporters and vitest itself print after this hook.
    process.once('exit', () => writeSync(1, `\n${lines.join('\n')}\n`));
  }

  #unexpected(environment: string, skips: readonly Skip[]): Skip[] {
    const all = readExpected();
    const expected = [all[environment], hasPrivilege() ? undefined : all[UNPRIVILEGED]];
    return skips.filter(({ file, name }) => !expected.some((one) => one?.[file]?.includes(name)));
  }
}
