/**
 * What became of a step, where pages are, and what is not as a scenario expects: the same for a
 * simulated machine and for this host.
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { errnoName } from '../../core/errno.ts';
import { parsePolicy } from '../../core/policy-text.ts';
import { STATUS_UNSET } from '../../core/uapi.ts';
import type { Residency } from '../../facade/pages/residency.ts';
import type { ExpectStep, Step } from './scenario.ts';

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

export function placedPages({ byNode, pages }: Residency): PlacedPages {
  return { byNode, notPresent: pages.notPresent, zeroPage: pages.zeroPage };
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

type Counts = Readonly<Record<string, number>>;

/** What there is to compare with; nothing is looked at that nobody asks for. */
export interface Observed {
  /** Of the last step that was a call; null before any. */
  readonly answer: Answer | null;
  readonly statuses: Counts | undefined;
  readonly placed: () => PlacedPages;
  readonly value: () => Answer;
  readonly policy: () => string;
}

/** What differs, in sentences. */
export function differencesOf(step: ExpectStep, observed: Observed): string[] {
  const { answer, statuses, byNode, notPresent, zeroPage, value, policy } = step;
  const pages = `pages of ${step.mapping}`;
  const policyWanted = policy === undefined ? undefined : `${parsePolicy(policy, 'policy')}`;
  return [
    differenceOf('answer', answer, () => observed.answer ?? 'none'),
    countsDiffer(statuses, () => observed.statuses ?? {})
      ? textOf('statuses', countsText(statuses), countsText(observed.statuses))
      : undefined,
    countsDiffer(byNode, () => observed.placed().byNode)
      ? textOf(pages, countsText(byNode), placedText(observed.placed()))
      : undefined,
    differenceOf(`absent ${pages}`, notPresent, () => observed.placed().notPresent),
    differenceOf(`${pages} that are the page of zeros`, zeroPage, () => observed.placed().zeroPage),
    differenceOf(`word in ${step.mapping}`, value, observed.value),
    differenceOf('policy', policyWanted, observed.policy),
  ].filter((text) => text !== undefined);
}

function differenceOf(
  what: string,
  wanted: Answer | undefined,
  look: () => Answer,
): string | undefined {
  if (wanted === undefined) return undefined;
  const found = look();
  return found === wanted ? undefined : textOf(what, `${wanted}`, `${found}`);
}

/** A name that is not there counts 0. */
function countsDiffer(wanted: Counts | undefined, look: () => Counts): boolean {
  if (wanted === undefined) return false;
  const found = look();
  const names = new Set([...Object.keys(wanted), ...Object.keys(found)]);
  return [...names].some((name) => (wanted[name] ?? 0) !== (found[name] ?? 0));
}

function countsText(counts: Counts | undefined): string {
  const text = statusesText(counts ?? {});
  return text === '' ? 'none' : text;
}

function textOf(what: string, wanted: string, found: string): string {
  return `${what}: expected ${wanted}, found ${found === '' ? 'none' : found}`;
}
