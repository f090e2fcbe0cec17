/** Names of mappings against patterns: other processes choose names, and cannot make it slow. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkFilters, type MappingFilter } from '../../lib/facade/process/mapping-filter.ts';
import type { ProcessMapping } from '../../lib/facade/process/process-mappings.ts';

const nowhere = {
  resolve(): never {
    throw new Error('no node is asked for');
  },
};

function isTaken(file: string, name: string): boolean {
  return checkFilters({ file }, 'filter', nowhere).test({ name } as ProcessMapping);
}

test('a star is any text, a question mark any character, all others are themselves', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '\n', '[', '\\'), maxLength: 8 });
  const pattern = fc.string({
    unit: fc.constantFrom('a', 'b', '.', '*', '?', '[', '\\', '$'),
    minLength: 1,
    maxLength: 8,
  });
  const property = fc.property(pattern, text, (file, name) => {
    const literal = file.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
    const source = literal.replaceAll('*', '[\\s\\S]*').replaceAll('?', '[\\s\\S]');
    expect(isTaken(file, name)).toBe(new RegExp(`^${source}$`).test(name));
  });
  fc.assert(property, { numRuns: 2000 });
});

test('a character may be two units', () => {
  expect(isTaken('?.db', '\u{1f600}.db')).toBe(true);
});

test('of several the one is named that is wrong', () => {
  const check = (filters: unknown): unknown =>
    checkFilters(filters as MappingFilter[], 'filter', nowhere);
  expect(() => check([{ file: 'a' }, { kind: 'pile' }])).toThrow('"filter[1].kind"');
  expect(() => check([{}, 7])).toThrow('"filter[1]"');
  expect(() => check([{}, { pile: 1 }])).toThrow('"filter[1].pile"');
  expect(() => check({ kind: 'pile' })).toThrow('"filter.kind"');
});

test('many stars and a long name take no time', () => {
  expect(isTaken(`${'*a'.repeat(20)}*b`, 'a'.repeat(4000))).toBe(false);
  expect(isTaken(`${'*a'.repeat(20)}*`, 'a'.repeat(4000))).toBe(true);
});
