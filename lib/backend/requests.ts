/**
 * The requests of a backend's methods, checked alike by each: what no kernel can be passed is a
 * TypeError or RangeError, and what is only wrong goes to the kernel. Members are read once.
 */

import { invalidArgumentType, outOfRange } from '../core/argument-errors.ts';
import {
  bits32,
  boolean,
  type Check,
  either,
  ints32,
  isBigUint64Array,
  isInt32Array,
  members,
  nullable,
  optional,
  request,
  size,
  text,
  view8,
  word,
  words64,
} from '../core/call-arguments.ts';
import {
  type ArgumentKind,
  type MethodOf,
  methodOf,
  NUMA_CALLS,
  type PolicyCall,
  policyCalls,
} from '../core/calls.ts';
import { checkAddress, checkArray, checkInteger } from '../core/check-arguments.ts';
import type {
  Access,
  Backend,
  CopyPagesRequest,
  GetMempolicyRequest,
  MigratePagesRequest,
  MovePagesRequest,
  NodemaskArgument,
  PagemapScanRequest,
  PageSpan,
} from './backend.ts';
import type {
  MadviseRequest,
  MappedPart,
  Mapping,
  MappingHandle,
  MappingRequest,
} from './mapping.ts';

const CPU_MAX = 2 ** 32 - 1;
const DESCRIPTOR_MAX = 2 ** 31 - 1;

const MASK_RULE = 'a NodeMask, { words, maxnode } with a BigUint64Array, or null';

const maskMembers = members<{ readonly words: unknown; readonly maxnode: number }>(
  { words: (value) => value, maxnode: size },
  MASK_RULE,
);

/** The kernel reads `maxnode - 1` bits, in whole words, and nothing for 0. */
function requireWords(words: BigUint64Array | null, maxnode: number, argument: string): void {
  if (words === null || maxnode === 0 || Math.ceil((maxnode - 1) / 64) <= words.length) return;
  throw outOfRange(argument, 'it must be long enough for maxnode - 1 bits', words);
}

export const nodemask: Check<NodemaskArgument | null> = nullable((value, argument) => {
  const { words: given, maxnode } = maskMembers(value, argument);
  if (!isBigUint64Array(given)) throw invalidArgumentType(argument, MASK_RULE, value);
  const words = words64(given, argument);
  requireWords(words, maxnode, argument);
  return { words, maxnode };
});

export const span: Check<PageSpan> = members({ address: checkAddress, pageCount: size });

export const access: Check<Access> = word('read', 'write');

const cpus: Check<number[]> = (value, argument) =>
  checkArray(value, argument).map((cpu) => checkInteger(cpu, argument, 0, CPU_MAX));

/** Only the backend that gave it out can tell. */
const mapping: Check<Mapping | undefined> = (value) => value as Mapping | undefined;

const descriptor: Check<number> = (value, argument) =>
  checkInteger(value, argument, 0, DESCRIPTOR_MAX);

/** What a size of pages, or an alignment, can be. */
const powerOfTwo: Check<number> = (value, argument) => {
  const bytes = size(value, argument);
  if (bytes > 0 && Number.isInteger(Math.log2(bytes))) return bytes;
  throw outOfRange(argument, 'it must be a power of two', bytes);
};

const partMembers = { mapping: mapping as Check<Mapping>, offsetBytes: size, lengthBytes: size };

const movePagesMembers = request<MovePagesRequest>({
  pid: bits32,
  pages: either(isBigUint64Array, words64, span),
  nodes: nullable(either(isInt32Array, ints32, bits32)),
  flags: bits32,
  status: ints32,
  mapping: mapping as Check<Mapping>,
});

const movePages: Check<MovePagesRequest> = (value, argument) => {
  const asked = movePagesMembers(value, argument);
  const { pages, nodes, status } = asked;
  const count = isBigUint64Array(pages) ? pages.length : pages.pageCount;
  if (isInt32Array(nodes)) requireElements(nodes, count, 'nodes');
  requireElements(status, count, 'status');
  return asked;
};

/** @throws RangeError ERR_OUT_OF_RANGE for an array that is shorter than there are pages */
export function requireElements(array: Int32Array, count: number, argument: string): void {
  if (array.length >= count) return;
  throw outOfRange(argument, `it must have an element for each of the ${count} pages`, array);
}

const migratePagesMembers = request<MigratePagesRequest>({
  pid: bits32,
  maxnode: size,
  from: nullable(words64),
  to: nullable(words64),
});

const migratePages: Check<MigratePagesRequest> = (value, argument) => {
  const asked = migratePagesMembers(value, argument);
  requireWords(asked.from, asked.maxnode, 'from');
  requireWords(asked.to, asked.maxnode, 'to');
  return asked;
};

/** How each kind of argument is checked. */
export type KindChecks = Readonly<Record<ArgumentKind, Check<unknown>>>;

/** The calls whose rows say what they take, each with the check of its request. */
export function policyCallChecks(kinds: KindChecks): (readonly [PolicyCall, Check<object>])[] {
  return policyCalls.map((call) => {
    const takes = Object.entries(NUMA_CALLS[call].takes);
    return [call, request(Object.fromEntries(takes.map(([name, kind]) => [name, kinds[kind]])))];
  });
}

const policyChecks = Object.fromEntries(
  policyCallChecks({
    ...{ address: checkAddress, length: size, int: bits32, flags: bits32, long: size },
    mask: nodemask,
  }).map(([call, one]) => [methodOf(call), one]),
) as PolicyChecks;

type PolicyChecks = {
  readonly [Method in MethodOf<PolicyCall>]: Check<Parameters<Backend[Method]>[0]>;
};

interface RequestChecks extends PolicyChecks {
  readonly node: Check<number>;
  readonly mmap: Check<MappingRequest>;
  readonly madvise: Check<MadviseRequest>;
  readonly part: Check<MappedPart>;
  readonly file: Check<Mapping | number>;
  readonly descriptor: Check<number>;
  readonly lengthBytes: Check<number>;
  readonly offsetBytes: Check<number>;
  readonly access: Check<Access>;
  readonly view: Check<Uint8Array>;
  readonly handle: Check<MappingHandle>;
  readonly getMempolicy: Check<GetMempolicyRequest>;
  readonly cpus: Check<number[]>;
  readonly span: Check<PageSpan>;
  readonly pid: Check<number>;
  readonly movePages: Check<MovePagesRequest>;
  readonly copyPages: Check<CopyPagesRequest>;
  readonly pagemapScan: Check<PagemapScanRequest>;
  readonly migratePages: Check<MigratePagesRequest>;
  readonly path: Check<string>;
  readonly text: Check<string>;
}

/** One for each method with a request, and for each plain argument of the others. */
export const check: RequestChecks = {
  ...policyChecks,
  node: bits32,
  mmap: request({
    lengthBytes: size,
    alignmentBytes: optional(powerOfTwo) as Check<number>,
    hugePageBytes: optional(powerOfTwo) as Check<number>,
    isShared: optional(boolean) as Check<boolean>,
    descriptor: optional(descriptor) as Check<number>,
    offsetBytes: optional(size) as Check<number>,
  }),
  madvise: request({ ...partMembers, advice: bits32 }),
  part: request(partMembers),
  descriptor,
  file: either((value) => typeof value === 'number', descriptor, mapping as Check<Mapping>),
  lengthBytes: size,
  offsetBytes: size,
  access,
  view: view8,
  handle: members({ id: size, generation: size }),
  getMempolicy: request({
    flags: bits32,
    address: optional(checkAddress) as Check<bigint>,
    maxnode: size,
  }),
  cpus,
  span,
  pid: bits32,
  movePages,
  copyPages: request({
    ...partMembers,
    node: bits32,
    cpus,
    mode: bits32,
    nodemask,
    advice: bits32,
    mayKeep: optional(boolean) as Check<boolean>,
  }),
  pagemapScan: request({
    pid: bits32,
    address: checkAddress,
    pageCount: size,
    categories: size,
    runsMax: size,
    pagesMax: size,
  }),
  migratePages,
  path: text,
  text,
};
