/**
 * Whose memory a range is: what its verbs ask of an owner (owned-mapping.ts, viewed-memory.ts), and
 * the pages that a call is about, looked at while the memory is there.
 */

import type { Access } from '../../backend/backend.ts';
import type { Mapping } from '../../backend/mapping.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import type { NumaError } from '../../core/errors.ts';
import type { Context } from '../context.ts';
import type { Ending } from '../pages/attempt-pages.ts';
import { checkPageRange, type PageRange, type RangeOptions } from '../pages/page-range.ts';
import type { PagesOfProcess } from '../pages/residency.ts';

export interface RangeOwner {
  /** First whole page. */
  readonly address: bigint;
  readonly lengthBytes: number;
  /** Kept mapped while a call runs; memory that others map has none. */
  readonly mapping?: Mapping;
  readonly isReleased: boolean;
  /** Why a verb cannot be asked for any more. */
  lossOf(verb: string): NumaError | undefined;
  /** What ends a verb of several calls before its next one. */
  endingOf(verb: string, signal: AbortSignal | undefined): Ending | undefined;
  /** Keeps the memory while several calls run. */
  hold<T>(run: (mapping: Mapping | undefined) => Promise<T>): Promise<T>;
  /** Comes before each change of a policy. */
  willSetPolicy(range: PageRange): void;
  touch(offsetBytes: number, lengthBytes: number, access: Access): SyscallResult<undefined>;
  /** Gives the memory up; once is enough. */
  release(): void;
}

/** @throws NumaError NUMA_RELEASED */
export function checkLive(owner: RangeOwner, verb: string): void {
  const loss = owner.lossOf(verb);
  if (loss !== undefined) throw loss;
}

/** @throws NumaError NUMA_RELEASED; TypeError, RangeError for a range that is none of it */
export function liveRange(
  { backend }: Context,
  owner: RangeOwner,
  verb: string,
  options: RangeOptions,
): PageRange {
  checkLive(owner, verb);
  return checkPageRange(options, owner, backend.pageSizeBytes);
}

/** The pages for calls of this process. */
export function rangePages(
  { backend }: Context,
  owner: RangeOwner,
  { address, pageCount }: PageRange,
  mapping: Mapping | undefined = owner.mapping,
): PagesOfProcess {
  const kept = mapping === undefined ? {} : { mapping };
  return { backend, pid: 0, ...kept, address, pageCount };
}
