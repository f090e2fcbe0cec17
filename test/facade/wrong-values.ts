/** Wrong values by what they should have been, with the code that each must get. */

import { bind, CpuMask, type MappedBuffer, NodeMask, type Numa } from '../../lib/index.ts';
import { firstNode, UNKNOWN_NODE } from './machine.ts';

export const TYPE = 'ERR_INVALID_ARG_TYPE';
export const VALUE = 'ERR_INVALID_ARG_VALUE';
export const RANGE = 'ERR_OUT_OF_RANGE';

export interface Wrong {
  readonly verb: string;
  readonly argument: string;
  readonly value: unknown;
  readonly code: string;
  readonly call: (subject: Subject) => unknown;
}

export interface Subject {
  readonly numa: Numa;
  readonly buffer: MappedBuffer;
}

export type WrongValue = readonly [value: unknown, code: string];

export const integers = (max: number): WrongValue[] => [
  ['1', TYPE],
  [1n, TYPE],
  [null, TYPE],
  [{}, TYPE],
  [true, TYPE],
  [Number.NaN, RANGE],
  [Number.POSITIVE_INFINITY, RANGE],
  [-1, RANGE],
  [0.5, RANGE],
  [max + 1, RANGE],
  [2 ** 53, RANGE],
];

export const NODES: readonly WrongValue[] = [
  [undefined, TYPE],
  [null, TYPE],
  [true, TYPE],
  [1n, TYPE],
  [{}, TYPE],
  [['0'], TYPE],
  [() => 0, TYPE],
  ['x', VALUE],
  ['0-', VALUE],
  ['1024', VALUE],
  ['+', VALUE],
  [-1, RANGE],
  [0.5, RANGE],
  [Number.NaN, RANGE],
  [1024, RANGE],
  [[0, -1], RANGE],
  [`+${UNKNOWN_NODE}`, RANGE],
];
export const NO_NODE: readonly WrongValue[] = [
  ['', VALUE],
  [[], VALUE],
  ['!all', VALUE],
];
export const ONE_NODE: readonly WrongValue[] = [
  ['', RANGE],
  [[], RANGE],
  ['!all', RANGE],
  ['0-1', RANGE],
  [[0, 1], RANGE],
];
export const ABSENT_NODES: readonly WrongValue[] = [
  [UNKNOWN_NODE, RANGE],
  [[firstNode, UNKNOWN_NODE], RANGE],
];
export const BY: readonly WrongValue[] = [
  [1, TYPE],
  [null, TYPE],
  ['slit', VALUE],
];
export const CPUS: readonly WrongValue[] = [
  [undefined, TYPE],
  [null, TYPE],
  [true, TYPE],
  [['0'], TYPE],
  [-1, RANGE],
  [[-1], RANGE],
  [[0.5], RANGE],
  [[8192], RANGE],
  ['+8191', RANGE],
  ['8192', VALUE],
  ['0-', VALUE],
  ['!all', VALUE],
  ['', VALUE],
  [[], VALUE],
  [CpuMask.empty, VALUE],
];
export const WEIGHTS: readonly WrongValue[] = [
  [undefined, TYPE],
  [null, TYPE],
  [3, TYPE],
  ['auto', TYPE],
  [[3, 1], TYPE],
  [new Map([[0, 1]]), TYPE],
  [{ 0: '3' }, TYPE],
  [{}, VALUE],
  [{ first: 3 }, VALUE],
  [{ '00': 3 }, VALUE],
  [{ 1024: 3 }, VALUE],
  [{ 0: 0 }, RANGE],
  [{ 0: 256 }, RANGE],
  [{ 0: 1.5 }, RANGE],
];
export const PAGE_NODES: readonly WrongValue[] = [
  [undefined, TYPE],
  [null, TYPE],
  [0, TYPE],
  ['0-1', TYPE],
  [{}, TYPE],
  [NodeMask.of(0), TYPE],
  [[], RANGE],
  [[firstNode], RANGE],
  [new Int32Array(100_000), RANGE],
];
export const SHARES: readonly WrongValue[] = [
  [undefined, TYPE],
  [1, TYPE],
  [[], TYPE],
  [{}, VALUE],
  [{ weights: { 0: 1 }, partsBytes: { 0: 4096 } }, VALUE],
];
export const PARTS: readonly WrongValue[] = [
  [null, TYPE],
  [4096, TYPE],
  [{}, VALUE],
  [{ [firstNode]: 0 }, RANGE],
  [{ [firstNode]: 1 }, RANGE],
  [{ [firstNode]: 2 ** 40 }, RANGE],
  [{ [UNKNOWN_NODE]: 4096 }, RANGE],
];
export const FUNCTIONS: readonly WrongValue[] = [
  [undefined, TYPE],
  [null, TYPE],
  [{}, TYPE],
  ['run', TYPE],
];
export const MACHINES: readonly WrongValue[] = [
  [{}, TYPE],
  [null, TYPE],
  ['four-nodes', TYPE],
  [{ name: 'x', nodes: [], distances: [] }, TYPE],
];

export const BACKENDS: readonly WrongValue[] = [
  [null, TYPE],
  [1, TYPE],
  [{}, TYPE],
  ['', VALUE],
  ['Native', VALUE],
];
/** What throws where it is looked at. */
const revoked = Proxy.revocable({}, {});
revoked.revoke();

class OddName {
  static readonly name: unknown = Symbol('odd');
  readonly member = 1;
}

export const OPTIONS: readonly WrongValue[] = [
  [revoked.proxy, VALUE],
  [OddName, TYPE],
  [null, TYPE],
  [7, TYPE],
  ['all', TYPE],
  [[], TYPE],
  [() => {}, TYPE],
];
export const BOOLEANS: readonly WrongValue[] = [
  [null, TYPE],
  [0, TYPE],
  ['true', TYPE],
  [{}, TYPE],
];
export const SIGNALS: readonly WrongValue[] = [
  [revoked.proxy, TYPE],
  [Object.create(AbortSignal.prototype), TYPE],
  [new OddName(), TYPE],
  [null, TYPE],
  [{ aborted: false }, TYPE],
  [true, TYPE],
];
export const WORDS: readonly WrongValue[] = [
  [null, TYPE],
  [1, TYPE],
  ['', VALUE],
  ['OWN', VALUE],
  ['toString', VALUE],
];
export const POLICIES: readonly WrongValue[] = [
  [undefined, TYPE],
  [Object.create(Object.getPrototypeOf(bind(0))), TYPE],
  [null, TYPE],
  ['bind', TYPE],
  [{ mode: 'bind', nodes: '0' }, TYPE],
  [bind, TYPE],
];
export const FORBIDDEN_POLICIES: readonly WrongValue[] = [
  [bind(UNKNOWN_NODE), RANGE],
  [bind([firstNode, UNKNOWN_NODE]), RANGE],
  [bind('!all'), VALUE],
  [bind(`+${UNKNOWN_NODE}`), RANGE],
];

/** Rows of one argument of one verb. */
export function rows(
  verb: string,
  argument: string,
  values: readonly WrongValue[],
  call: (subject: Subject, value: never) => unknown,
): Wrong[] {
  return values.map(([value, code]) => {
    return { verb, argument, value, code, call: (subject) => call(subject, value as never) };
  });
}
