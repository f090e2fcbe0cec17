/**
 * What the doctor says of one thing.
 */

import type { Remedy } from '../../facade/capabilities/capability.ts';

/**
 * `ok`: nothing to do. `warning`: works, with less than could be had, or with something to know.
 * `problem`: something does not work at all: a call is refused, say.
 */
export type FindingState = 'ok' | 'warning' | 'problem';

export interface Finding {
  /** Stable: `calls.move_pages`, `cpuset.nodes`. */
  readonly id: string;
  readonly state: FindingState;
  /** A sentence without a full stop. */
  readonly text: string;
  /** The narrowest first; none where it is ok. */
  readonly remedies: readonly Remedy[];
}

export function ok(id: string, text: string): Finding {
  return { id, state: 'ok', text, remedies: [] };
}

export function warning(id: string, text: string, remedies: readonly Remedy[] = []): Finding {
  return { id, state: 'warning', text, remedies };
}

export function problem(id: string, text: string, remedies: readonly Remedy[] = []): Finding {
  return { id, state: 'problem', text, remedies };
}
