/**
 * What is told of calls and releases is what the tables of lib/core/calls.ts and kernels.ts say,
 * and nothing in code tells it a second time.
 */

import { describe, expect, test } from 'vitest';
import { methodOf, NUMA_CALLS, type NumaCall, numaCalls } from '../../lib/core/calls.ts';
import { KERNEL_FACTS } from '../../lib/core/kernel-facts.ts';
import { kernelLines, MODES_SINCE } from '../../lib/core/kernels.ts';
import { Machine } from '../../lib/simulator/public.ts';
import { Syscalls } from '../../lib/syscalls/syscalls.ts';
import { filesIn, readRepositoryFile, type SourceFile } from './repository.ts';
import { code, isScript } from './rules.ts';

const RELEASE = '`?\\d+\\.\\d+`?';
/** Three releases or more in a row, in words, in a table or as a choice. */
const LIST = new RegExp(`${RELEASE}(?:(?:, | or | and | \\| |\\|)${RELEASE}){2,}`, 'g');

test('where documentation lists kernels it lists those that are known', () => {
  const pages = filesIn(['docs', 'examples', 'scripts'], ['.md', '.mjs']).filter(
    // The behaviours themselves: which of them holds on which kernels.
    ({ path }) => !/^docs\/contract\/(\d|known-suites)/.test(path),
  );
  const readme = { path: 'README.md', text: readRepositoryFile('README.md') };
  const lists = [readme, ...pages].flatMap(({ path, text }) =>
    [...text.matchAll(LIST)].map(([list]) => ({ path, lines: list.match(/\d+\.\d+/g) })),
  );
  expect(lists.filter(({ lines }) => `${lines}` !== `${kernelLines}`)).toEqual([]);
  expect(new Set(lists.map(({ path }) => path)).size).toBeGreaterThan(6);
});

const HOME_NODE = NUMA_CALLS.set_mempolicy_home_node.since;
const BALANCED = MODES_SINCE['MPOL_PREFERRED_MANY | MPOL_F_NUMA_BALANCING'];

test.each([
  ['docs/errors.md', `| ${MODES_SINCE.MPOL_F_NUMA_BALANCING} | the flag \`numa-balancing\` of`],
  ['docs/errors.md', `| ${MODES_SINCE.MPOL_PREFERRED_MANY} | \`preferredMany()\` |`],
  ['docs/errors.md', `| ${MODES_SINCE.MPOL_WEIGHTED_INTERLEAVE} | \`weightedInterleave()\` |`],
  ['docs/errors.md', `| ${BALANCED} | the flag \`numa-balancing\` of \`preferredMany()\` |`],
  ['docs/errors.md', `| ${HOME_NODE} | \`homeNode\` |`],
  [
    'docs/capabilities.md',
    `home nodes ${HOME_NODE}, PREFERRED_MANY ${MODES_SINCE.MPOL_PREFERRED_MANY}, ` +
      `WEIGHTED_INTERLEAVE ${MODES_SINCE.MPOL_WEIGHTED_INTERLEAVE}, ` +
      `NUMA_BALANCING ${MODES_SINCE.MPOL_F_NUMA_BALANCING}, with PREFERRED_MANY ${BALANCED} |`,
  ],
  ['docs/cli.md', `also with preferred-many, on kernels since ${BALANCED} |`],
  ['docs/contract/1.0-shared-checks.md', `from ${BALANCED} on with PREFERRED_MANY`],
  ['lib/core/memory-policy.ts', `(bind; on kernels since ${BALANCED} also preferred-many)`],
  [
    'lib/core/memory-policy.ts',
    `others when they are full. Kernels since ${MODES_SINCE.MPOL_PREFERRED_MANY}.`,
  ],
  [
    'lib/core/memory-policy.ts',
    `weight for each node. Kernels since ${MODES_SINCE.MPOL_WEIGHTED_INTERLEAVE}.`,
  ],
  [
    'lib/core/memory-policy.ts',
    `a policy that is read back has\n   * none. Kernels since ${HOME_NODE}.`,
  ],
  ['lib/backend/backend.ts', `set_mempolicy_home_node(2), Linux ${HOME_NODE}.`],
  ['lib/syscalls/syscalls.ts', `ENOSYS before Linux ${HOME_NODE}.`],
])('%s says since when: %s', (path, sentence) => {
  expect(readRepositoryFile(path)).toContain(sentence);
});

/** A list in words: `a`, `b` and `c`. */
function inWords(calls: readonly NumaCall[]): string {
  const spans = calls.map((call) => `\`${call}\``);
  return `${spans.slice(0, -1).join(', ')} and ${spans.at(-1)}`;
}

function flat(path: string): string {
  return readRepositoryFile(path).replaceAll(/\s+/g, ' ');
}

interface Rule {
  readonly includes?: { readonly caps?: readonly string[] };
}

describe('each call', () => {
  const parts = readRepositoryFile('docs/syscalls.md').split(/^## /m).slice(2);
  const partOf = new Map(parts.map((part) => [part.slice(0, part.indexOf('\n')), part]));

  test('has its part of docs/syscalls.md', () => {
    expect([...partOf.keys()].sort()).toEqual([...numaCalls].sort());
  });

  test.each(numaCalls)('%s is made as its row says', (call) => {
    const { runs } = NUMA_CALLS[call];
    const method = methodOf(call);
    const bare = Syscalls.prototype as unknown as Record<string, object | undefined>;
    const backend = new Machine().self.backend as unknown as Record<string, unknown>;
    expect(backend[method]).toBeTypeOf('function');
    expect(bare[method]?.constructor.name === 'AsyncFunction').toBe(runs !== 'sync');
    for (const methods of [bare, backend]) expect(`${method}Sync` in methods).toBe(runs === 'both');
    const part = partOf.get(call) ?? '';
    expect(part).toContain(`\n| thread | ${runs === 'sync' ? "the caller's" : 'the pool'}`);
    expect(part.includes(`\`await ${method}(`)).toBe(runs !== 'sync');
  });

  test.each(numaCalls)('%s has the flags and the release of its row', (call) => {
    const { flags, since } = NUMA_CALLS[call];
    const part = partOf.get(call) ?? '';
    expect(part.match(/Linux (\d+\.\d+)/)?.[1]).toBe(since);
    for (const [name, { isPrivileged = false }] of Object.entries(flags)) {
      const short = name.replace(/^MPOL_(MF|F)_/, '');
      expect(part).toContain(`\`${short}\``);
      expect(new RegExp(`\`${short}\`[^\`]*CAP_SYS_NICE`).test(part), name).toBe(isPrivileged);
    }
  });

  test('is asked by capabilities(), and denied or opened as its row says', () => {
    const page = flat('docs/capabilities.md');
    for (const call of numaCalls) expect(page).toContain(`| \`${call}\` | `);
    const opened = numaCalls.filter((call) => NUMA_CALLS[call].isOpenedByCapability);
    const others = numaCalls.filter((call) => !opened.includes(call));
    expect(page).toContain(
      `open ${inWords(opened)} to containers with that capability, and ${inWords(others)} to none`,
    );
  });

  test('is allowed by the seccomp profile', () => {
    const inOrder = [...numaCalls].sort();
    expect(flat('docs/seccomp/README.md')).toContain(`it allows ${inWords(inOrder)} to all`);
    const { syscalls } = JSON.parse(readRepositoryFile('docs/seccomp/node-numa.json'));
    expect(syscalls.at(-1)).toMatchObject({ names: inOrder, action: 'SCMP_ACT_ALLOW' });
    // A rule of the engine's own default profile.
    const ofCapability = syscalls.find(
      ({ includes }: Rule) => `${includes?.caps}` === 'CAP_SYS_NICE',
    );
    expect(ofCapability.names).toEqual(
      inOrder.filter((call) => NUMA_CALLS[call].isOpenedByCapability),
    );
  });
});

describe('once', () => {
  const scripts = code.filter(isScript);
  const oneOf = (words: readonly string[]): string => words.join('|').replaceAll('.', '\\.');
  const pathsWith = (pattern: RegExp): string[] =>
    scripts.filter(({ text }: SourceFile) => pattern.test(text)).map(({ path }) => path);

  /** Facts by first release, what was recorded on one, and names of none that is known. */
  const WITH_RELEASES: Readonly<Record<string, string>> = {
    'lib/core/calls.ts': 'since when each call exists',
    'lib/core/kernel-facts.ts': 'facts by first release',
    'lib/core/kernels.ts': 'the table',
    'scripts/guest/kernel.mjs': 'where each is had from',
    'test/cli/run-command.ts': 'which one the kept outputs of commands are of',
    'test/core/kernel-facts.test.ts': 'the test of the facts',
    'test/core/kernels.test.ts': 'the test of the table',
    'test/differential/differential.test.ts': 'a known difference, and none',
    'test/differential/simulator-differences.ts': 'differences by first release',
    'test/facade/capabilities.test.ts': 'one older than a call',
    'test/simulator/cost-moves.test.ts': 'which ones costs were measured on',
    'test/simulator/processes.test.ts': 'one that is unknown',
    'test/simulator/unsupported.test.ts': 'ones that are older than all',
    'test/style/balancing-ranges.test.ts': 'which ones a page of documentation is of',
    'test/testing/fixtures.test.ts': 'one that is unknown',
  };

  test('a release is written in the tables, and where that release has facts of its own', () => {
    expect(pathsWith(/['"`][4-9]\.\d{1,2}(\.\d+)?['"`]/)).toEqual(Object.keys(WITH_RELEASES));
  });

  test('each fact of kernels is read by the simulator or by the contract', () => {
    const readers = scripts.filter(({ path }) => /^(lib\/simulator|test\/contract)\//.test(path));
    const text = readers.map((file) => file.text).join();
    const names = Object.keys(KERNEL_FACTS);
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([]);
  });

  test('no answer is chosen by the name of a line', () => {
    const choice = /(===|!==|<=?|>=?) (['"`]\d\.\d|(oldest|newest)KernelLine)/;
    // Which recordings there are of it.
    expect(pathsWith(choice)).toEqual(['test/simulator/traces.test.ts']);
  });

  test('releases are taken apart, and compared, in one place', () => {
    expect(pathsWith(/\(\\d\+\)\\\.\(\\d\+\)/)).toEqual(['lib/core/kernels.ts']);
  });

  test('the calls are listed in their table alone', () => {
    const methods = numaCalls.map(methodOf);
    const names = [...new Set([...numaCalls, ...methods])];
    const list = new RegExp(`(?:\\b(?:${oneOf(names)})\\b[\\s,|'"\`()[\\].]+){4}`);
    expect(pathsWith(list)).toEqual(['lib/core/calls.ts']);
  });
});
