/**
 * Counts what accesses and migrations of a machine do, and what that takes. Time is added up as it
 * passes: a link that gets slower does so from then on. An account counts the work of one call,
 * which may stop in between while others go on; all calls of one kind add to one sum.
 */

import {
  invalidArgumentType,
  invalidArgumentValue,
  outOfRange,
} from '../../core/argument-errors.ts';
import type {
  AccessCount,
  CostProfile,
  Costs,
  MigrationKind,
  MigrationWork,
} from '../interface/costs.ts';
import {
  type CostMachine,
  CostModel,
  MIGRATION_KINDS,
  MigrationCounts,
  NodePairs,
} from './cost-model.ts';

/** What the ledger has to know of its machine. */
export interface LedgerMachine extends CostMachine, AccountRules {
  /** Ids of its nodes. */
  readonly nodes: readonly number[];
  /** Cache lines that a program accesses where it touches a page. */
  readonly accessesPerTouch: number;
}

export class CostLedger implements Costs {
  readonly profile: CostProfile;
  /** Of the kernel's own migrations. */
  readonly kernelAccount: CostAccount;
  readonly #model: CostModel;
  readonly #machine: LedgerMachine;
  readonly #kinds: ReadonlyMap<MigrationKind, KindOfWork>;
  #accesses = new NodePairs();
  #accessNs = 0;

  constructor(profile: CostProfile, machine: LedgerMachine) {
    this.profile = profile;
    const model = new CostModel(profile, machine);
    this.#model = model;
    this.#machine = machine;
    this.#kinds = new Map(MIGRATION_KINDS.map((kind) => [kind, new KindOfWork(kind, model)]));
    this.kernelAccount = this.account('kernel', 0);
  }

  /** For one call, whose flushes interrupt so many CPUs. */
  account(kind: MigrationKind, otherCpuCount: number): CostAccount {
    return new CostAccount(this.#workOf(kind), this.#machine, otherCpuCount);
  }

  /** A thread on a CPU of one node touches pages of a node. */
  countTouches(cpuNode: number, memoryNode: number, pageCount: number): void {
    const count = pageCount * this.#machine.accessesPerTouch;
    this.#accesses.add(cpuNode, memoryNode, count);
    this.#accessNs += count * this.#model.accessNs(cpuNode, memoryNode);
  }

  get totalNs(): number {
    return this.accessNs + this.migrationNs;
  }

  get accessNs(): number {
    return this.#accessNs;
  }

  get migrationNs(): number {
    return MIGRATION_KINDS.reduce((sum, kind) => sum + this.migrationNsOf(kind), 0);
  }

  migrationNsOf(kind: MigrationKind): number {
    return this.#workOf(kind).totalNs;
  }

  accesses(): AccessCount[] {
    return this.#accesses
      .entries()
      .map(([cpuNode, memoryNode, count]) => ({ cpuNode, memoryNode, count }));
  }

  migrations(): Record<MigrationKind, MigrationWork> {
    const snapshots = MIGRATION_KINDS.map(
      (kind) => [kind, this.#workOf(kind).tally.snapshot()] as const,
    );
    return Object.fromEntries(snapshots) as Record<MigrationKind, MigrationWork>;
  }

  slowLink(nodeA: number, nodeB: number, factor: number): void {
    const { nodes } = this.#machine;
    for (const [argument, node] of Object.entries({ nodeA, nodeB })) {
      if (nodes.includes(node)) continue;
      throw invalidArgumentValue(argument, `must be one of ${nodes.join(', ')}`, node);
    }
    if (nodeA === nodeB) throw invalidArgumentValue('nodeB', 'must be another node', nodeB);
    if (typeof factor !== 'number') throw invalidArgumentType('factor', 'a number', factor);
    if (!(factor >= 1 && Number.isFinite(factor))) {
      throw outOfRange('factor', 'it must be at least 1, and finite', factor);
    }
    this.#model.slowLink(nodeA, nodeB, factor);
  }

  reset(): void {
    this.#accesses = new NodePairs();
    this.#accessNs = 0;
    for (const work of this.#kinds.values()) work.reset();
  }

  #workOf(kind: MigrationKind): KindOfWork {
    const work = this.#kinds.get(kind);
    if (work === undefined) {
      throw invalidArgumentValue('kind', `must be one of ${MIGRATION_KINDS.join(', ')}`, kind);
    }
    return work;
  }
}

/** The work of all calls of one kind. */
class KindOfWork {
  readonly kind: MigrationKind;
  readonly #model: CostModel;
  #tally = new MigrationCounts();
  #copyNs = 0;

  constructor(kind: MigrationKind, model: CostModel) {
    this.kind = kind;
    this.#model = model;
  }

  get tally(): MigrationCounts {
    return this.#tally;
  }

  get totalNs(): number {
    return this.#model.bookkeepingNs(this.kind, this.#tally) + this.#copyNs;
  }

  /** At the speed that the link has now. */
  copy(from: number, to: number, bytes: number): void {
    this.#tally.copied.add(from, to, bytes);
    this.#copyNs += this.#model.copyNs(from, to, bytes);
  }

  reset(): void {
    this.#tally = new MigrationCounts();
    this.#copyNs = 0;
  }
}

/** Folios of one size. */
export interface CountedFolios {
  readonly folioCount: number;
  /** Base pages of all of them. */
  readonly pageCount: number;
  /** Page-table entries that map them, in all address spaces. */
  readonly entryCount: number;
}

/** How the machine's kernel does its work. */
interface AccountRules {
  /** Pages are unmapped many at a time and flushed at once; else each entry by itself. */
  readonly batchesMigrations: boolean;
  readonly pageSizeBytes: number;
  /** Base pages of a huge page. */
  readonly tablePages: number;
}

export class CostAccount {
  readonly #work: KindOfWork;
  readonly #rules: AccountRules;
  /** CPUs beside the caller's that run threads of the process: whom a flush interrupts. */
  readonly #otherCpuCount: number;
  /** Pages unmapped since the last flush. */
  #unflushedPages = 0;

  constructor(work: KindOfWork, rules: AccountRules, otherCpuCount: number) {
    this.#work = work;
    this.#rules = rules;
    this.#otherCpuCount = otherCpuCount;
  }

  /** The fixed part of a call that moves or queries. */
  countCall(): void {
    this.#work.tally.calls += 1;
  }

  countLookups(count: number): void {
    this.#work.tally.addresses += count;
  }

  countWalk(entryCount: number): void {
    this.#work.tally.walkedEntries += entryCount;
  }

  /** Folios that have moved from one node to another. */
  countMoved(from: number, to: number, folios: CountedFolios): void {
    this.countUnmapped(folios);
    this.countCopied(from, to, folios.pageCount);
  }

  /** Of folios whose unmapping has been counted. */
  countCopied(from: number, to: number, pageCount: number): void {
    this.#work.copy(from, to, pageCount * this.#rules.pageSizeBytes);
  }

  /** Folios that were unmapped for a move, and mapped again where they were. */
  countUnmapped({ folioCount, pageCount, entryCount }: CountedFolios): void {
    const { tally } = this.#work;
    tally.folios += folioCount;
    tally.entries += entryCount;
    if (this.#rules.batchesMigrations) this.#fillBatches(folioCount, pageCount / folioCount);
    else this.#countFlushes(entryCount);
  }

  /** A list of pages has been dealt with: what is still unflushed gets its flush. */
  endList(): void {
    if (this.#unflushedPages > 0) this.#countFlushes(1);
    this.#unflushedPages = 0;
  }

  /**
   * A batch is full with the folio that brings it to a huge page's size.
   * Source: mm/migrate.c, NR_MAX_BATCHED_MIGRATION.
   */
  #fillBatches(folioCount: number, folioPages: number): void {
    const { tablePages } = this.#rules;
    for (let left = folioCount; left > 0; ) {
      const wanted = Math.ceil((tablePages - this.#unflushedPages) / folioPages);
      const taken = Math.min(left, wanted);
      this.#unflushedPages += taken * folioPages;
      if (taken === wanted) this.endList();
      left -= taken;
    }
  }

  #countFlushes(count: number): void {
    const { tally } = this.#work;
    tally.flushes += count;
    if (this.#otherCpuCount === 0) return;
    tally.shootdowns += count;
    tally.interrupts += count * this.#otherCpuCount;
  }
}
