/**
 * Which of a process's mappings a verb is about: by address, file, kind, size and node.
 */

import { invalidArgumentType, invalidArgumentValue } from '../../core/argument-errors.ts';
import {
  checkArray,
  checkInteger,
  checkItems,
  checkOptions,
  checkWord,
  reading,
  readMembers,
} from '../../core/check-arguments.ts';
import { MAPPING_KINDS, type MappingKind } from '../../core/mapping-kind.ts';
import type { NodeExpression, NodeMask } from '../../core/node-mask.ts';
import type { ProcessMapping } from './process-mappings.ts';

/** All that is given must be true of a mapping; an empty filter takes all. */
export interface MappingFilter {
  /** It holds this address, or overlaps this half-open range. */
  readonly address?: bigint | { readonly from: bigint; readonly to: bigint };
  /** Its name matches: `*` is any text, `?` any character; without a `/`, a path's last part. */
  readonly file?: string;
  readonly kind?: MappingKind | readonly MappingKind[];
  /** Of the mapping, not of what is resident in it. */
  readonly bytesMin?: number;
  readonly bytesMax?: number;
  /** It has memory on one of these nodes. */
  readonly node?: NodeExpression;
}

/** One, or several of which one must be met. */
export type MappingFilters = MappingFilter | readonly MappingFilter[];

const MEMBERS = ['address', 'file', 'kind', 'bytesMin', 'bytesMax', 'node'] as const;

export type MappingTest = (mapping: ProcessMapping) => boolean;

/** What gives a node expression its meaning. */
interface FilterContext {
  resolve(nodes: NodeExpression, argument: string): NodeMask;
}

/** Filters as a caller gave them. */
export interface CheckedFilters {
  /** An empty list, which takes no mapping. */
  readonly isNone: boolean;
  readonly test: MappingTest;
}

/** @throws TypeError, RangeError naming the member that is wrong */
export function checkFilters(
  filters: MappingFilters | undefined,
  argument: string,
  context: FilterContext,
): CheckedFilters {
  const isList = reading(filters, argument, () => Array.isArray(filters));
  const list = isList ? checkArray(filters, argument) : [filters];
  // What is left out takes all mappings; a hole in a list would do so unasked.
  if (isList && list.includes(undefined)) {
    throw invalidArgumentType(argument, 'a filter, or an array of them', undefined);
  }
  const tests = list.map((filter, index) => {
    const name = isList ? `${argument}[${index}]` : argument;
    return mappingTest(filter as MappingFilter, name, context);
  });
  return {
    isNone: tests.length === 0,
    test: (mapping) => tests.some((isMet) => isMet(mapping)),
  };
}

function mappingTest(
  filter: MappingFilter | undefined,
  argument: string,
  context: FilterContext,
): MappingTest {
  const { address, file, kind, bytesMin, bytesMax, node } = checkOptions(filter, argument, MEMBERS);
  const tests: MappingTest[] = [];
  if (address !== undefined) tests.push(addressTest(address, `${argument}.address`));
  if (file !== undefined) tests.push(fileTest(file, `${argument}.file`));
  if (kind !== undefined) {
    const rule = 'a kind, or an array of them';
    const words = typeof kind === 'string' ? [kind] : checkItems(kind, `${argument}.kind`, rule);
    const kinds = words.map((word) => checkWord(word, `${argument}.kind`, MAPPING_KINDS));
    tests.push((mapping) => kinds.includes(mapping.kind));
  }
  if (bytesMin !== undefined) {
    const min = checkInteger(bytesMin, `${argument}.bytesMin`, 0);
    tests.push(({ lengthBytes }) => lengthBytes >= min);
  }
  if (bytesMax !== undefined) {
    const max = checkInteger(bytesMax, `${argument}.bytesMax`, 0);
    tests.push(({ lengthBytes }) => lengthBytes <= max);
  }
  if (node !== undefined) {
    const nodes = context.resolve(node, `${argument}.node`);
    tests.push(({ bytesByNode }) => Object.keys(bytesByNode).some((id) => nodes.has(Number(id))));
  }
  return (mapping) => tests.every((isTrue) => isTrue(mapping));
}

function addressTest(
  address: NonNullable<MappingFilter['address']>,
  argument: string,
): MappingTest {
  if (typeof address === 'bigint') return ({ start, end }) => start <= address && address < end;
  const rule = 'a bigint, or { from, to } of bigints';
  const { from, to } = readMembers<{ from: bigint; to: bigint }>(
    address,
    argument,
    ['from', 'to'],
    rule,
  );
  if (typeof from !== 'bigint' || typeof to !== 'bigint') {
    throw invalidArgumentType(argument, rule, address);
  }
  if (to <= from) {
    throw invalidArgumentValue(argument, 'must not end before it begins', `${from}-${to}`);
  }
  return ({ start, end }) => start < to && from < end;
}

function fileTest(pattern: string, argument: string): MappingTest {
  if (typeof pattern !== 'string') throw invalidArgumentType(argument, 'a string', pattern);
  if (pattern === '') throw invalidArgumentValue(argument, 'must not be empty', pattern);
  const wanted = [...pattern];
  const isOfPath = pattern.includes('/');
  return ({ name }) => {
    if (name === null) return false;
    return isMatch(wanted, [...(isOfPath ? name : (name.split('/').at(-1) as string))]);
  };
}

/**
 * Goes back to the last star only: what an earlier one could take as well, that one can. Whoever
 * chooses the name chooses the work else, which is at most the product of both lengths so.
 */
function isMatch(pattern: readonly string[], name: readonly string[]): boolean {
  let at = 0;
  let star = -1;
  let behindStar = 0;
  for (let index = 0; index < name.length; ) {
    if (pattern[at] === '*') {
      star = at;
      behindStar = index;
      at += 1;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === name[index])) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      behindStar += 1;
      index = behindStar;
      at = star + 1;
    } else return false;
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}
