/** What the verbs of a range take besides the range itself. */

import type { Access } from '../../backend/backend.ts';
import { checkBoolean, checkOptions, checkSignal, checkWord } from '../../core/check-arguments.ts';
import type { MigrationProgress } from '../../core/migration-report.ts';
import type { NodeExpression } from '../../core/node-mask.ts';
import { RANGE_OPTION_NAMES, type RangeOptions } from '../pages/page-range.ts';
import type { MovePromise } from './move-ways.ts';

export interface PageStatusOptions extends RangeOptions {
  /** Ends the look with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface ResidencyOptions extends PageStatusOptions {
  /** Tells how much is in huge pages, too: by smaps, for which the kernel looks at all memory of
   *  the process. Default false. */
  readonly hugePages?: boolean;
}

const LOOK_OPTION_NAMES = [...RANGE_OPTION_NAMES, 'signal'] as const;

interface CheckedLook {
  readonly signal: AbortSignal | undefined;
  readonly rangeOptions: RangeOptions;
}

/** @throws TypeError */
export function checkLookOptions(options: PageStatusOptions | undefined): CheckedLook {
  const { signal, ...rangeOptions } = checkOptions(options, 'options', LOOK_OPTION_NAMES);
  return { signal: checkSignal(signal, 'options.signal'), rangeOptions };
}

/** @throws TypeError */
export function checkResidencyOptions(
  options: ResidencyOptions | undefined,
): CheckedLook & { readonly withHugePages: boolean } {
  const names = [...LOOK_OPTION_NAMES, 'hugePages'] as const;
  const { hugePages, ...looked } = checkOptions(options, 'options', names);
  const withHugePages = checkBoolean(hugePages, 'options.hugePages');
  return { ...checkLookOptions(looked), withHugePages };
}

/** What a move does where its target has no room for all of it. */
export type OnFull = 'partial' | 'fail' | 'spill';

/** What is to move, and where to. */
export interface MoveSelection extends RangeOptions {
  /** The one node to move to. */
  readonly to: NodeExpression;
  /** Parts of the range that stay as they are, and are in no count. */
  readonly exclude?: RangeOptions | readonly RangeOptions[];
}

export interface PlanMoveOptions extends MoveSelection, MovePromise {
  /** Ends the look with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface MigrateOptions extends MoveSelection, MovePromise {
  /**
   * Longest step that is wanted, in milliseconds. Steps begin small and follow what they take, down
   * to one huge page; between them the move rests as long as a step took. Threads that touch a page
   * on its way wait for it. Default: as fast as possible.
   */
  readonly pauseBudgetMs?: number;
  /** Tries busy pages again for so long, in milliseconds: whoever looks at a page has it for a
   *  moment, pins last. Default 0. */
  readonly retryBusyMs?: number;
  /**
   * Where the target has no room: `partial` (default) moves what fits; `fail` looks at its free
   * memory first and moves nothing where that is too little, and rejects with NUMA_OUT_OF_MEMORY
   * also where it runs out on the way; `spill` takes what is left to the nearest node that has room
   * and is nearer to the target than where it is (not by copies).
   */
  readonly onFull?: OnFull;
  /** Reject when a present page is not on the node afterwards; the error carries the report. */
  readonly strict?: boolean;
  /** Also move pages that other processes share (`MPOL_MF_MOVE_ALL`, CAP_SYS_NICE). */
  readonly includeShared?: boolean;
  /** Ends the move at the next of its system calls; the AbortError carries the report, in which the
   *  pages behind it are `notAttempted`. An abort before the promise settles always rejects. */
  readonly signal?: AbortSignal;
  /** Called after each step, of at most 8 MiB (64 MiB of copies) or one huge page, full nodes or
   *  not; a promise is waited for. Its error ends the move like an abort. */
  readonly onProgress?: (progress: MigrationProgress) => unknown;
}

export interface TouchOptions extends RangeOptions {
  /** `write` gives each page memory of its own, `read` maps the shared page of zeros. */
  readonly access?: Access;
}

const TOUCH_OPTION_NAMES = [...RANGE_OPTION_NAMES, 'access'] as const;

/** @throws TypeError */
export function checkTouchOptions(options: TouchOptions | undefined): {
  readonly access: Access;
  readonly rangeOptions: RangeOptions;
} {
  const checked = checkOptions(options, 'options', TOUCH_OPTION_NAMES);
  const { access = 'write', ...rangeOptions } = checked;
  checkWord(access, 'options.access', ['read', 'write']);
  return { access, rangeOptions };
}
