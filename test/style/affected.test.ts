/** What a change can affect: the ways by which a file can depend on another. */

import { expect, test } from 'vitest';
import { affectedTests, readUsers } from '../../scripts/test/affected.mjs';
import { ROOT } from './repository.ts';

const users = readUsers(ROOT);

function testsOf(...changed: string[]): string[] {
  return affectedTests(users, changed).map(({ file }) => file);
}

test.each([
  ['by an import of an import', 'lib/core/errno.ts', 'test/core/errors.test.ts'],
  [
    'by a suite that others share',
    'test/contract/overflow.contract.ts',
    'test/simulator/contract.test.ts',
  ],
  ['by what is built from it', 'lib/cli/output.ts', 'test/cli/signals.test.ts'],
  ['by the addon', 'native/syscalls/mbind.cc', 'test/backends/native.test.ts'],
  ['by a suite that another runs', 'test/facade/policy.test.ts', 'test/simulator/facade.test.ts'],
  ['by the name of the package', 'lib/syscalls/public.ts', 'test/simulator/hosts.test.ts'],
  ['by a worker', 'test/facade/workers/mover.mjs', 'test/facade/worker-threads.test.ts'],
  [
    'by a folder',
    'test/differential/corpus/emptied-group.json',
    'test/differential/traces.test.ts',
  ],
  ['by a document', 'docs/cli.md', 'test/cli/docs.test.ts'],
  ['by a program', 'test/puppet/batch.c', 'test/differential/differential.test.ts'],
  ['by a rule for all files', 'scenarios/busy.json', 'test/style/words.test.ts'],
])('%s', (_, changed, affected) => {
  expect(testsOf(changed)).toContain(affected);
});

test('a file that is gone has users, but for a test', () => {
  const gone = ['lib/core/gone.ts', 'test/core/gone.test.ts'];
  const left = readUsers(ROOT, gone);
  expect([...(left.get('lib/core/gone.ts') ?? [])]).toEqual(['test/style/affected.test.ts']);
  expect(left.has('test/core/gone.test.ts')).toBe(false);
});

test('nothing else', () => {
  expect(testsOf('docs/cli.md')).not.toContain('test/simulator/many.test.ts');
  expect(testsOf('test/facade/workers/mover.mjs')).not.toContain('test/facade/policy.test.ts');
  expect(testsOf()).toEqual([]);
});

test('the nearest first: what changed itself, and whose snapshot did', () => {
  expect(testsOf('lib/core/errno.ts', 'test/simulator/many.test.ts')[0]).toBe(
    'test/simulator/many.test.ts',
  );
  expect(testsOf('test/cli/__snapshots__/docs.test.ts.snap')[0]).toBe('test/cli/docs.test.ts');
});
