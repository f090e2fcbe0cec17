/** A worker that calls an entry with values that end it as soon as somebody looks into them. */

import { workerData } from 'node:worker_threads';
import { Random } from '../../differential/random.ts';
import { type EntryName, entryPoints } from '../entry-points.ts';
import { actingValues } from '../wrong-values.ts';
import { addon } from './storm.ts';

export interface HostileWorkerData {
  readonly entry: EntryName;
  readonly seed: number;
}

const { entry, seed } = workerData as HostileWorkerData;
const random = new Random(seed);
const point = entryPoints(addon)[entry];
const call = addon[entry] as (...values: readonly unknown[]) => unknown;
for (const value of actingValues(() => process.exit(0))) {
  const given = [...point.arguments()];
  given[random.between(0, Math.max(0, given.length - 1))] = value;
  try {
    call(...given);
  } catch {
    // Refused without a look inside.
  }
}
process.exit(0);
