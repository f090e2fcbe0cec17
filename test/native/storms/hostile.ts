/**
 * Calls every entry with arguments that are wrong, that release what is worked on, or that end the
 * thread, and on prototypes that somebody has tampered with.
 */

import { Worker } from 'node:worker_threads';
import { Random } from '../../differential/random.ts';
import { type EntryName, entryPoints } from '../entry-points.ts';
import { actingValues, wrongValues } from '../wrong-values.ts';
import type { HostileWorkerData } from './hostile-worker.ts';
import { namesOf } from './places.ts';
import { pollutedAnswers } from './pollution.ts';
import { addon, collectGarbage, finish, optionsOf, within } from './storm.ts';

interface Options {
  readonly seed: number;
  /** Calls of each entry, in hundreds. */
  readonly rounds: number;
  /** Workers that end themselves in the midst of a call. */
  readonly exits: number;
  /** Of properties that the addon's sources name. */
  readonly names: readonly string[];
  /** Ways in which each is put on a prototype. */
  readonly tamperings: number;
}

const CALLS_PER_ROUND = 100;
const END_MS_MAX = 60_000;
const FAILURES_MAX = 20;

const { seed, rounds, exits, names, tamperings } = optionsOf<Options>();
const random = new Random(seed);
const entries = namesOf(addon);
const failures = new Set<string>();
let calls = 0;
let refused = 0;

for (let round = 0; round < rounds; round += 1) {
  for (const entry of entries) await callWrongly(entry);
  await collectGarbage();
}
addon.set_mempolicy(0, null, 0);
for (let count = 0; count < exits; count += 1) await exitInside(count);
const polluted = await pollutedAnswers(addon, names, tamperings);
for (const failure of polluted.failures) failures.add(failure);
const list = [...failures].slice(0, FAILURES_MAX);
finish({ calls, refused, exits, pollutions: polluted.count, failures: list });

async function callWrongly(entry: EntryName): Promise<void> {
  const point = entryPoints(addon)[entry];
  const call = addon[entry] as (...values: readonly unknown[]) => unknown;
  const made = addon.mmap(4096);
  if (!made.ok) throw new Error(`mmap failed with errno ${made.errno}`);
  const mapping = made.value;
  const values = [...wrongValues(mapping), ...actingValues(() => addon.munmap(mapping))];
  const pending: Promise<unknown>[] = [];
  for (let count = 0; count < CALLS_PER_ROUND; count += 1) {
    const given = [...point.arguments()];
    const place = random.between(0, given.length);
    given[place] = random.pick(values);
    if (random.chance(0.3)) given[random.between(0, given.length)] = random.pick(values);
    if (random.chance(0.1)) given.length = random.between(0, given.length);
    calls += 1;
    try {
      const answer = call(...given);
      if (answer instanceof Promise) pending.push(answer);
    } catch (error) {
      refused += 1;
      checkRefusal(entry, error);
    }
  }
  await within(END_MS_MAX, entry, Promise.all(pending));
  addon.munmap(mapping);
}

/** What JavaScript throws by itself, from a revoked proxy say, has no code. */
function checkRefusal(entry: EntryName, error: unknown): void {
  const { code } = error as { code?: unknown };
  if (error instanceof Error && /^ERR_(INVALID_ARG_TYPE|OUT_OF_RANGE)$/.test(String(code))) return;
  failures.add(`${entry} threw ${String(error)}`);
}

/** Each entry in turn, at each place; the one that reads a list more often than the others. */
async function exitInside(count: number): Promise<void> {
  const isList = count % 3 === 0;
  const entry = isList ? 'sched_setaffinity' : (entries[count % entries.length] as EntryName);
  const workerData: HostileWorkerData = { entry, seed: seed + count };
  const worker = new Worker(new URL('./hostile-worker.mjs', import.meta.url), { workerData });
  worker.on('error', (error) => failures.add(`${entry}: ${error.stack ?? error}`));
  const ended = new Promise((resolve) => worker.on('exit', resolve));
  await within(END_MS_MAX, `the exit inside ${entry}`, ended);
}
