/**
 * What a scenario expects, against what is.
 */

import { parsePolicy } from '../../core/policy-text.ts';
import { type Answer, type PlacedPages, placedText, statusesText } from './outcome.ts';
import type { ExpectStep } from './scenario.ts';

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
