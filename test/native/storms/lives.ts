/**
 * Starts workers that have memory of each kind and calls under way, and terminates them at random
 * moments, while they start too. What they had must be gone with them: memory, mappings and
 * descriptors of the process stay as many as they were.
 */

import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { MappedBuffer } from '../../../lib/index.ts';
import { Random } from '../../differential/random.ts';
import { mapCount } from '../memory-map.mjs';
import { facadeLoops, LENGTH_BYTES, type Surroundings } from './facade-loops.ts';
import type { LivesWorkerData } from './lives-worker.ts';
import { collectGarbage, delay, finish, loadFacade, optionsOf, within } from './storm.ts';

interface Options {
  readonly seed: number;
  readonly workers: number;
  readonly concurrency: number;
}

/** What the process has when nothing is under way. */
interface Holdings {
  readonly rssBytes: number;
  readonly maps: number;
  readonly descriptors: number;
  /** What they are of. */
  readonly links: readonly string[];
}

const END_MS_MAX = 60_000;
/** From the start, of those that are ended as they come up. */
const START_MS_MAX = 60;
/** From the moment in which all is under way. */
const DELAY_MS_MAX = 8;
const LOOPS_EACH = 3;
const LOOKS = 10;
/** Arenas, heaps and caches of the engine have their size after so many of the looks. */
const WARM_LOOKS = 4;
const PATTERN = 0x5a;
/** Of the process, and of each worker: an arena of the allocator or a heap is no leak. */
const MAPS_GROWTH_MAX = [40, 0.25] as const;
const RSS_GROWTH_KB_MAX = [32_768, 16] as const;
/** Up to three of 2,000 workers were seen; `left` tells of what they are. */
const DESCRIPTORS_GROWTH_MAX = [0, 0.002] as const;

const options = optionsOf<Options>();
const random = new Random(options.seed);
const names = Object.keys(facadeLoops);
const failures: string[] = [];
const { openNuma } = await loadFacade();
const numa = openNuma({ backend: 'native' });
const folder = mkdtempSync(join(tmpdir(), 'node-numa-lives-'));
const file = join(folder, 'file');
writeFileSync(file, Buffer.alloc(LENGTH_BYTES, PATTERN));
const kept = [numa.allocate(LENGTH_BYTES), numa.allocate(LENGTH_BYTES, { shared: true })] as const;
const memory = new SharedArrayBuffer(LENGTH_BYTES);
const arrays = [...kept.map(({ bytes }) => bytes), new Uint8Array(memory)];
for (const bytes of arrays) bytes.fill(PATTERN);
const [{ handle }, { descriptor }] = kept as readonly [MappedBuffer, { descriptor: number }];
const surroundings: Surroundings = { handle, descriptor, file, memory };

let started = 0;
let endedEarly = 0;
const looks: Holdings[] = [];
for (let look = 1; look <= LOOKS; look += 1) {
  const until = Math.floor((options.workers * look) / LOOKS);
  await Promise.all(Array.from({ length: options.concurrency }, () => runSlot(until)));
  looks.push(await holdings());
}
for (const bytes of [...arrays, readFileSync(file)]) {
  if (!bytes.every((byte) => byte === PATTERN)) failures.push('a worker changed bytes of others');
}
rmSync(folder, { recursive: true });
const [warm, last] = [looks[WARM_LOOKS - 1] as Holdings, looks.at(-1) as Holdings];
const mapsGrowth = last.maps - warm.maps;
const descriptorsGrowth = last.descriptors - warm.descriptors;
const rssGrowthKb = Math.round((last.rssBytes - warm.rssBytes) / 1024);
const left = last.links.filter((link) => !warm.links.includes(link));
checkGrowth(`descriptors (${left.join(', ')})`, descriptorsGrowth, DESCRIPTORS_GROWTH_MAX);
checkGrowth('mappings', mapsGrowth, MAPS_GROWTH_MAX);
checkGrowth('kB of memory', rssGrowthKb, RSS_GROWTH_KB_MAX);
finish({
  ...{ workers: started, endedEarly, mapsGrowth, descriptorsGrowth, rssGrowthKb },
  looks: looks.map(({ links, ...counts }) => counts),
  ...{ left, failures },
});

function checkGrowth(
  what: string,
  growth: number,
  [max, eachMax]: readonly [number, number],
): void {
  if (growth > max + eachMax * options.workers) failures.push(`${growth} ${what} were left`);
}

async function holdings(): Promise<Holdings> {
  await collectGarbage();
  const links = readdirSync('/proc/self/fd').flatMap(linkOf);
  const rssBytes = process.memoryUsage.rss();
  return { rssBytes, maps: mapCount(), descriptors: links.length, links };
}

/** The descriptor that the folder was read by is gone. */
function linkOf(descriptor: string): string[] {
  try {
    return [`${descriptor} ${readlinkSync(`/proc/self/fd/${descriptor}`)}`];
  } catch {
    return [];
  }
}

async function runSlot(until: number): Promise<void> {
  while (started < until) {
    started += 1;
    await runWorker(started);
  }
}

async function runWorker(number: number): Promise<void> {
  const loops = Array.from({ length: LOOPS_EACH }, () => random.pick(names));
  const ready = new Int32Array(new SharedArrayBuffer(4));
  const ownFile = join(folder, `own-${number}`);
  const workerData: LivesWorkerData = { surroundings, ownFile, loops, ready };
  const worker = new Worker(new URL('./lives-worker.mjs', import.meta.url), { workerData });
  const what = loops.join(' + ');
  let hasEnded = false;
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  void ended.then(() => {
    hasEnded = true;
  });
  worker.once('error', (error) => failures.push(`${what}: ${error.stack ?? error}`));
  const isEarly = random.chance(0.2);
  if (isEarly) await delay(random.next() * START_MS_MAX);
  else {
    const isReady = async () => {
      while (Atomics.load(ready, 0) === 0 && !hasEnded) await delay(1);
    };
    await within(END_MS_MAX, `the start of ${what}`, isReady());
    await delay(random.next() * DELAY_MS_MAX);
  }
  if (Atomics.load(ready, 0) === 0) endedEarly += 1;
  void worker.terminate();
  await within(END_MS_MAX, `the end of ${what}`, ended);
  rmSync(ownFile, { force: true });
}
