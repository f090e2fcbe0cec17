/**
 * The memory of a whole process, this one or another: where it is, where its threads run, and how
 * to move all or some of it.
 */

import type { PageSpan } from '../../backend/backend.ts';
import type { SyscallFailure } from '../../backend/syscall-result.ts';
import {
  checkBoolean,
  checkCallback,
  checkOptions,
  checkSignal,
} from '../../core/check-arguments.ts';
import type { CpuExpression } from '../../core/cpu-mask.ts';
import { ERRNO } from '../../core/errno.ts';
import type { NumaError } from '../../core/errors.ts';
import type { MappingsMigrationReport } from '../../core/migration-report.ts';
import type { NodeExpression } from '../../core/node-mask.ts';
import { MPOL_MF } from '../../core/uapi.ts';
import { isDenial } from '../capabilities/denial.ts';
import type { Context } from '../context.ts';
import { concludeMove } from '../errors/end-of-move.ts';
import { checkBudget } from '../pages/pause-budget.ts';
import type { PagesOfProcess, PlacedRun } from '../pages/residency.ts';
import { locateParts, newPlaces, PlacedRuns, rangeOf } from './locate-pages.ts';
import { checkFilters, type MappingFilters } from './mapping-filter.ts';
import type { MappingsProgress } from './mappings-move.ts';
import { migrateAtOnce, type ProcessMigrationReport } from './migrate-at-once.ts';
import { type MoveMappingsOutcome, moveMappings } from './migrate-mappings.ts';
import {
  emptyPlan,
  type MappingSelection,
  type MigrationPlan,
  type PlanOptions,
  planMigration,
  SELECTION_MEMBERS,
} from './migration-plan.ts';
import { nodeMoves } from './node-moves.ts';
import {
  type SetAffinityOptions,
  setProcessAffinity,
  type ThreadAffinity,
} from './process-affinity.ts';
import { checkSameProcess, type ProcessFiles, readProcessStat } from './process-files.ts';
import { type ProcessMapping, readMappings } from './process-mappings.ts';
import { type ProcessRequest, refusalOf, withoutMemory } from './process-refusal.ts';
import { type ProcessResidency, readResidency } from './process-residency.ts';
import { type ProcessSnapshot, type SnapshotOptions, takeSnapshot } from './process-snapshot.ts';
import { type ProcessThread, readThreads } from './process-threads.ts';

/** Of verbs that look. */
export interface LookOptions {
  /** Ends the look with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface ProcessMigrateOptions {
  /** Nodes whose pages move. Default: all but the `to` nodes. */
  readonly from?: NodeExpression;
  /** Nodes that they move to. */
  readonly to: NodeExpression;
  /** Keeps the call from being made; the call itself cannot be ended. */
  readonly signal?: AbortSignal;
}

export interface MigrateMappingsOptions extends MappingSelection {
  /**
   * Longest time in milliseconds that a step of the move should take: threads of the process that
   * touch a page on its way wait for it. Between steps the move rests as long as the step took.
   * Default: as fast as possible.
   */
  readonly pauseBudgetMs?: number;
  /** Moves pages that other processes map too; needs CAP_SYS_NICE. */
  readonly includeShared?: boolean;
  /** Rejects when a present page that was to move is not on its target; shared ones are such. */
  readonly strict?: boolean;
  /** Ends the move at the next step, and before it the look at the mappings; the AbortError carries
   *  the report, in which the pages behind it are `notAttempted`. */
  readonly signal?: AbortSignal;
  /** Called after each step, of at most 8 MiB; a promise is waited for. Its error ends the move
   *  like an abort. */
  readonly onProgress?: (progress: MappingsProgress) => unknown;
}

export class ProcessMemory {
  /** The process id. */
  readonly pid: number;
  readonly #context: Context;
  readonly #files: ProcessFiles;

  /** @internal Use `numa.process()`. */
  constructor(context: Context, pid: number) {
    this.#context = context;
    this.pid = pid;
    this.#files = { backend: context.backend, pid };
  }

  /**
   * Where its memory is, by node and by kind, in bytes. The kernel walks the page tables for it; no
   * page is touched.
   * @throws NumaError NUMA_NO_SUCH_PROCESS, NUMA_NOT_PERMITTED (another user's, or not dumpable),
   *   NUMA_UNSUPPORTED (no /proc); the signal's reason
   * Source: numa(7), numa_maps; proc_pid_maps(5).
   */
  async residency(options?: LookOptions): Promise<ProcessResidency> {
    return readResidency(this.#filesUntil(options));
  }

  /**
   * Its mappings, ascending, each with its pages by node.
   * @param filter which, or several of which one must be met; default all
   * @throws TypeError, RangeError for a wrong filter; NumaError as `residency`
   * Source: numa(7), numa_maps; proc_pid_smaps(5).
   */
  async mappings(filter?: MappingFilters, options?: LookOptions): Promise<ProcessMapping[]> {
    const { test } = checkFilters(filter, 'filter', this.#context);
    return (await readMappings(this.#filesUntil(options))).filter(test);
  }

  /**
   * All of these at one moment, as far as a kernel tells it: each file is read once, one behind the
   * other, and all are of one process. The kernel walks the page tables twice, or once for
   * `mappings: []`.
   * @throws TypeError, RangeError for a wrong filter; NumaError as `residency`; the signal's reason
   * Source: numa(7), numa_maps; proc_pid_smaps(5); proc_pid_task(5).
   */
  async snapshot(options?: SnapshotOptions): Promise<ProcessSnapshot> {
    return takeSnapshot(this.#context, this.#files, options);
  }

  /**
   * Its threads, and where each ran last.
   * @throws NumaError NUMA_NO_SUCH_PROCESS, NUMA_NOT_PERMITTED, NUMA_UNSUPPORTED (no /proc)
   * Source: proc_pid_task(5), proc_pid_stat(5).
   */
  threads(): Promise<ProcessThread[]> {
    return readThreads(this.#files, this.#context.topology);
  }

  /**
   * Restricts its threads to these CPUs, those that are started meanwhile included; new ones begin
   * with what the thread has that starts them. No page moves. An error ends it at the thread that
   * it names.
   * @param cpus `all`, `!0` and `+0-1` refer to the CPUs of the calling thread
   * @throws TypeError, RangeError for what is no list of CPU numbers, and for a thread of another
   *   process; NumaError NUMA_NO_SUCH_PROCESS, NUMA_NOT_PERMITTED (another user's),
   *   NUMA_INVALID_ARGUMENT when a thread may use none of them, NUMA_UNSUPPORTED (no /proc)
   * Source: sched_setaffinity(2).
   */
  setAffinity(cpus: CpuExpression, options?: SetAffinityOptions): Promise<ThreadAffinity[]> {
    return setProcessAffinity(this.#context, this.#files, cpus, options);
  }

  /**
   * Where each page of a range is: its node, or a negative errno. -ENOENT (-2): not present;
   * -EFAULT (-14): the shared page of zeros. At most 2^24 pages.
   * @throws TypeError, RangeError; NumaError NUMA_NO_SUCH_PROCESS, NUMA_NOT_PERMITTED; the
   *   signal's reason
   * Source: move_pages(2) with nodes NULL.
   */
  async locate(span: PageSpan, options?: LookOptions): Promise<Int32Array> {
    const range = rangeOf(this.#files, span);
    const places = newPlaces(range);
    await this.#locate(range, options, (index, status) => places.set(status, index));
    return places;
  }

  /**
   * The same of a range of any length, for pages in a row that are in one place: ascending, without
   * those that are not present. Time and memory are those of the pages that are there; before 6.7
   * the time is the range's: a second for each terabyte, an eighth of it for our own process.
   * @throws as `locate`
   * Source: move_pages(2) with nodes NULL; PAGEMAP_SCAN(2const).
   */
  async locateRuns(span: PageSpan, options?: LookOptions): Promise<PlacedRun[]> {
    const range = rangeOf(this.#files, span);
    const runs = new PlacedRuns(range);
    await this.#locate(range, options, (index, status) => runs.add(index, status));
    return runs.finish();
  }

  async #locate(
    range: PagesOfProcess,
    options: LookOptions | undefined,
    take: (index: number, places: Int32Array) => void,
  ): Promise<void> {
    const failure = await locateParts(range, this.#filesUntil(options).signal, take);
    if (failure !== undefined) throw await this.#refusal(failure);
  }

  /**
   * Moves all pages of the process that are on the `from` nodes to the `to` nodes, keeping their
   * order: the n-th node of `from` goes to the n-th of `to`, counted round. Runs off the calling
   * thread, in one system call that cannot be cancelled. Policies stay as they are.
   * @throws RangeError ERR_OUT_OF_RANGE for `from` nodes that are not online and `to` nodes that
   *   are not allowed; NumaError NUMA_NO_SUCH_PROCESS, NUMA_NOT_PERMITTED, NUMA_INVALID_ARGUMENT,
   *   NUMA_OUT_OF_MEMORY; the signal's reason
   * Source: migrate_pages(2); mm/mempolicy.c, do_migrate_pages().
   */
  async migrate(options: ProcessMigrateOptions): Promise<ProcessMigrationReport> {
    const { signal, ...nodes } = checkOptions(options, 'options', ['from', 'to', 'signal']);
    const moves = nodeMoves(this.#context, nodes);
    checkSignal(signal, 'options.signal')?.throwIfAborted();
    const outcome = await migrateAtOnce(this.#files, moves);
    if ('errno' in outcome) throw await this.#refusal(outcome, { to: moves.to });
    return outcome;
  }

  /**
   * What `migrateMappings()` with the same selection would move, and what may stand in its way.
   * Moves nothing.
   * @throws TypeError, RangeError for a wrong selection, and where it selects no mapping; NumaError
   *   as `residency`; the signal's reason
   */
  plan(options: PlanOptions): Promise<MigrationPlan> {
    return planMigration(this.#context, this.#files, options);
  }

  /**
   * Moves the selected mappings' pages in steps, each page accounted for. Resolves with a report
   * whenever the kernel let it try. Policies stay as they are. A process that ends, or whose pid
   * another one has by then, ends the move.
   * @throws TypeError, RangeError as `plan`; AbortError with `report`; NumaError
   *   NUMA_POLICY_NOT_MET with `report` (strict), NUMA_NO_SUCH_PROCESS, NUMA_NOT_PERMITTED,
   *   NUMA_NODE_NOT_ALLOWED, NUMA_NODE_OFFLINE, with `report` where pages were handled
   * Source: move_pages(2); mm/migrate.c, do_pages_move().
   */
  async migrateMappings(options: MigrateMappingsOptions): Promise<MappingsMigrationReport> {
    const { strict, includeShared, signal, onProgress, pauseBudgetMs, ...selection } = checkOptions(
      options,
      'options',
      [...SELECTION_MEMBERS, 'pauseBudgetMs', 'includeShared', 'strict', 'signal', 'onProgress'],
    );
    const isStrict = checkBoolean(strict, 'options.strict');
    const isShared = checkBoolean(includeShared, 'options.includeShared');
    const checked = {
      flags: isShared ? MPOL_MF.MOVE_ALL : MPOL_MF.MOVE,
      pauseBudgetMs: checkBudget(pauseBudgetMs),
      signal: checkSignal(signal, 'options.signal'),
      onProgress: checkCallback(onProgress, 'options.onProgress'),
    };
    const begun = await readProcessStat(this.#files);
    const request = { ...checked, checkAlive: () => checkSameProcess(this.#files, begun) };
    const plan = await this.#planUntil(checked.signal, selection as MappingSelection);
    return this.#conclude(await moveMappings(this.#files, plan, request), { isStrict, isShared });
  }

  /** Nothing, where it is aborted: the move that follows tells so with its receipt. */
  async #planUntil(
    signal: AbortSignal | undefined,
    selection: MappingSelection,
  ): Promise<MigrationPlan> {
    if (signal === undefined) return this.plan(selection);
    try {
      return await this.plan({ ...selection, signal });
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error;
      return emptyPlan(this.#context, this.pid, selection);
    }
  }

  #filesUntil(options: LookOptions | undefined): ProcessFiles {
    const { signal } = checkOptions(options, 'options', ['signal']);
    return { ...this.#files, signal: checkSignal(signal, 'options.signal') };
  }

  async #conclude(
    outcome: MoveMappingsOutcome,
    { isStrict, isShared }: { isStrict: boolean; isShared: boolean },
  ): Promise<MappingsMigrationReport> {
    const { report, failure, gone } = outcome;
    const { pid } = this;
    const privileged = isShared ? { argument: 'options.includeShared' } : undefined;
    const error =
      gone ?? (failure && (await this.#refusal(failure, { to: report.to, privileged })));
    const name = `migration of process ${pid}`;
    return concludeMove(outcome, { verb: 'migrateMappings', name, args: { pid }, isStrict }, error);
  }

  /** The kernel's answer to a call about this process, explained where it was refused. */
  async #refusal(
    failure: SyscallFailure,
    request: Omit<ProcessRequest, 'asked'> = {},
  ): Promise<NumaError> {
    const { to } = request;
    const asked = `process ${this.pid}${to === undefined ? '' : ` to ${to}`}`;
    if (isDenial(failure.errno) || failure.errno === ERRNO.ESRCH)
      return refusalOf(this.#files, failure, { asked, ...request });
    const without = await withoutMemory(this.#files, `process ${this.pid}`, failure);
    return without ?? this.#context.error(failure, { asked, args: { pid: this.pid } });
  }
}
