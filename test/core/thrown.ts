/** What a call threw or rejected with, as data that a test can compare. */

import type { NumaErrorFields } from '../../lib/core/errors.ts';

export interface Thrown {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  /** With the members of a NumaError, where it is one. */
  readonly error: Error & Partial<NumaErrorFields>;
}

function asThrown(error: unknown): Thrown {
  if (!(error instanceof Error)) throw new Error(`threw what is no Error: ${String(error)}`);
  const coded: Thrown['error'] = error;
  return { name: error.name, code: coded.code ?? 'no code', message: error.message, error: coded };
}

/** What `run` throws. */
export function thrownBy(run: () => unknown): Thrown {
  let value: unknown;
  try {
    value = run();
  } catch (error) {
    return asThrown(error);
  }
  throw new Error(`threw nothing, and returned ${String(value)}`);
}

/** What a promise rejects with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<Thrown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return asThrown(error);
  }
  throw new Error(`rejected with nothing, and resolved with ${String(value)}`);
}

/** What a verb throws or rejects with, whichever way it goes. */
export async function failureOf(run: () => unknown): Promise<Thrown> {
  let value: unknown;
  try {
    value = await run();
  } catch (error) {
    return asThrown(error);
  }
  throw new Error(`failed with nothing, and gave ${String(value)}`);
}
