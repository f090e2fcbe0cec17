/**
 * Counts what accesses and migrations of a machine do, and what that takes. Time is added up as it
 * passes: a link that gets slower does so from then on.
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
import { type AccountRules, CostAccount, KindOfWork } from './cost-account.ts';
import { type CostMachine, CostModel } from './cost-model.ts';
import { MIGRATION_KINDS } from './migration-work.ts';
import { NodePairs } from './node-pairs.ts';

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
