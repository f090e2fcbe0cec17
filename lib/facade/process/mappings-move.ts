/**
 * The way of a move over some mappings of a process, in steps that keep within a pause budget. What
 * has nothing to move takes no step, and no rest.
 *
 * Source: move_pages(2) with a pid; mm/migrate.c, do_pages_move(). Statuses are the kernel's, page
 * by page; a mapping that the process unmaps or changes meanwhile is told as it was found.
 */

import { setTimeout } from 'node:timers/promises';
import type { PageSpan } from '../../backend/backend.ts';
import { withJson } from '../../core/json.ts';
import type { MappingMigration } from '../../core/migration-report.ts';
import type { NodeId } from '../../core/node-mask.ts';
import { abortOf, isOver, type Stop } from '../pages/attempt-pages.ts';
import { MigrationTally, type MigrationTotals } from '../pages/migration-tally.ts';
import {
  type Chunk,
  locateChunk,
  moveChunk,
  moveLocated,
  stepPageCount,
  stepsOf,
} from '../pages/move-chunk.ts';
import { PauseBudget } from '../pages/pause-budget.ts';
import { Turns } from '../pages/present-parts.ts';
import type { PagesOfProcess } from '../pages/residency.ts';
import type { MigrationPlan, PlannedMapping } from './migration-plan.ts';
import { type NodeMoves, targetOf } from './node-moves.ts';
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

type End = Stop | { readonly kind: 'gone'; readonly reason: unknown };

/** One mapping on its way. */
interface MovingMapping {
  readonly mapping: PlannedMapping;
  readonly range: PagesOfProcess;
  readonly tally: MigrationTally;
  /** Pages so far that were neither to be moved nor on a target. */
  notSelected: number;
}

/** The state of one move over all its mappings. */
export class MappingsMove {
  readonly budget: PauseBudget;
  readonly #files: ProcessFiles;
  readonly #plan: MigrationPlan;
  readonly #request: MoveMappingsRequest;
  readonly #syscalls: Record<string, number> = {};
  #end: End | undefined;
  #bytesDone = 0;
  #movedBytes = 0;

  constructor(files: ProcessFiles, plan: MigrationPlan, request: MoveMappingsRequest) {
    this.#files = files;
    this.#plan = plan;
    this.#request = request;
    this.budget = new PauseBudget(
      request.pauseBudgetMs,
      files.backend.pageSizeBytes,
      stepPageCount(files.backend.pageSizeBytes),
    );
  }

  get syscalls(): Readonly<Record<string, number>> {
    return Object.freeze({ ...this.#syscalls });
  }

  /** What ended it, or keeps pages from being tried. An abort counts up to the last moment. */
  get end(): End | undefined {
    if (!this.#isOver) this.#end = abortOf(this.#request.signal) ?? this.#end;
    return this.#end;
  }

  async moveMapping(mapping: PlannedMapping): Promise<MappingMigration> {
    const { backend, pid } = this.#files;
    const pageCount = mapping.lengthBytes / backend.pageSizeBytes;
    const range = { backend, pid, address: mapping.start, pageCount };
    const tally = new MigrationTally();
    const part = { mapping, range, tally, notSelected: 0 };
    const turns = new Turns();
    for (const span of stepsOf(range, stepPageCount(range.backend.pageSizeBytes))) {
      if (turns.areDue) await turns.take();
      if (!(await this.#mayGoOn())) break;
      if (span.isAbsent) tally.addAbsent(span.pageCount);
      else await this.#moveSpan(part, span);
    }
    this.#bytesDone += mapping.bytesToMove;
    tally.addUnknown(pageCount - tally.pagesDone);
    return this.#concludeMapping(mapping, tally.totals(), part.notSelected);
  }

  get #isOver(): boolean {
    return this.#end?.kind === 'gone' || isOver(this.#end);
  }

  async #mayGoOn(): Promise<boolean> {
    const { end } = this;
    if (end?.kind === 'gone' || isOver(end)) return false;
    try {
      await this.#request.checkAlive();
    } catch (reason) {
      this.#end = { kind: 'gone', reason };
    }
    return !this.#isOver;
  }

  /** Locates a span, passes over what has nothing to move, and moves the rest in steps. */
  async #moveSpan(part: MovingMapping, span: PageSpan): Promise<void> {
    const before = await locateChunk({ ...part, span });
    if (!(before instanceof Int32Array)) {
      if (!this.#isOver) this.#end = before;
      return;
    }
    const { targets } = targetsFor(before, this.#plan);
    let hasRested = false;
    for (let at = 0; at < span.pageCount && !this.#isOver; ) {
      const next = this.#end === undefined ? nextToMove(before, targets, at) : span.pageCount;
      const end = next > at ? next : this.#endOfStep(part, span, at);
      const chunk = this.#chunkOf(part, span, at, end);
      if (next > at) {
        this.#end = (await moveLocated(chunk, before.subarray(at, end), this.#stop)) ?? this.#end;
      } else {
        if (hasRested && !(await this.#mayGoOn())) break;
        // Pages that have waited through a rest are asked again where they are.
        await this.#moveStep(chunk, hasRested ? undefined : before.subarray(at, end));
        hasRested = true;
      }
      at = end;
      await this.#reportProgress(part);
    }
  }

  /** Steps end at multiples of their size, so that no huge page lies in two. */
  #endOfStep({ mapping }: MovingMapping, { address, pageCount }: PageSpan, at: number): number {
    const { pageSizeBytes } = this.#files.backend;
    const wanted = this.budget.pageCount({ mayBeHuge: mayBeHuge(mapping) });
    const page = Number(address / BigInt(pageSizeBytes)) + at;
    return Math.min(at + wanted - (page % wanted), pageCount);
  }

  #chunkOf(part: MovingMapping, { address }: PageSpan, at: number, end: number): Chunk {
    const { range, tally } = part;
    const { flags, signal } = this.#request;
    return {
      range,
      span: {
        address: address + BigInt(at) * BigInt(range.backend.pageSizeBytes),
        pageCount: end - at,
      },
      flags,
      signal,
      tally,
      countCall: () => tally.countSyscall('move_pages'),
      targetsOf: (before) => {
        const { targets, notSelected } = targetsFor(before, this.#plan);
        part.notSelected += notSelected;
        return targets;
      },
    };
  }

  async #moveStep(chunk: Chunk, before: Int32Array | undefined): Promise<void> {
    const { tally, range } = chunk;
    const { moved, busy } = tally;
    const startMs = performance.now();
    const stop =
      before === undefined
        ? await moveChunk(chunk, this.#stop)
        : await moveLocated(chunk, before, this.#stop);
    this.#end = stop ?? this.#end;
    const movedPages = tally.moved - moved;
    this.#movedBytes += movedPages * range.backend.pageSizeBytes;
    const triedPages = movedPages + tally.busy - busy;
    const restMs = this.budget.add(performance.now() - startMs, triedPages);
    if (restMs > 0 && !this.#isOver) await this.#rest(restMs);
  }

  /** Ends early when the signal does: the next step sees it. */
  async #rest(durationMs: number): Promise<void> {
    const { signal } = this.#request;
    const options = signal === undefined ? {} : { signal };
    await setTimeout(durationMs, undefined, options).catch(() => {});
  }

  get #stop(): Stop | undefined {
    return this.#end?.kind === 'gone' ? undefined : this.#end;
  }

  /** A callback that fails ends the move like an abort: its error is the cause. */
  async #reportProgress({ mapping, tally, range }: MovingMapping): Promise<void> {
    const share = tally.pagesDone / range.pageCount;
    const bytesDone = this.#bytesDone + Math.floor(mapping.bytesToMove * share);
    const { bytesToMove: bytesTotal } = this.#plan;
    try {
      const progress = { bytesDone, bytesTotal, movedBytes: this.#movedBytes, mapping };
      await this.#request.onProgress?.(progress);
    } catch (reason) {
      if (!this.#isOver) this.#end = { kind: 'aborted', reason };
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
    // Some of those that were to stay may have gone since they were looked at.
    const stayed = Math.min(notSelected, pages.alreadyThere);
    const alreadyThere = pages.alreadyThere - stayed;
    const counts = Object.freeze({ ...pages, alreadyThere, notSelected: stayed });
    const part = { start, end, kind, name, pages: counts, failedBy, before, after };
    return Object.freeze(withJson(part));
  }
}

/** Private memory tells its huge pages; a file's may be in large folios that nobody tells of. */
function mayBeHuge({ kind, hugeBytes }: PlannedMapping): boolean {
  const isPrivate = kind === 'anonymous' || kind === 'heap' || kind === 'stack';
  return !isPrivate || hugeBytes > 0;
}

/** The first page from an index on that is to move. */
function nextToMove(before: Int32Array, targets: Int32Array, index: number): number {
  let at = index;
  while (at < before.length && ((before[at] as number) < 0 || before[at] === targets[at])) at += 1;
  return at;
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
