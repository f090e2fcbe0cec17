/**
 * Moves some mappings of a process, page by page, in steps that keep within a pause budget.
 *
 * Source: move_pages(2) with a pid; mm/migrate.c, do_pages_move(). Statuses are the kernel's, page
 * by page; a mapping that the process unmaps or changes meanwhile is told as it was found.
 */

import { setTimeout } from 'node:timers/promises';
import type { PageSpan } from '../../backend/backend.ts';
import type { SyscallFailure } from '../../backend/syscall-result.ts';
import type {
  MappingMigration,
  MappingsMigrationReport,
  SelectedPages,
} from '../../core/migration-report.ts';
import type { NodeId } from '../../core/node-mask.ts';
import { MigrationTally, type MigrationTotals, NO_PAGES } from '../migration-tally.ts';
import { moveChunk, type Stop } from '../move-chunk.ts';
import type { PagesOfProcess } from '../residency.ts';
import type { MigrationPlan, PlannedMapping } from './migration-plan.ts';
import { type NodeMoves, targetOf } from './node-moves.ts';
import { PauseBudget } from './pause-budget.ts';
import type { ProcessFiles } from './process-files.ts';

/** How far a move of mappings has come. */
export interface MappingsProgress {
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** Moved so far. */
  readonly movedBytes: number;
  /** The mapping that is being moved. */
  readonly mapping: PlannedMapping;
}

export interface MoveMappingsRequest {
  /** `MPOL_MF_MOVE` or `MPOL_MF_MOVE_ALL`. */
  readonly flags: number;
  /** Longest step in milliseconds; infinite for none. */
  readonly pauseBudgetMs: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: MappingsProgress) => unknown) | undefined;
  /** Looks whether the pid is still the process's; its error ends the move. */
  readonly checkAlive: () => Promise<void>;
}

/** How it ended; the report accounts for every page in each case. */
export interface MoveMappingsOutcome {
  readonly report: MappingsMigrationReport;
  readonly failure?: SyscallFailure;
  /** What ended it: the signal's reason, or what `onProgress` or `checkAlive` threw. */
  readonly abortReason?: unknown;
  /** The process ended, or another one has its pid. */
  readonly gone?: unknown;
}

type End = Stop | { readonly kind: 'gone'; readonly reason: unknown };

/** Moves what a plan says. Never rejects: the caller decides which ends are errors. */
export async function moveMappings(
  files: ProcessFiles,
  plan: MigrationPlan,
  request: MoveMappingsRequest,
): Promise<MoveMappingsOutcome> {
  const startNs = process.hrtime.bigint();
  const move = new MappingsMove(files, plan, request);
  const parts: MappingMigration[] = [];
  for (const mapping of plan.mappings) parts.push(await move.moveMapping(mapping));
  const { pages, failedBy, before, after } = sumOf(parts);
  const { end } = move;
  const { busy, noMemory, notAttempted, failed } = pages;
  const report: MappingsMigrationReport = Object.freeze({
    pid: plan.pid,
    from: plan.from,
    to: plan.to,
    pageSizeBytes: files.backend.pageSizeBytes,
    pages,
    failedBy,
    before,
    after,
    mappings: parts,
    complete: busy + noMemory + notAttempted + failed === 0,
    aborted: end?.kind === 'aborted',
    method: 'move_pages',
    syscalls: move.syscalls,
    steps: { count: move.budget.stepCount, longestNs: Math.round(move.budget.longestMs * 1e6) },
    durationNs: Number(process.hrtime.bigint() - startNs),
    backend: files.backend.identity.kind,
  });
  if (end?.kind === 'failed') return { report, failure: end.failure };
  if (end?.kind === 'gone') return { report, gone: end.reason };
  if (end?.kind === 'aborted') return { report, abortReason: end.reason };
  return { report };
}

/** One mapping on its way. */
interface MovingMapping {
  readonly range: PagesOfProcess;
  readonly tally: MigrationTally;
  readonly isOfPool: boolean;
  /** Pages so far that were neither to be moved nor on a target. */
  notSelected: number;
}

/** The state of one move over all its mappings. */
class MappingsMove {
  end: End | undefined;
  readonly budget: PauseBudget;
  readonly #files: ProcessFiles;
  readonly #plan: MigrationPlan;
  readonly #request: MoveMappingsRequest;
  readonly #syscalls: Record<string, number> = {};
  #bytesDone = 0;
  #movedBytes = 0;

  constructor(files: ProcessFiles, plan: MigrationPlan, request: MoveMappingsRequest) {
    this.#files = files;
    this.#plan = plan;
    this.#request = request;
    this.budget = new PauseBudget(request.pauseBudgetMs, files.backend.pageSizeBytes);
  }

  get syscalls(): Readonly<Record<string, number>> {
    return Object.freeze({ ...this.#syscalls });
  }

  async moveMapping(mapping: PlannedMapping): Promise<MappingMigration> {
    const { backend, pid } = this.#files;
    const pageCount = mapping.lengthBytes / backend.pageSizeBytes;
    const range = { backend, pid, address: mapping.start, pageCount };
    const tally = new MigrationTally();
    const part = { range, tally, isOfPool: mapping.kind === 'hugetlb', notSelected: 0 };
    for (let index = 0; index < pageCount && !this.#isOver; ) {
      await this.#beginStep();
      if (this.#isOver) break;
      const span = this.#spanAt(range, index, mayBeHuge(mapping));
      const movedBefore = tally.moved;
      await this.#moveSpan(part, span);
      index += span.pageCount;
      this.#movedBytes += (tally.moved - movedBefore) * backend.pageSizeBytes;
      await this.#reportProgress(mapping, index / pageCount);
    }
    this.#bytesDone += mapping.bytesToMove;
    tally.addUnknown(pageCount - tally.pagesDone);
    return this.#concludeMapping(mapping, tally.totals(), part.notSelected);
  }

  /** A full node is worth a look at the rest: its pages stay where they are, and are counted. */
  get #isOver(): boolean {
    return this.end !== undefined && this.end.kind !== 'no-memory';
  }

  async #beginStep(): Promise<void> {
    const { signal, checkAlive } = this.#request;
    if (signal?.aborted) {
      this.end = { kind: 'aborted', reason: signal.reason };
      return;
    }
    try {
      await checkAlive();
    } catch (reason) {
      this.end = { kind: 'gone', reason };
    }
  }

  /** Steps end at multiples of their size, so that no huge page lies in two. */
  #spanAt(
    { backend, address, pageCount }: PagesOfProcess,
    index: number,
    mayBeHuge: boolean,
  ): PageSpan {
    const { pageSizeBytes } = backend;
    const start = address + BigInt(index) * BigInt(pageSizeBytes);
    const wanted = this.budget.pageCount({ mayBeHuge });
    const intoUnit = Number((start / BigInt(pageSizeBytes)) % BigInt(wanted));
    return { address: start, pageCount: Math.min(wanted - intoUnit, pageCount - index) };
  }

  async #moveSpan(part: MovingMapping, span: PageSpan): Promise<void> {
    const startMs = performance.now();
    const targetsOf = (before: Int32Array): Int32Array => {
      const { targets, notSelected } = targetsFor(before, this.#plan);
      part.notSelected += notSelected;
      return targets;
    };
    const { range, tally, isOfPool } = part;
    const { flags } = this.#request;
    const countCall = (): void => tally.countSyscall('move_pages');
    const chunk = { range, span, flags, tally, countCall, targetsOf, isOfPool };
    const stop = await moveChunk(chunk, this.#stop);
    this.end = stop ?? this.end;
    const restMs = this.budget.add(performance.now() - startMs, span.pageCount);
    if (restMs > 0 && !this.#isOver) await this.#rest(restMs);
  }

  /** Ends early when the signal does: the next step sees it. */
  async #rest(durationMs: number): Promise<void> {
    const { signal } = this.#request;
    const options = signal === undefined ? {} : { signal };
    await setTimeout(durationMs, undefined, options).catch(() => {});
  }

  get #stop(): Stop | undefined {
    return this.end?.kind === 'gone' ? undefined : this.end;
  }

  /** A callback that fails ends the move like an abort: its error is the cause. */
  async #reportProgress(mapping: PlannedMapping, share: number): Promise<void> {
    const bytesDone = this.#bytesDone + Math.floor(mapping.bytesToMove * share);
    const { bytesToMove: bytesTotal } = this.#plan;
    try {
      const progress = { bytesDone, bytesTotal, movedBytes: this.#movedBytes, mapping };
      await this.#request.onProgress?.(progress);
    } catch (reason) {
      this.end ??= { kind: 'aborted', reason };
    }
  }

  #concludeMapping(
    { start, end, kind, name }: PlannedMapping,
    { pages, failedBy, before, after, syscalls }: MigrationTotals,
    notSelected: number,
  ): MappingMigration {
    for (const [call, count] of Object.entries(syscalls)) {
      this.#syscalls[call] = (this.#syscalls[call] ?? 0) + count;
    }
    const alreadyThere = pages.alreadyThere - notSelected;
    const counts = Object.freeze({ ...pages, alreadyThere, notSelected });
    return Object.freeze({ start, end, kind, name, pages: counts, failedBy, before, after });
  }
}

/** Private memory tells its huge pages; a file's may be in large folios that nobody tells of. */
function mayBeHuge({ kind, hugeBytes }: PlannedMapping): boolean {
  const isPrivate = kind === 'anonymous' || kind === 'heap' || kind === 'stack';
  return !isPrivate || hugeBytes > 0;
}

/** Where each page goes. Absent ones have no place: any node that may be named will do. */
function targetsFor(
  before: Int32Array,
  moves: NodeMoves,
): { targets: Int32Array; notSelected: number } {
  const anywhere = moves.to.first as NodeId;
  const byNode = new Map<NodeId, NodeId>();
  let notSelected = 0;
  const targets = before.map((place) => {
    if (place < 0) return anywhere;
    let target = byNode.get(place);
    if (target === undefined) {
      target = targetOf(place, moves);
      byNode.set(place, target);
    }
    if (target === place && !moves.to.has(place)) notSelected += 1;
    return target;
  });
  return { targets, notSelected };
}

const NO_SELECTED_PAGES: SelectedPages = { ...NO_PAGES, notSelected: 0 };

function sumOf(
  parts: readonly MappingMigration[],
): Pick<MappingMigration, 'pages' | 'failedBy' | 'before' | 'after'> {
  return {
    pages: Object.freeze({
      ...NO_SELECTED_PAGES,
      ...sumCounts(parts.map((part) => part.pages)),
    }),
    failedBy: sumCounts(parts.map((part) => part.failedBy)),
    before: sumCounts(parts.map((part) => part.before)),
    after: sumCounts(parts.map((part) => part.after)),
  };
}

function sumCounts(records: readonly object[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const record of records) {
    for (const [name, count] of Object.entries(record)) {
      sums[name] = (sums[name] ?? 0) + (count as number);
    }
  }
  return Object.freeze(sums);
}
