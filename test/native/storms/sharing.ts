/**
 * Memory that several threads hold: handles against the last release, buffers that were given
 * away by threads that end, owners and views that are left to the garbage collector.
 */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Random } from '../../differential/random.ts';
import { mapCount } from '../memory-map.mjs';
import type { SharingWorkerData } from './sharing-worker.ts';
import { addon, collectGarbage, delay, finish, optionsOf, within } from './storm.ts';

interface Options {
  readonly seed: number;
  readonly rounds: number;
  /** Times that memory is taken and released without a turn of the event loop. */
  readonly synchronous: number;
}

const AT: SharingWorkerData['at'] = { id: 0, generation: 1, found: 2, stale: 3, wrong: 4 };
const END_MS_MAX = 60_000;
const LENGTH_BYTES = 16 * 1024;
const ATTACHERS = 3;
const RENEWALS_PER_ROUND = 200;
const OWNERS_PER_ROUND = 50;
const GIVEN_BYTE = 7;
/** Of what threads and heaps keep for themselves. */
const MAPS_GROWTH_MAX = 2000;

const { seed, rounds, synchronous } = optionsOf<Options>();
const random = new Random(seed);
const failures: string[] = [];
const counts = { transferred: 0, refused: 0, attached: 0, stale: 0, collected: 0 };

await collectGarbage();
const mapsBefore = mapCount();
takeAndRelease();
for (let round = 0; round < rounds; round += 1) {
  await receive();
  await collect();
}
for (let round = 0; round < Math.ceil(rounds / 10); round += 1) await renew();
await collectGarbage();
const mapsGrowth = mapCount() - mapsBefore;
if (mapsGrowth > MAPS_GROWTH_MAX) failures.push(`${mapsGrowth} mappings were left`);
finish({ ...counts, synchronous, mapsGrowth, failures });

/** Nothing that a finalizer gives back comes back in here. */
function takeAndRelease(): void {
  for (let count = 0; count < synchronous; count += 1) {
    const made = take();
    if (made === undefined) return;
    addon.munmap(made.mapping);
  }
}

function take() {
  const made = addon.mmap(LENGTH_BYTES);
  const result = made.ok ? addon.array_buffer(made.value) : made;
  if (made.ok && result.ok) {
    return { mapping: made.value, bytes: new Uint8Array(result.value) };
  }
  if (!result.ok) failures.push(`${result.syscall} failed with errno ${result.errno}`);
  return undefined;
}

/** What a thread gave away is good after its end, or could not be given away. */
async function receive(): Promise<void> {
  const { worker, ended } = start('transfer');
  const received: { way: string; moved: ArrayBuffer }[] = [];
  worker.on('message', (message) => {
    if ('moved' in message) received.push(message);
    else counts.refused += 1;
  });
  await within(END_MS_MAX, 'the end of a giver', ended);
  await delay(0);
  for (const { way, moved } of received) {
    counts.transferred += 1;
    const bytes = new Uint8Array(moved);
    if (!bytes.every((byte) => byte === GIVEN_BYTE)) failures.push(`${way}: other bytes`);
    bytes.fill(GIVEN_BYTE + 1);
  }
}

/** Any part of an owner, its bytes and its attached twins may be all that is left of it. */
async function collect(): Promise<void> {
  const kept: { bytes: Uint8Array; byte: number }[] = [];
  for (let count = 0; count < OWNERS_PER_ROUND; count += 1) {
    const made = take();
    if (made === undefined) return;
    const { mapping, bytes } = made;
    const byte = random.between(1, 255);
    bytes.fill(byte);
    const { id, generation } = mapping.handle;
    const twin = random.chance(0.5) ? addon.attach(id, generation) : undefined;
    const twinBytes = twin?.ok ? addon.array_buffer(twin.value) : undefined;
    const end = random.between(0, 3);
    if (end === 0) addon.munmap(mapping);
    if (end === 1 && twin?.ok) addon.munmap(twin.value);
    if (end !== 0 && random.chance(0.5)) kept.push({ bytes, byte });
    if (end !== 1 && twinBytes?.ok) kept.push({ bytes: new Uint8Array(twinBytes.value), byte });
  }
  await collectGarbage();
  for (const { bytes, byte } of kept) {
    if (!bytes.every((one) => one === byte)) failures.push('a view lost its bytes');
  }
  counts.collected += OWNERS_PER_ROUND;
}

/** Threads attach to a mapping that is released and replaced all the time. */
async function renew(): Promise<void> {
  const words = new Int32Array(new SharedArrayBuffer(4 * 8));
  const workers = Array.from({ length: ATTACHERS }, () => start('attach', words));
  await Promise.all(workers.map(({ worker }) => once(worker, 'online')));
  for (let count = 0; count < RENEWALS_PER_ROUND; count += 1) {
    const made = take();
    if (made === undefined) break;
    const { id, generation } = made.mapping.handle;
    made.bytes.fill(id & 0xff);
    Atomics.store(words, AT.generation, generation);
    Atomics.store(words, AT.id, id);
    const endMs = performance.now() + random.next() * 2;
    while (performance.now() < endMs);
    addon.munmap(made.mapping);
    if (count % 20 === 0) await delay(0);
  }
  for (const { worker } of workers) worker.terminate();
  await within(END_MS_MAX, 'the end of attaching', Promise.all(workers.map(({ ended }) => ended)));
  counts.attached += Atomics.load(words, AT.found);
  counts.stale += Atomics.load(words, AT.stale);
  const wrong = Atomics.load(words, AT.wrong);
  if (wrong > 0) failures.push(`${wrong} handles led to other bytes`);
}

function start(task: SharingWorkerData['task'], words: Int32Array = new Int32Array(0)) {
  const workerData: SharingWorkerData = { task, words, at: AT };
  const worker = new Worker(new URL('./sharing-worker.mjs', import.meta.url), { workerData });
  worker.on('error', (error) => failures.push(`${task}: ${error.stack ?? error}`));
  return { worker, ended: new Promise((resolve) => worker.on('exit', resolve)) };
}
