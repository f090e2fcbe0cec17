/** Calls with wrong values at each place of right arguments, and what must not come of it. */

import { AbortError, NumaError } from '../../lib/index.ts';
import { strideOf } from '../support/share.ts';
import { HOSTILE, Thrown } from './hostile-values.ts';

export interface Outcome {
  /** `done`, or the error's code. */
  readonly code: string;
  readonly message: string;
  /** Why it is none of the documented answers. */
  readonly fault?: string;
}

/** Right arguments with one value in the place of one of them, or of a member. */
export interface Attack {
  readonly place: string;
  readonly value: string;
  values(): readonly unknown[];
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  );
}

/** Paths to every argument and every member of plain objects and arrays. */
function placesOf(values: readonly unknown[]): (readonly (string | number)[])[] {
  const places: (string | number)[][] = [];
  const visit = (value: unknown, path: (string | number)[]): void => {
    if (path.length > 0) places.push(path);
    if (path.length > 4) return;
    if (Array.isArray(value))
      value.slice(0, 2).forEach((item, index) => void visit(item, [...path, index]));
    else if (isPlain(value))
      for (const [name, item] of Object.entries(value)) visit(item, [...path, name]);
  };
  values.forEach((value, index) => void visit(value, [index]));
  return places;
}

function replaced(whole: unknown, path: readonly (string | number)[], value: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  if (Array.isArray(whole))
    return whole.with(first as number, replaced(whole[first as number], rest, value));
  const record = whole as Record<string, unknown>;
  return { ...record, [first]: replaced(record[first], rest, value) };
}

/** Each in turn at one of so many places. */
const STRIDE = strideOf(6);

/** Each hostile value at each place; where there is no place, as a surplus argument. */
export function attacksOn(right: () => readonly unknown[]): Attack[] {
  const places = placesOf(right());
  const attacks = Object.entries(HOSTILE).flatMap(([value, make]) => [
    ...places.map((path) => ({
      ...{ place: path.join('.'), value },
      values: () => replaced(right(), path, make()) as unknown[],
    })),
    { place: 'surplus', value, values: () => [...right(), make()] },
  ]);
  return attacks.filter((_, index) => index % STRIDE === places.length % STRIDE);
}

const CODES =
  /^ERR_(INVALID_ARG_TYPE|INVALID_ARG_VALUE|OUT_OF_RANGE|INVALID_THIS|ILLEGAL_CONSTRUCTOR)$/;

/** What a thrown value is, and what is wrong with it. */
function judge(error: unknown): Outcome {
  if (error instanceof Thrown)
    return { code: 'thrown', message: '', fault: "the caller's own error came through bare" };
  if (!(error instanceof Error))
    return { code: 'none', message: typeof error, fault: 'is no error' };
  if (error instanceof NumaError || error instanceof AbortError)
    return { code: error.code, message: error.message };
  const { code = 'none', name, message } = error as NodeJS.ErrnoException;
  const outcome = { code, message };
  if (!CODES.test(code))
    return {
      ...outcome,
      fault: `raw ${name}: ${error.stack?.split('\n').slice(0, 4).join(' | ')}`,
    };
  if (name !== (code === 'ERR_OUT_OF_RANGE' ? 'RangeError' : 'TypeError'))
    return { ...outcome, fault: `a ${name}` };
  if (!/"[^"]+"/.test(message)) return { ...outcome, fault: 'names no argument' };
  return outcome;
}

/** Calls, waits, and says what came of it. */
export async function outcomeOf(call: () => unknown): Promise<Outcome> {
  try {
    const value = call();
    if (value instanceof Promise) await value;
    // A fault that lasts, a call that has begun: whoever gets one ends it.
    else if (typeof value === 'function') (value as () => void)();
    else endOf(value)?.();
    return { code: 'done', message: '' };
  } catch (error) {
    return judge(error);
  }
}

function endOf(value: unknown): (() => void) | undefined {
  const { run, end } = (value ?? {}) as { run?: unknown; end?: unknown };
  const found = [run, end].find((member) => typeof member === 'function');
  return found === undefined ? undefined : () => void (found as () => void).call(value);
}
