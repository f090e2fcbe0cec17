/**
 * What became of a step, and where pages are: the same for a simulated machine and for this host.
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { errnoName } from '../../core/errno.ts';
import { STATUS_UNSET } from '../../core/uapi.ts';
import type { Step } from './scenario.ts';

/** What a call answered: what it returned, 0 where that is nothing, or the name of its errno. */
export type Answer = number | string;

export interface StepOutcome {
  readonly step: Step;
  /** null for steps that are no call: expectations, settings, faults. */
  readonly answer: Answer | null;
  /** What else there is to say, in a few words. */
  readonly details: string;
  /** Of `movePages`: pages by node, by name of errno, or `unset` where nothing was told. */
  readonly statuses?: Readonly<Record<string, number>>;
  /** What is not as it was expected to be. */
  readonly differences: readonly string[];
  /** Steps that were done in the middle of this one. */
  readonly meanwhile: readonly StepOutcome[];
}

/** An outcome before it is known whose. */
export type StepResult = Partial<Omit<StepOutcome, 'step'>>;

/** Pages of a range; together they are all of it. */
export interface PlacedPages {
  /** Nodes that have some, ascending. */
  readonly byNode: Readonly<Record<string, number>>;
  readonly notPresent: number;
  readonly zeroPage: number;
}

/** A mapping of a process, as it is in the end. */
export interface MappingResidency extends PlacedPages {
  readonly process: string;
  readonly pid: number;
  readonly mapping: string;
  readonly address: bigint;
  readonly pageCount: number;
}

export function answerOf(result: SyscallResult<unknown>): Answer {
  if (!result.ok) return errnoName(result.errno);
  return typeof result.value === 'number' ? result.value : 0;
}

export function stepOutcome(step: Step, result: StepResult): StepOutcome {
  return { answer: null, details: '', differences: [], meanwhile: [], ...result, step };
}

/** Counts statuses of move_pages under their names, nodes first. */
export function statusesOf(status: Int32Array): Record<string, number> {
  const counts = new Map<string, number>();
  for (const one of status.toSorted().toReversed()) {
    const name = one >= 0 ? `${one}` : one === STATUS_UNSET ? 'unset' : errnoName(-one);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  // Names that are numbers come first in an object, ascending.
  return Object.fromEntries(counts);
}

/** "12 on node 0, 4 EBUSY". */
export function statusesText(statuses: Readonly<Record<string, number>>): string {
  return Object.entries(statuses)
    .map(([name, count]) => `${count} ${/^\d/.test(name) ? `on node ${name}` : name}`)
    .join(', ');
}

/** "12 on node 0, 4 absent". */
export function placedText({ byNode, notPresent, zeroPage }: PlacedPages): string {
  const parts = [statusesText(byNode)];
  if (notPresent > 0) parts.push(`${notPresent} absent`);
  if (zeroPage > 0) parts.push(`${zeroPage} of zeros`);
  return parts.filter((part) => part !== '').join(', ');
}
