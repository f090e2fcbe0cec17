/** The options of `migrate()` and `plan()` of a range, checked: what is to move, and how. */

import type { PageSpan } from '../../backend/backend.ts';
import { invalidArgumentValue, outOfRange } from '../../core/argument-errors.ts';
import {
  checkArray,
  checkBoolean,
  checkCallback,
  checkOptions,
  checkSignal,
  checkWord,
  reading,
} from '../../core/check-arguments.ts';
import type { MigrationProgress } from '../../core/migration-report.ts';
import type { NodeId } from '../../core/node-mask.ts';
import { MPOL_MF } from '../../core/uapi.ts';
import type { Context } from '../context.ts';
import {
  checkPageRange,
  type PageRange,
  RANGE_OPTION_NAMES,
  type RangeOptions,
} from '../pages/page-range.ts';
import { checkBudget } from '../pages/pause-budget.ts';
import { type CheckedPromise, checkPromise, PROMISE_NAMES } from './move-ways.ts';
import type { MigrateOptions, MoveSelection, OnFull, PlanMoveOptions } from './range-options.ts';

const SELECTION_NAMES = [...RANGE_OPTION_NAMES, 'to', 'exclude'] as const;
const HOW_NAMES = [
  ...PROMISE_NAMES,
  'strict',
  'includeShared',
  'pauseBudgetMs',
  'retryBusyMs',
  'onFull',
] as const;
const ON_FULL: readonly OnFull[] = ['partial', 'fail', 'spill'];

/** Memory, as ranges are checked against it. */
interface Extent {
  readonly address: bigint;
  readonly lengthBytes: number;
}

/** Pages that move, and their target. */
export interface CheckedSelection {
  readonly target: NodeId;
  readonly range: PageRange;
  /** Of the range, without what is excluded. */
  readonly parts: readonly PageSpan[];
}

/** How a move is made. */
export interface CheckedMove {
  readonly isStrict: boolean;
  readonly isShared: boolean;
  /** `MPOL_MF_MOVE` or `MPOL_MF_MOVE_ALL`. */
  readonly flags: number;
  readonly pauseBudgetMs: number;
  readonly retryBusyMs: number;
  readonly onFull: OnFull;
  readonly promise: CheckedPromise;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: MigrationProgress) => unknown) | undefined;
}

/** @throws TypeError, RangeError */
export function checkMigrateOptions(
  context: Context,
  options: MigrateOptions,
): { readonly move: CheckedMove; readonly selection: Partial<MoveSelection>; target: NodeId } {
  const names = [...SELECTION_NAMES, ...HOW_NAMES, 'signal', 'onProgress'] as const;
  const checked = checkOptions(options, 'options', names);
  const { strict, includeShared, pauseBudgetMs, retryBusyMs, onFull, ...rest } = checked;
  const { signal, onProgress, concurrency, mayBePinned, way, ...selection } = rest;
  const isShared = checkBoolean(includeShared, 'options.includeShared');
  const move = {
    isStrict: checkBoolean(strict, 'options.strict'),
    isShared,
    flags: isShared ? MPOL_MF.MOVE_ALL : MPOL_MF.MOVE,
    pauseBudgetMs: checkBudget(pauseBudgetMs),
    retryBusyMs: checkRetry(retryBusyMs),
    promise: checkPromise({ concurrency, mayBePinned, way }, isShared),
    onFull: onFull === undefined ? 'partial' : checkWord(onFull, 'options.onFull', ON_FULL),
    signal: checkSignal(signal, 'options.signal'),
    onProgress: checkCallback(onProgress, 'options.onProgress'),
  };
  return { move, selection, target: context.resolveOne(selection.to, 'options.to') };
}

/** @throws TypeError, RangeError */
export function checkPlanOptions(
  context: Context,
  options: PlanMoveOptions,
): {
  signal: AbortSignal | undefined;
  promise: CheckedPromise;
  selection: Partial<MoveSelection>;
  target: NodeId;
} {
  const names = [...SELECTION_NAMES, ...PROMISE_NAMES, 'signal'] as const;
  const checked = checkOptions(options, 'options', names);
  const { signal, concurrency, mayBePinned, way, ...selection } = checked;
  const promise = checkPromise({ concurrency, mayBePinned, way }, false);
  const target = context.resolveOne(selection.to, 'options.to');
  return { signal: checkSignal(signal, 'options.signal'), promise, selection, target };
}

/** The pages of a selection. @throws TypeError, RangeError */
export function partsOfSelection(
  { exclude, offsetBytes, lengthBytes }: Partial<MoveSelection>,
  memory: Extent,
  pageSizeBytes: number,
): { readonly range: PageRange; readonly parts: readonly PageSpan[] } {
  const given = {
    ...(offsetBytes === undefined ? {} : { offsetBytes }),
    ...(lengthBytes === undefined ? {} : { lengthBytes }),
  };
  const range = checkPageRange(given, memory, pageSizeBytes);
  const excluded = exclusionsOf(exclude, memory, pageSizeBytes);
  const parts = without(range, excluded, pageSizeBytes);
  if (parts.length > 0) return { range, parts };
  throw outOfRange('options.exclude', 'it must leave a page of the range', exclude);
}

/** Ascending by address. */
function exclusionsOf(
  exclude: MoveSelection['exclude'],
  memory: Extent,
  pageSizeBytes: number,
): PageRange[] {
  if (exclude === undefined) return [];
  const argument = 'options.exclude';
  const isList = reading(exclude, argument, () => Array.isArray(exclude));
  const items = isList ? checkArray(exclude, argument) : [exclude];
  return items
    .map((item, index) => {
      const name = isList ? `${argument}[${index}]` : argument;
      const options = checkOptions(item as RangeOptions, name, RANGE_OPTION_NAMES);
      return checkPageRange(options, memory, pageSizeBytes, name);
    })
    .sort((a, b) => (a.address < b.address ? -1 : 1));
}

function without(
  { address, pageCount }: PageSpan,
  excluded: readonly PageSpan[],
  pageSizeBytes: number,
): PageSpan[] {
  const size = BigInt(pageSizeBytes);
  const endOf = (span: PageSpan): bigint => span.address + BigInt(span.pageCount) * size;
  const end = endOf({ address, pageCount });
  const parts: PageSpan[] = [];
  let at = address;
  for (const span of [...excluded, { address: end, pageCount: 0 }]) {
    const until = span.address < end ? span.address : end;
    if (until > at) parts.push({ address: at, pageCount: Number((until - at) / size) });
    if (endOf(span) > at) at = endOf(span);
  }
  return parts;
}

function checkRetry(value: unknown): number {
  if (value === undefined) return 0;
  if (typeof value === 'number' && value >= 0) return value;
  const rule = 'must be a number of milliseconds, 0 or more';
  throw invalidArgumentValue('options.retryBusyMs', rule, value);
}
