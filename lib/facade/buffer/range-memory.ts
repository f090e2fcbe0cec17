/**
 * Memory of this process by its addresses: where its pages are, and the verbs that place and move
 * them. Data is kept, and so is the address, but for resize(). Who owns the memory says whether it
 * is still there (range-owner.ts).
 */

import type { Mapping } from '../../backend/mapping.ts';
import { checkOptions, newArray } from '../../core/check-arguments.ts';
import { inspectAs } from '../../core/inspect.ts';
import type { MemoryPolicy } from '../../core/memory-policy.ts';
import type { MigrationReport, PageStatus, PlacementReport } from '../../core/migration-report.ts';
import { MPOL_F } from '../../core/uapi.ts';
import type { Context } from '../context.ts';
import { countResidency } from '../pages/count-residency.ts';
import { addHugePages } from '../pages/huge-pages.ts';
import { type PageRange, RANGE_OPTION_NAMES, type RangeOptions } from '../pages/page-range.ts';
import { pageStatuses } from '../pages/page-status.ts';
import { isOneChunk, type PagesOfProcess, type Residency } from '../pages/residency.ts';
import { residencyOf, residencyOfSync } from '../pages/residency-by-mappings.ts';
import { checkSetPolicy, type SetPolicyOptions, setRangePolicy } from '../policy/range-policy.ts';
import { readPolicy } from '../policy/read-policy.ts';
import { type BalancingExemption, exemptRange } from './balancing-exemption.ts';
import { type DistributionReport, distribute, type Shares } from './distribute.ts';
import { concludeRangeMove, moveInsistently } from './insistent-move.ts';
import { checkMigrateOptions, checkPlanOptions, partsOfSelection } from './migrate-options.ts';
import {
  checkPageNodes,
  checkPlaceOptions,
  type PageNodes,
  type PlaceOptions,
  placePages,
} from './place-pages.ts';
import { planMove, type RangePlan } from './plan-move.ts';
import {
  checkLookOptions,
  checkResidencyOptions,
  checkTouchOptions,
  type MigrateOptions,
  type MoveSelection,
  type PageStatusOptions,
  type PlanMoveOptions,
  type ResidencyOptions,
  type TouchOptions,
} from './range-options.ts';
import { checkLive, liveRange, type RangeOwner, rangePages } from './range-owner.ts';

export abstract class RangeMemory {
  readonly #context: Context;
  readonly #owner: RangeOwner;
  readonly #className: string;

  static {
    inspectAs(RangeMemory, (memory) => memory.#asText());
  }

  /**
   * @internal
   * @param className as `console.log` shows it, whatever tools have made of the class's own
   */
  constructor(context: Context, owner: RangeOwner, className: string) {
    this.#context = context;
    this.#owner = owner;
    this.#className = className;
  }

  /** Whether `release()` was called on this object. */
  get isReleased(): boolean {
    return this.#owner.isReleased;
  }

  /** First byte; page aligned, and the same until `resize()`. */
  get address(): bigint {
    return this.#owner.address;
  }

  /** Length in bytes. */
  get lengthBytes(): number {
    return this.#owner.lengthBytes;
  }

  /** Length in base pages, the last one counted as a whole. */
  get pageCount(): number {
    return Math.ceil(this.lengthBytes / this.#context.backend.pageSizeBytes);
  }

  /**
   * Where the pages are, without touching any. Runs off the calling thread. Where move_pages is
   * refused (containers), told from /proc/self/numa_maps: `method` says so.
   * @throws NumaError NUMA_RELEASED, NUMA_NOT_PERMITTED; the signal's reason
   * Source: move_pages(2) with nodes NULL.
   */
  async residency(options?: ResidencyOptions): Promise<Residency> {
    const { signal, rangeOptions, withHugePages } = checkResidencyOptions(options);
    const looked = this.#range('residency', rangeOptions);
    signal?.throwIfAborted();
    const ending = this.#owner.endingOf('residency', signal);
    const look = async (pages: PagesOfProcess) => {
      const found = await residencyOf(pages, ending);
      return withHugePages && found.ok ? addHugePages(pages, found.value) : found;
    };
    const isOneCall = isOneChunk(looked, this.#context.backend) && !withHugePages;
    const result = await (isOneCall ? look(this.#pages(looked)) : this.#held(looked, look));
    return this.#context.unwrap(result, `locating ${looked.pageCount} pages`);
  }

  /** The same, blocking the calling thread: about 0.2 microseconds a page. */
  residencySync(options?: RangeOptions): Residency {
    const range = checkOptions(options, 'options', RANGE_OPTION_NAMES);
    const pages = this.#pages(this.#range('residencySync', range));
    return this.#context.unwrap(residencyOfSync(pages), `locating ${pages.pageCount} pages`);
  }

  /**
   * The range policy at an offset; `default` where the range has none of its own. Synchronous. Its
   * home node is unknown: the kernel does not report it.
   * @throws NumaError NUMA_RELEASED, NUMA_NOT_PERMITTED
   * Source: get_mempolicy(2) with MPOL_F_ADDR.
   */
  policy(options?: { readonly offsetBytes?: number }): MemoryPolicy {
    const range = this.#range('policy', checkOptions(options, 'options', ['offsetBytes']));
    return readPolicy(this.#context, { flags: MPOL_F.ADDR, address: range.address });
  }

  /**
   * Sets the policy that future page faults of the range follow; pages that are present stay
   * unless `move` says otherwise. Synchronous; with `move` it blocks the calling thread while it
   * moves (`migrate()` does not).
   *
   * Not atomic: strict with `move` may report NUMA_POLICY_NOT_MET with the policy set and some
   * pages moved; strict alone changes nothing when a page is elsewhere. A home node is set by a
   * second call, after pages have moved; when it fails the policy stays, without a home node.
   * @throws RangeError ERR_OUT_OF_RANGE for nodes that are not allowed or a home node that is not
   *   online; NumaError NUMA_POLICY_NOT_MET, NUMA_POLICY_MISMATCH, NUMA_NOT_PERMITTED,
   *   NUMA_INVALID_ARGUMENT, NUMA_OUT_OF_MEMORY, NUMA_UNSUPPORTED, NUMA_RELEASED
   * Source: mbind(2), set_mempolicy_home_node(2); mm/mempolicy.c, do_mbind().
   */
  setPolicy(policy: MemoryPolicy, options?: SetPolicyOptions): void {
    const request = checkSetPolicy(policy, options);
    const range = this.#range('setPolicy', request.rangeOptions);
    this.#owner.willSetPolicy(range);
    setRangePolicy(this.#context, range, request);
  }

  /**
   * Keeps automatic NUMA balancing (kernel.numa_balancing) from moving the range's pages: parts
   * without a policy of their own get `local`, the others keep theirs. No page moves now; pages
   * that are touched for the first time later go to the toucher's node, whatever the thread's
   * policy. Undone by `setPolicy(defaultPolicy())`. Locking memory (mlock) does not do this: it
   * keeps pages from being swapped out, not from being moved. Synchronous.
   * @throws NumaError NUMA_RELEASED, NUMA_NOT_PERMITTED, NUMA_OUT_OF_MEMORY
   * Source: mbind(2), proc_pid_maps(5); mm/mempolicy.c, vma_policy_mof().
   */
  exemptFromBalancing(options?: RangeOptions): BalancingExemption {
    const checked = checkOptions(options, 'options', RANGE_OPTION_NAMES);
    const range = this.#range('exemptFromBalancing', checked);
    this.#owner.willSetPolicy(range);
    return exemptRange(this.#context, range);
  }

  /**
   * What `migrate()` would do: how much is to move, whether the target has room for it, and what is
   * worth knowing before. Moves nothing.
   * @throws NumaError NUMA_RELEASED, NUMA_NOT_PERMITTED; the signal's reason
   */
  async plan(options: PlanMoveOptions): Promise<RangePlan> {
    const { signal, selection, ...asked } = checkPlanOptions(this.#context, options);
    const { range, parts } = this.#selected('plan', selection);
    signal?.throwIfAborted();
    const ending = this.#owner.endingOf('plan', signal);
    const request = { ...asked, isShared: false, parts, signal: ending };
    return this.#held(range, (pages) => planMove(this.#context, pages, request));
  }

  /**
   * Moves the present pages to one exact node, without fallback, and leaves the policy as it is.
   * Runs off the calling thread in steps; where move_pages is refused, by mbind on it. Resolves
   * with a report whenever the kernel let it try, full nodes and pinned pages included.
   * @throws AbortError with `report`; NumaError NUMA_POLICY_NOT_MET with `report` (strict),
   *   NUMA_OUT_OF_MEMORY (`onFull: 'fail'`), NUMA_NODE_OFFLINE, NUMA_NODE_NOT_ALLOWED,
   *   NUMA_NOT_PERMITTED, NUMA_RELEASED
   * Source: move_pages(2); mm/migrate.c, do_pages_move().
   */
  async migrate(options: MigrateOptions): Promise<MigrationReport> {
    const { move, selection, target } = checkMigrateOptions(this.#context, options);
    const { range, parts } = this.#selected('migrate', selection);
    const signal = this.#owner.endingOf('migrate', move.signal);
    const request = { ...move, target, parts, signal };
    return this.#held(range, async (pages) =>
      concludeRangeMove(this.#context, await moveInsistently(this.#context, pages, request), move),
    );
  }

  /**
   * Faults each page of the range in, on the calling thread and under its policy, without changing
   * a byte. Synchronous.
   * @throws NumaError NUMA_RELEASED; NUMA_OUT_OF_MEMORY for a page that a pool or a file system
   *   cannot give, where an access of the program's own would end the process
   */
  touch(options?: TouchOptions): void {
    const { access, rangeOptions } = checkTouchOptions(options);
    const { offsetBytes, lengthBytes: wholePages } = this.#range('touch', rangeOptions);
    const lengthBytes = Math.min(wholePages, this.lengthBytes - offsetBytes);
    const result = this.#owner.touch(offsetBytes, lengthBytes, access);
    this.#context.unwrap(result, `touching ${lengthBytes} bytes`);
  }

  /**
   * Where each page is, in their order, without touching any.
   * @throws NumaError NUMA_RELEASED, NUMA_NOT_PERMITTED; the signal's reason
   * Source: move_pages(2) with nodes NULL.
   */
  async pageStatuses(options?: PageStatusOptions): Promise<PageStatus[]> {
    const { signal, rangeOptions } = checkLookOptions(options);
    const looked = this.#range('pageStatuses', rangeOptions);
    const ending = this.#owner.endingOf('pageStatuses', signal);
    const places = newArray(Int32Array, looked.pageCount, 'options.lengthBytes');
    const result = await this.#held(looked, (pages) => countResidency(pages, ending, places));
    this.#context.unwrap(result, `locating ${looked.pageCount} pages`);
    return pageStatuses(places);
  }

  /**
   * Moves the present pages each to its own node, as `migrate()` does to one: exact, without
   * fallback, off the calling thread, policy as it is. The report has a status for each page.
   * @param nodes one for each page of the range, in their order; -1 leaves a page where it is
   * @throws RangeError ERR_OUT_OF_RANGE for another number of nodes and for nodes that are not
   *   allowed; what `migrate()` throws
   * Source: move_pages(2).
   */
  async place(nodes: PageNodes, options?: PlaceOptions): Promise<PlacementReport> {
    const checked = checkPlaceOptions(options);
    const range = this.#range('place', checked.rangeOptions);
    const targets = checkPageNodes(this.#context, nodes, range.pageCount);
    const signal = this.#owner.endingOf('place', checked.signal);
    const request = { ...checked, targets, signal };
    return this.#held(range, (pages) => placePages(this.#context, pages, request));
  }

  /**
   * Spreads the range over nodes in shares: by weights page for page, or in parts of so many bytes
   * one after the other. Present pages are moved, later ones follow the policy that the range has
   * then. Weights that are not the machine's, and kernels without weighted interleaving (before
   * 6.9), are met by touching every page and moving it to its node: `method` is `placed`.
   * @throws TypeError, RangeError; NumaError as `setPolicy()`, `touch()` and `place()` throw it
   * Source: mbind(2); move_pages(2).
   */
  async distribute(shares: Shares, options?: PlaceOptions): Promise<DistributionReport> {
    const { rangeOptions } = checkPlaceOptions(options);
    const range = this.#range('distribute', rangeOptions);
    return distribute(this.#context, this, { shares, range, options });
  }

  /**
   * Ends the verbs of this object. Of mapped memory it gives this owner's share up: `bytes` gets
   * length 0 at once; the memory is given back when no owner or running call uses it; pending
   * operations with `bytes` go on with zeros. Of memory that the engine has it puts back the
   * policies that the pages had: a view that is collected without this has the same done for it
   * later, at a thread's end nobody does; those of a buffer that was detached stay with it. Pages
   * stay where they are, and shared memory is given back when the last thread has let go of it.
   *
   * Views of a thread that overlap may end in any order: each page has the policy that the last of
   * those that live has set, and after all of them the one that it had before. Idempotent, but for
   * a policy that could not be put back: the next call tries that again.
   * @throws NumaError NUMA_OUT_OF_MEMORY, NUMA_NOT_PERMITTED where a policy could not be put back
   * Source: munmap(2), mbind(2).
   */
  release(): void {
    this.#owner.release();
  }

  /** `using memory = ...` releases it at the end of the block. */
  [Symbol.dispose](): void {
    this.release();
  }

  #asText(): string {
    const where = `${this.lengthBytes} bytes at 0x${this.address.toString(16)}`;
    return `${this.#className}(${where}${this.isReleased ? ', released' : ''})`;
  }

  #held<T>(range: PageRange, run: (pages: PagesOfProcess) => Promise<T>): Promise<T> {
    return this.#owner.hold((mapping) => run(this.#pages(range, mapping)));
  }

  #pages(range: PageRange, mapping?: Mapping): PagesOfProcess {
    return rangePages(this.#context, this.#owner, range, mapping);
  }

  #selected(verb: string, selection: Partial<MoveSelection>): ReturnType<typeof partsOfSelection> {
    checkLive(this.#owner, verb);
    return partsOfSelection(selection, this, this.#context.backend.pageSizeBytes);
  }

  #range(verb: string, options: RangeOptions): PageRange {
    return liveRange(this.#context, this.#owner, verb, options);
  }
}
