/** A worker of a storm: calls one entry until it is ended from outside. */

import { workerData } from 'node:worker_threads';
import type { EntryName } from '../entry-points.ts';
import { namesOf, Places } from './places.ts';
import { stormEntries } from './planted.ts';
import { addon } from './storm.ts';

export interface StormWorkerData {
  readonly memory: SharedArrayBuffer;
  readonly entry: EntryName;
  /** Whether timers and finalizers get turns between the calls. */
  readonly isYielding: boolean;
}

const IN_FLIGHT_MAX = 8;
const CALLS_PER_TURN = 32;

const { memory, entry, isYielding } = workerData as StormWorkerData;
const names = namesOf(addon);
const places = new Places(names, memory);

await turnEntry(entry);

/** Calls one entry for ever; promises are left open, up to a number of them. */
async function turnEntry(name: EntryName): Promise<never> {
  const { [name]: point } = stormEntries(addon);
  const open: Promise<unknown>[] = [];
  places.watch(addon);
  const call = addon[name] as (...values: readonly unknown[]) => unknown;
  places.setReady();
  for (let count = 1; ; count += 1) {
    const values = point.arguments();
    const result = call(...values);
    if (result instanceof Promise) open.push(result);
    point.after?.(result, values);
    if (open.length === IN_FLIGHT_MAX) await Promise.all(open.splice(0));
    if (isYielding && count % CALLS_PER_TURN === 0) await new Promise(setImmediate);
  }
}
