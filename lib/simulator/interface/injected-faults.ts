/**
 * Faults that a test injects into a machine: what kernels meet now and then, on demand. While one
 * is there, migrations are done step by step. Each call returns a function that ends the fault.
 */

import type { PageSpan } from '../../backend/backend.ts';
import type { NumaCall } from '../../core/calls.ts';
import type { MigrationEvent, MigrationStep } from './migration-event.ts';
import type { SimulatedProcess } from './simulated-process.ts';

/** The calls that a seccomp filter usually refuses. */
export type DeniableCall = NumaCall;

/** Between two steps of a call. */
export type StepAction = (event: MigrationEvent) => void;

/** What a racing writer did, and what became of it. */
export interface RacingWriter {
  /** Words written so far. */
  readonly writes: number;
  /** Pages where a word that was written was not there when it was looked for, before the next one
   *  was written or now: the empty list. It ends the writer, and waits for pages that are on their
   *  way. */
  lostWrites(): readonly bigint[];
  end(): void;
}

export interface InjectedFaults {
  /**
   * Migrations find no memory on a node once they have taken so many base pages of it.
   * @param afterPages default 0: at once
   * @throws TypeError ERR_INVALID_ARG_VALUE: not a node with memory
   */
  nodeFull(node: number, afterPages?: number): () => void;
  /**
   * Present pages are found to have a reference too many, as often as told: a lookup, or the writer
   * of a dump, has one for a moment. A sync migration tries 10 times.
   * @throws NumaError NUMA_RANGE_UNMAPPED: a page is not present
   */
  busy(process: SimulatedProcess, span: PageSpan, tries: number): () => void;
  /**
   * Present pages are found to be written back, as often as told: async passes give them up, sync
   * ones wait.
   * @throws NumaError NUMA_RANGE_UNMAPPED: a page is not present
   */
  writeback(process: SimulatedProcess, span: PageSpan, tries: number): () => void;
  /** A filter refuses a call of all processes. Default EPERM, as container engines do. */
  deny(call: DeniableCall, errnoName?: 'EPERM' | 'ENOSYS' | 'EACCES'): () => void;
  /**
   * Has something happen right behind a step: a change of a cpuset in mid-move, say. It may make
   * any call on the machine.
   * @param occurrence behind which of these steps, from 1 on; default the first
   */
  at(step: MigrationStep, action: StepAction, occurrence?: number): () => void;
  /** The same behind each step. */
  atEachStep(action: StepAction): () => void;
  /** The process writes a word behind each step, to one page of the span after the other. */
  racingWriter(process: SimulatedProcess, span: PageSpan): RacingWriter;
}
