/**
 * Starts workers that call the addon and terminates them, several at a time, at random moments
 * of their calls. A termination counts as inside an entry where the same call was running right
 * before and right after it: Node then refuses every call that may run JavaScript.
 */

import { Worker } from 'node:worker_threads';
import { Random } from '../../differential/random.ts';
import type { EntryName } from '../entry-points.ts';
import { mapCount } from '../memory-map.mjs';
import { namesOf, Places } from './places.ts';
import { stormEntries } from './planted.ts';
import { addon, delay, finish, optionsOf, within } from './storm.ts';
import type { StormWorkerData } from './storm-worker.ts';

interface Options {
  readonly seed: number;
  readonly workers: number;
  readonly concurrency: number;
  /** Only these, where some were not met often enough; default: all. */
  readonly entries?: readonly EntryName[];
}

/** Terminations and calls of one entry. */
interface Tally {
  inside: number;
  calls: number;
}

const DELAY_MS_MAX = 3;
const AIM_MS_MAX = 3;
const END_MS_MAX = 60_000;

const options = optionsOf<Options>();
const random = new Random(options.seed);
const names = namesOf(addon);
const tallies = new Map<EntryName, Tally>(names.map((name) => [name, { inside: 0, calls: 0 }]));
const failures: string[] = [];
let withPending = 0;

checkTable();
const mapsBefore = mapCount();
const entries = shuffledEntries(options.workers);
await Promise.all(Array.from({ length: options.concurrency }, runSlot));
finish({
  workers: options.workers,
  withPending,
  tallies: Object.fromEntries(tallies),
  mapsGrowth: mapCount() - mapsBefore,
  failures,
});

/** A new export without a row would be one that no storm has met. */
function checkTable(): void {
  const rows = Object.keys(stormEntries(addon));
  const missing = names.filter((name) => !rows.includes(name));
  if (missing.length > 0) throw new Error(`no row in entry-points.ts: ${missing.join(', ')}`);
}

/** Each in turn, in an order that the seed decides. */
function shuffledEntries(count: number): EntryName[] {
  const rows = options.entries ?? names;
  const keyed = Array.from({ length: count }, (_, index) => ({
    entry: rows[index % rows.length] as EntryName,
    key: random.next(),
  }));
  return keyed.sort((a, b) => a.key - b.key).map(({ entry }) => entry);
}

async function runSlot(): Promise<void> {
  for (let entry = entries.pop(); entry; entry = entries.pop()) await runWorker(entry);
}

async function runWorker(entry: EntryName): Promise<void> {
  const places = new Places(names);
  const workerData: StormWorkerData = {
    memory: places.memory,
    entry,
    isYielding: random.chance(0.5),
  };
  const worker = new Worker(new URL('./storm-worker.mjs', import.meta.url), { workerData });
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.once('error', (error) => failures.push(`${entry}: ${error.stack ?? error}`));
  const isAimed = random.chance(0.5);
  const delayMs = random.next() * DELAY_MS_MAX;
  await within(END_MS_MAX, `the start of ${entry}`, untilReady(places, ended));
  await delay(delayMs);
  if (isAimed) waitForEntry(places, entry);
  terminate(worker, places);
  await within(END_MS_MAX, `the end of ${entry}`, ended);
}

async function untilReady(places: Places, ended: Promise<void>): Promise<void> {
  let hasEnded = false;
  ended.then(() => {
    hasEnded = true;
  });
  while (!places.isReady && !hasEnded) await delay(1);
}

/** Spins: a timer would let the call end. */
function waitForEntry(places: Places, entry: EntryName): void {
  const endMs = performance.now() + AIM_MS_MAX;
  while (places.now().entry !== entry && performance.now() < endMs);
}

function terminate(worker: Worker, places: Places): void {
  const before = places.now();
  worker.terminate();
  const after = places.now();
  if (places.pending > 0) withPending += 1;
  for (const [name, tally] of tallies) tally.calls += places.callsOf(name);
  const tally = before.entry === undefined ? undefined : tallies.get(before.entry);
  if (before.mark === after.mark && tally !== undefined) tally.inside += 1;
}
