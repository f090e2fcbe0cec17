/**
 * What the calls of a simulated thread take: a row for each method, or it does not compile. What a
 * kernel would refuse passes; what could not be passed to one is a TypeError or RangeError.
 */

import { access, nodemask, policyCallChecks, span } from '../../backend/requests.ts';
import {
  bits32,
  boolean,
  type Check,
  either,
  ints32,
  isBigUint64Array,
  isInt32Array,
  longSize,
  members,
  nullable,
  optional,
  request,
  size,
  text,
  whole,
  word,
  words64,
} from '../../core/call-arguments.ts';
import { methodOf } from '../../core/calls.ts';
import { checkAddress, checkInteger, reading } from '../../core/check-arguments.ts';
import type { AreaCalls } from '../../machine/areas.ts';
import type { MemoryCalls } from '../../machine/memory.ts';
import type { MaskArgument, NumaCalls, PolicyCalls } from '../../machine/numa.ts';
import type { ObjectCalls } from '../../machine/objects.ts';
import type { ReferenceCalls } from '../../machine/references.ts';
import type { WeightFiles } from '../../machine/settings.ts';
import type { SimulatedCpuset } from '../interface/machine-settings.ts';
import type {
  SimulatedCalls,
  SteppedCalls,
  SteppedCpuset,
} from '../interface/simulated-process.ts';

/** A method's arguments in order, each with its name. */
type Row = readonly (readonly [argument: string, check: Check<unknown>])[];

type Methods<H> = {
  [Name in keyof H]: H[Name] extends (...values: never[]) => unknown ? Name : never;
}[keyof H];

export type Rows<H> = { readonly [Name in Methods<H>]: Row };

type Method = (...values: unknown[]) => unknown;

/** The same calls, with their arguments checked before anything happens. */
export function checked<H extends object>(calls: H, rows: Rows<H>): H {
  const made = Object.create(null, Object.getOwnPropertyDescriptors(calls)) as H;
  for (const [name, row] of Object.entries(rows) as [Methods<H>, Row][]) {
    const method = calls[name] as Method;
    const check: Method = (...values) =>
      method(...row.map(([argument, one], index) => one(values[index], argument)));
    made[name] = check as H[typeof name];
  }
  return made;
}

/** Logical time passes tick by tick. */
const MILLISECONDS_MAX = 2 ** 31 - 1;

const address: Check<bigint> = checkAddress;
/** Signed or not. */
const word64: Check<bigint> = (value, argument) => {
  const isSigned = typeof value === 'bigint' && BigInt.asIntN(64, value) === value;
  return isSigned ? value : checkAddress(value, argument);
};
const milliseconds: Check<number> = (value, argument) =>
  checkInteger(value, argument, 0, MILLISECONDS_MAX);
const kind = word('memfd', 'sysv', 'hugetlb', 'tmpfs', 'ramfs', 'disk', 'secret');
const object = members({ kind, id: size, inode: size });
const mapMembers = {
  address: optional(address) as Check<bigint>,
  pageCount: size,
  isShared: optional(boolean) as Check<boolean>,
};

/** One node for all, one for each, or where they are. */
const targets = either(isInt32Array, ints32, either(Number.isSafeInteger, whole, address));

const isObject = (value: unknown): boolean => typeof value === 'object';

const pointed = members({ pointer: address, maxnode: longSize });

/** Where a mask is, or its words. */
const anyMask: Check<MaskArgument> = nullable((value, argument) => {
  const isPointer = reading(value, argument, () => {
    return typeof (value as { pointer?: unknown } | undefined)?.pointer === 'bigint';
  });
  return isPointer ? pointed(value, argument) : (nodemask(value, argument) as MaskArgument);
});

/** What C cuts may be any number. */
const policies = Object.fromEntries(
  policyCallChecks({
    ...{ address, length: longSize, int: bits32, flags: whole, long: whole },
    mask: anyMask,
  }).map(([call, one]) => [methodOf(call), [['request', one]]]),
) as unknown as Rows<PolicyCalls>;
const migratePages: Row = [['request', request({ pid: bits32, from: anyMask, to: anyMask })]];

const memory: Rows<MemoryCalls> = {
  mmap: [['request', members(mapMembers)]],
  munmap: [['span', span]],
  mprotect: [
    ['span', span],
    ['protection', word('read', 'write', 'none', 'write-only')],
  ],
  mlock: [['span', span]],
  munlock: [['span', span]],
  touch: [
    ['span', span],
    ['access', access],
  ],
  keepTouching: [
    ['span', span],
    ['access', word('read', 'write', 'count')],
    ['milliseconds', milliseconds],
  ],
  store: [
    ['address', address],
    ['value', word64],
  ],
  load: [['address', address]],
};

const areas: Rows<AreaCalls> = {
  madvise: [
    ['span', span],
    ['advice', bits32],
  ],
  mremap: [
    ['span', span],
    ['to', address],
  ],
  resize: [
    ['span', span],
    ['newPageCount', size],
  ],
  list: [['span', span]],
  numaMaps: [['folder', optional(word('self', 'thread-self'))]],
  special: [['name', word('vdso', 'vvar')]],
  mapDevice: [['request', members({ address: mapMembers.address, pageCount: size })]],
};

const objects: Rows<ObjectCalls> = {
  create: [
    ['kind', kind],
    ['pageCount', size],
    ['name', optional(text)],
  ],
  map: [
    ['object', object],
    ['request', members({ ...mapMembers, firstPage: optional(size) as Check<number> })],
  ],
  write: [
    ['object', object],
    ['pages', members({ firstPage: size, pageCount: size })],
  ],
};

const references: Rows<ReferenceCalls> = {
  splice: [['span', span]],
  registerBuffer: [['span', span]],
  unregisterBuffer: [['ring', bits32]],
  registerPackets: [['span', span]],
  packetRing: [['ring', members({ blockPages: size, blockCount: size })]],
  close: [['descriptor', bits32]],
};

const numa: Rows<NumaCalls> = {
  ...policies,
  getMempolicy: [
    [
      'request',
      request({
        flags: whole,
        address: optional(address),
        maxnode: longSize,
        mask: optional(address),
        mode: optional(address),
      }),
    ],
  ],
  movePages: [
    [
      'request',
      request({
        pid: optional(bits32),
        count: optional(size),
        pages: either(isBigUint64Array, words64, either(isObject, span, address)),
        nodes: nullable(targets),
        status: either(isInt32Array, ints32, address),
        flags: optional(whole),
      }),
    ],
  ],
  migratePages,
};

const steps: Rows<SteppedCalls> = {
  touch: [
    ['span', span],
    ['access', access],
  ],
  store: [
    ['address', address],
    ['value', word64],
  ],
  movePages: [
    [
      'request',
      request({
        pid: optional(bits32),
        pages: either(isBigUint64Array, words64, span),
        node: whole,
        flags: optional(whole),
        status: optional(ints32),
      }),
    ],
  ],
  mbind: policies.mbind,
  migratePages,
};

export const CALL_CHECKS: {
  readonly [Name in keyof SimulatedCalls]: Rows<SimulatedCalls[Name]>;
} = { memory, areas, objects, references, numa, steps };

export const WEIGHT_CHECKS: Rows<WeightFiles> = {
  names: [],
  read: [['name', text]],
  write: [
    ['name', text],
    ['text', text],
    ['pid', optional(bits32)],
  ],
};

export const CPUSET_CHECKS: Rows<SimulatedCpuset> = {
  setMems: [['nodes', text]],
  attach: [['pid', bits32]],
  leave: [['pid', bits32]],
  empty: [],
};

export const CPUSET_STEP_CHECKS: Rows<SteppedCpuset> = {
  setMems: [['nodes', text]],
  attach: [['pid', bits32]],
};
