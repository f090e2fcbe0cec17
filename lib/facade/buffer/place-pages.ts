/**
 * What is asked of a move of pages each to its own node, checked, and how it ends.
 */

import { invalidArgumentType, outOfRange } from '../../core/argument-errors.ts';
import { ints32, isInt32Array } from '../../core/call-arguments.ts';
import {
  checkBoolean,
  checkCallback,
  checkInteger,
  checkItems,
  checkOptions,
  checkSignal,
  newArray,
} from '../../core/check-arguments.ts';
import type { MigrationProgress, PlacementReport } from '../../core/migration-report.ts';
import { isNodeMask, NodeMask } from '../../core/node-mask.ts';
import { MPOL_MF, NODE_ID_MAX } from '../../core/uapi.ts';
import type { Context } from '../context.ts';
import { concludeMove } from '../errors/end-of-move.ts';
import type { Ending } from '../pages/attempt-pages.ts';
import { RANGE_OPTION_NAMES, type RangeOptions } from '../pages/page-range.ts';
import type { PagesOfProcess } from '../pages/residency.ts';
import { placeRange, STAYS } from './migrate-range.ts';

/** A node for each page of a range, in their order; -1 for pages that stay. */
export type PageNodes = Int32Array | readonly number[];

export interface PlaceOptions extends RangeOptions {
  /** Reject when a present page is not on its node afterwards; the error carries the report. */
  readonly strict?: boolean;
  /** Also move pages that other processes share (`MPOL_MF_MOVE_ALL`, CAP_SYS_NICE). */
  readonly includeShared?: boolean;
  /** Ends the move at the next of its system calls; the AbortError carries the report. */
  readonly signal?: AbortSignal;
  /** Called after each step, as that of `migrate()`. */
  readonly onProgress?: (progress: MigrationProgress) => unknown;
}

export interface CheckedPlaceOptions {
  readonly isStrict: boolean;
  readonly isShared: boolean;
  readonly flags: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: MigrationProgress) => unknown) | undefined;
  readonly rangeOptions: RangeOptions;
}

const OPTION_NAMES = [
  ...RANGE_OPTION_NAMES,
  ...(['strict', 'includeShared', 'signal', 'onProgress'] as const),
];

/** @throws TypeError */
export function checkPlaceOptions(options: PlaceOptions | undefined): CheckedPlaceOptions {
  const checked = checkOptions(options, 'options', OPTION_NAMES);
  const { strict, includeShared, signal, onProgress, ...rangeOptions } = checked;
  const isShared = checkBoolean(includeShared, 'options.includeShared');
  return {
    isStrict: checkBoolean(strict, 'options.strict'),
    isShared,
    flags: isShared ? MPOL_MF.MOVE_ALL : MPOL_MF.MOVE,
    signal: checkSignal(signal, 'options.signal'),
    onProgress: checkCallback(onProgress, 'options.onProgress'),
    rangeOptions,
  };
}

/** A copy, which nobody else can change. @throws TypeError, RangeError */
export function checkPageNodes(context: Context, nodes: unknown, pageCount: number): Int32Array {
  const targets = newArray(Int32Array, pageCount, 'nodes');
  const rule = 'an Int32Array or an array with a node for each page';
  if (typeof nodes !== 'object' || nodes === null || isNodeMask(nodes)) {
    throw invalidArgumentType('nodes', rule, nodes);
  }
  const items = isInt32Array(nodes)
    ? ints32(nodes, 'nodes')
    : checkItems(nodes, 'nodes', rule, pageCount);
  if (items.length !== pageCount) {
    throw outOfRange('nodes', `it must have one for each of the ${pageCount} pages`, nodes);
  }
  const named = new Set<number>();
  for (let page = 0; page < pageCount; page += 1) {
    const node = items[page];
    if (!named.has(node as number)) named.add(checkInteger(node, 'nodes', STAYS, NODE_ID_MAX));
    targets[page] = node as number;
  }
  named.delete(STAYS);
  const mask = NodeMask.from(named, 'nodes');
  context.checkAllowed(mask, 'nodes', `${mask}`);
  return targets;
}

interface PagesPlacement extends Omit<CheckedPlaceOptions, 'signal' | 'rangeOptions'> {
  readonly targets: Int32Array;
  readonly signal: Ending | undefined;
}

/** @throws what says why not, with the report */
export async function placePages(
  context: Context,
  pages: PagesOfProcess,
  { isStrict, isShared, flags, onProgress, targets, signal }: PagesPlacement,
): Promise<PlacementReport> {
  const outcome = await placeRange(pages, { flags, onProgress, targets, signal });
  const args = { pageCount: outcome.report.pages.total };
  const asked = `${args.pageCount} pages, each to its node`;
  const made = { privileged: isShared ? { argument: 'options.includeShared' } : undefined };
  const error = outcome.failure && context.error(outcome.failure, { asked, args, made });
  return concludeMove(outcome, { verb: 'place', name: 'placement', args, isStrict }, error);
}
