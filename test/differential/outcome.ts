/** What a program did, step by step, as data that can be compared and kept. */

/** The answer of one step. Absent fields do not belong to its call. */
export interface StepOutcome {
  /** Its process had ended, or never came to be. */
  readonly isSkipped?: true;
  /** 0 for success. */
  readonly errno?: number;
  readonly value?: number;
  /** The stored mode word; `null`: not written. */
  readonly mode?: number | null;
  readonly nodes?: readonly number[];
  /** Words of the mask that were written. */
  readonly wordCount?: number;
  /** move_pages: each entry, UNWRITTEN where the call left it alone. */
  readonly status?: readonly number[];
  /** What move_pages told of the page just before the step. */
  readonly before?: number;
  /** Where the pages of the process concerned were afterwards. */
  readonly pages?: string;
  /** What the step changed of the processes that it is about, by number: watch.ts. */
  readonly watched?: Readonly<Record<string, string>>;
}

export interface Outcome {
  readonly steps: readonly StepOutcome[];
  /** Where the pages of each living process were at the end, and what had changed, by number. */
  readonly last: Readonly<Record<string, string>>;
}

/** In a text of pages: nothing there that has a node (untouched, unmapped, zero page). */
export const NO_NODE = '.';

/** One letter for each page: its node in base 36, or NO_NODE. */
export function pagesText(status: Iterable<number>): string {
  let text = '';
  for (const node of status) text += node < 0 ? NO_NODE : node.toString(36);
  return text;
}
