/** What is told of kernels' releases is what the tables of lib/core/kernels.ts say. */

import { expect, test } from 'vitest';
import { kernelLines, MODES_SINCE } from '../../lib/core/kernels.ts';
import { filesIn, readRepositoryFile } from './repository.ts';

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

const BALANCED = MODES_SINCE['MPOL_PREFERRED_MANY | MPOL_F_NUMA_BALANCING'];

test.each([
  ['docs/errors.md', `| ${MODES_SINCE['MPOL_F_NUMA_BALANCING']} | the flag \`numa-balancing\` of`],
  ['docs/errors.md', `| ${MODES_SINCE['MPOL_PREFERRED_MANY']} | \`preferredMany()\` |`],
  ['docs/errors.md', `| ${MODES_SINCE['MPOL_WEIGHTED_INTERLEAVE']} | \`weightedInterleave()\` |`],
  ['docs/errors.md', `| ${BALANCED} | the flag \`numa-balancing\` of \`preferredMany()\` |`],
  ['docs/cli.md', `also with preferred-many, on kernels since ${BALANCED} |`],
  ['docs/contract/1.0-shared-checks.md', `from ${BALANCED} on with PREFERRED_MANY`],
  ['lib/core/memory-policy.ts', `(bind; on kernels since ${BALANCED} also preferred-many)`],
  [
    'lib/core/memory-policy.ts',
    `others when they are full. Kernels since ${MODES_SINCE['MPOL_PREFERRED_MANY']}.`,
  ],
  [
    'lib/core/memory-policy.ts',
    `weight for each node. Kernels since ${MODES_SINCE['MPOL_WEIGHTED_INTERLEAVE']}.`,
  ],
])('%s says since when: %s', (path, sentence) => {
  expect(readRepositoryFile(path)).toContain(sentence);
});
