/**
 * docs/features.md: a row for each function of libnuma, a test for each yes, a reason for no; and a
 * test for each fault.
 */

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { existsInRepository, readRepositoryFile } from './repository.ts';

const PAGE = 'docs/features.md';
const HEADERS = ['/usr/include/numa.h', '/usr/include/numaif.h'];
/** The least that a reason says. */
const REASON_LENGTH_MIN = 20;

interface Row {
  readonly names: readonly string[];
  readonly answer: string;
  readonly by: string;
  readonly proofs: readonly { readonly words: string; readonly path: string }[];
}

const rows = readRepositoryFile(PAGE)
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line): Row => {
    const [names = '', answer = '', by = '', proofs = ''] = line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim());
    return {
      names: [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => name as string),
      ...{ answer, by },
      proofs: proofsIn(proofs),
    };
  });

const faults = (readRepositoryFile(PAGE).split('\n## What goes wrong')[1] ?? '')
  .split('\n')
  .filter((line) => line.startsWith('| ') && line.includes('`test/'))
  .map((line) => line.slice(1, -1).split('|'))
  .map(([fault = '', , proofs = '']) => ({ fault: fault.trim(), proofs: proofsIn(proofs.trim()) }));

function proofsIn(cell: string): Row['proofs'] {
  return cell.split('<br>').flatMap((proof) => {
    const [, path = '', words = ''] = /^`(test\/[^`]+)` (.+)$/.exec(proof) ?? [];
    return path === '' ? [] : [{ path, words }];
  });
}

function expectTests(proofs: Row['proofs']): void {
  expect(proofs.length).toBeGreaterThan(0);
  for (const { words, path } of proofs) {
    expect([path, existsInRepository(path)]).toEqual([path, true]);
    expect(readRepositoryFile(path)).toContain(words);
  }
}

/** Functions that a header declares, but for those of libnuma's first version. */
function functionsIn(header: string): string[] {
  const [text = ''] = readFileSync(header, 'utf8').split('#ifdef NUMA_VERSION1_COMPATIBILITY');
  const declared = /\b([a-z]\w*)\s*\([^()]*\)\s*(?:__\w+\s*\(\(.*?\)\)\s*)?[;{]/g;
  const names = [...text.replaceAll(/\/\*.*?\*\/|\/\/.*?$/gms, '').matchAll(declared)];
  const isOurs = header.endsWith('numaif.h') ? /./ : /^(?:numa_|nodemask_|copy_)/;
  return names.map(([, name]) => name as string).filter((name) => isOurs.test(name));
}

describe('the table of features', () => {
  test('has rows of yes and no, each function once', () => {
    expect(rows.length).toBeGreaterThan(50);
    expect(rows.filter(({ answer }) => answer !== 'yes' && answer !== 'no')).toEqual([]);
    const functions = rows.flatMap(({ names }) => names).filter((name) => name.startsWith('numa_'));
    expect(functions.filter((name, at) => functions.indexOf(name) !== at)).toEqual([]);
  });

  test.each(rows.filter(({ answer }) => answer === 'yes'))('$names: its tests are there', (row) => {
    expectTests(row.proofs);
  });

  test('has more than twenty faults', () => expect(faults.length).toBeGreaterThan(20));

  test.each(faults)('$fault: its tests are there', ({ proofs }) => expectTests(proofs));

  test('says why not where it says no', () => {
    const bare = rows.filter(({ answer, by }) => answer === 'no' && by.length < REASON_LENGTH_MIN);
    expect(bare).toEqual([]);
  });

  test.for(HEADERS)('has every function of %s', (header, context) => {
    // Where libnuma-dev is not installed nothing is built either.
    if (!existsSync(header)) context.skip(`${header} is not installed here`);
    const functions = functionsIn(header);
    expect(functions.length).toBeGreaterThan(4);
    const known = new Set(rows.flatMap(({ names }) => names));
    const untold = functions.filter((name) => !known.has(name) && !name.endsWith('_compat'));
    expect(untold).toEqual([]);
  });
});
