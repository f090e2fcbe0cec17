/** What the verbs of a range take besides the range itself. */

import type { Access } from '../../backend/backend.ts';
import type { MigrationProgress } from '../../core/migration-report.ts';
import type { NodeExpression } from '../../core/node-mask.ts';
import type { RangeOptions } from '../pages/page-range.ts';

export interface ResidencyOptions extends RangeOptions {
  /** Ends the look with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface MigrateOptions extends RangeOptions {
  /** The one node to move to. */
  readonly to: NodeExpression;
  /** Reject when a present page is not on the node afterwards; the error carries the report. */
  readonly strict?: boolean;
  /** Also move pages that other processes share (`MPOL_MF_MOVE_ALL`, CAP_SYS_NICE). */
  readonly includeShared?: boolean;
  /** Ends the move at the next of its system calls; the AbortError carries the report, in which the
   *  pages behind it are `notAttempted`. An abort before the promise settles always rejects. */
  readonly signal?: AbortSignal;
  /** Called after each step, of at most 8 MiB or one huge page, full nodes or not; a promise is
   *  waited for. Its error ends the move like an abort. */
  readonly onProgress?: (progress: MigrationProgress) => unknown;
}

export interface TouchOptions extends RangeOptions {
  /** `write` gives each page memory of its own, `read` maps the shared page of zeros. */
  readonly access?: Access;
}
