/**
 * Properties that the addon names, put on the prototypes of all objects: what it answers must be
 * the same, and nothing of its own may be found there.
 */

import type { Mapping } from '../../../lib/backend/mapping.ts';
import type { Addon } from '../../../lib/native-backend/addon.ts';
import { type EntryName, entryPoints } from '../entry-points.ts';
import { namesOf } from './places.ts';

type Shape = string | { readonly [name: string]: Shape };

interface Outcome {
  readonly count: number;
  readonly failures: readonly string[];
}

/** Beside those of the sources: what arrays and promises look for. */
const ENGINE_NAMES = ['0', '1', 'length', 'constructor', 'then', 'get', 'set'];
/** A promise asks each object that it is given for this one. */
const ASKED_OF_ALL = 'then';

/** @param kindCount how many of the ways to tamper; the first ones are the worst */
export async function pollutedAnswers(
  addon: Addon,
  names: readonly string[],
  kindCount: number,
): Promise<Outcome> {
  const failures: string[] = [];
  let count = 0;
  for (const entry of namesOf(addon)) {
    const clean = await shapeOfAnswer(addon, entry);
    for (const name of [...names, ...ENGINE_NAMES]) {
      for (const [kind, descriptorOf] of TAMPERINGS.slice(0, kindCount)) {
        count += 1;
        const shape = await shapeOfAnswer(addon, entry, name, descriptorOf);
        if (name !== ASKED_OF_ALL && JSON.stringify(shape) !== JSON.stringify(clean)) {
          failures.push(`${entry} answers differently with ${kind} "${name}" on Object.prototype`);
        }
      }
    }
  }
  return { count, failures };
}

/** Each is without a prototype: it would be read from what has been tampered with. */
const TAMPERINGS: readonly (readonly [kind: string, of: (act: () => void) => object])[] = [
  ['a releasing accessor', (release) => ({ get: release, set: release })],
  ['a throwing accessor', () => ({ get: refuse, set: refuse })],
  ['a constant', () => ({ value: new ArrayBuffer(8), writable: false })],
  ['a plain property', () => ({ value: new ArrayBuffer(8), writable: true })],
];

function refuse(): never {
  throw new Error('from a prototype');
}

/** Gives up what a call has been given, as often as it is asked to. */
function releaseAll(addon: Addon, given: readonly unknown[]): () => void {
  let isReleasing = false;
  return () => {
    if (isReleasing) return;
    isReleasing = true;
    for (const value of given) {
      try {
        addon.munmap(value as Mapping);
      } catch {
        // Not a mapping.
      }
    }
  };
}

/** Only the call itself meets what was tampered with: Node's own work would trip over it. */
async function shapeOfAnswer(
  addon: Addon,
  entry: EntryName,
  name?: string,
  descriptorOf?: (act: () => void) => object,
): Promise<Shape> {
  const point = entryPoints(addon)[entry];
  const given = point.arguments();
  const call = () => (addon[entry] as (...values: readonly unknown[]) => unknown)(...given);
  const isTampered = name !== undefined && descriptorOf !== undefined;
  const answer = await (isTampered
    ? underTampering(name, descriptorOf(releaseAll(addon, given)), call)
    : call());
  const shape = shapeOf(answer);
  if (!(answer instanceof Error)) point.after?.(answer, given);
  return shape;
}

function underTampering(name: string, fields: object, call: () => unknown): unknown {
  const own = Object.getOwnPropertyDescriptor(Object.prototype, name);
  const descriptor = Object.assign(Object.create(null), fields, { configurable: true });
  Object.defineProperty(Object.prototype, name, descriptor);
  try {
    return call();
  } catch (error) {
    return error;
  } finally {
    delete (Object.prototype as unknown as Record<string, unknown>)[name];
    if (own !== undefined) Object.defineProperty(Object.prototype, name, own);
  }
}

/** Names and kinds, all the way down; numbers differ from call to call. */
function shapeOf(value: unknown): Shape {
  if (typeof value !== 'object' || value === null) return typeof value;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return `${value.constructor.name} of ${value.byteLength} bytes`;
  }
  const shape = Object.create(null);
  for (const name of Object.getOwnPropertyNames(value)) {
    const own = Object.getOwnPropertyDescriptor(value, name);
    shape[name] = shapeOf(own !== undefined && 'value' in own ? own.value : own?.get);
  }
  return shape;
}
