/**
 * Releases buffers under operations of Node that are still pending, and takes new ones at once:
 * what the operation reads or writes afterwards must hurt nobody.
 */

import { Random } from '../../differential/random.ts';
import { mapCount } from '../memory-map.mjs';
import { closeContext, openContext, pendingOperations } from '../pending-operations.mjs';
import { addon, collectGarbage, delay, finish, loadFacade, optionsOf } from './storm.ts';

interface Options {
  readonly seed: number;
  readonly releases: number;
}

/** A buffer, by the facade or by the addon itself. */
interface Held {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly address: bigint;
  readonly release: () => void;
}

const LANES = 8;
/** Node never ends some of its operations once their memory is gone; they have had their turns. */
const PATIENCE_MS = 2000;
const LENGTHS = [4096, 10_000, 65_536, 200_000];
const OLD_BYTE = 0x11;
const NEW_BYTE = 0x77;
const FAILURES_MAX = 20;

const { seed, releases } = optionsOf<Options>();
const random = new Random(seed);
const numa = (await loadFacade()).openNuma({ backend: 'native' });
const context = await openContext(addon);
const failures: string[] = [];
let started = 0;
let sameAddress = 0;
let unsettled = 0;

await collectGarbage();
const mapsBefore = mapCount();
await Promise.all(Array.from({ length: LANES }, runLane));
await collectGarbage();
const mapsGrowth = mapCount() - mapsBefore;
await closeContext(context);
finish({
  releases: started,
  operations: pendingOperations.length,
  sameAddress,
  unsettled,
  mapsGrowth,
  failures,
});

async function runLane(): Promise<void> {
  while (started < releases && failures.length < FAILURES_MAX) {
    const operation = pendingOperations[started % pendingOperations.length];
    started += 1;
    if (operation !== undefined) await releaseUnder(operation);
  }
}

async function releaseUnder(operation: (typeof pendingOperations)[number]): Promise<void> {
  const { name } = operation;
  const length = random.pick(LENGTHS);
  const isOwn = operation.needsMapping === true;
  const take = isOwn || random.chance(0.5) ? takeRaw : takeFromNuma;
  const old = take(length);
  old.bytes.fill(OLD_BYTE);
  let next: Held | undefined;
  const release = () => {
    if (next !== undefined) return;
    old.release();
    if (old.bytes.length !== 0) failures.push(`${name}: released bytes have a length`);
    next = take(length);
    next.bytes.fill(NEW_BYTE);
    if (next.address === old.address) sameAddress += 1;
  };
  const pending = outcomeOf(() => operation.start(old.bytes, context, release));
  if (operation.releasesItself === undefined) {
    if (random.chance(0.3)) await delay(0);
    release();
  }
  if (!(await endsInTime(pending))) unsettled += 1;
  release();
  const { bytes, release: end } = next as unknown as Held;
  if (!Buffer.alloc(length, NEW_BYTE).equals(bytes)) {
    failures.push(`${name}: wrote into the next buffer`);
  }
  end();
}

async function endsInTime(pending: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), PATIENCE_MS);
  });
  const isInTime = await Promise.race([pending.then(() => true), late]);
  clearTimeout(timer);
  return isInTime;
}

/** Errors are among the answers: the bytes were taken away. */
async function outcomeOf(start: () => unknown): Promise<unknown> {
  try {
    return await start();
  } catch (error) {
    return error;
  }
}

function takeFromNuma(length: number): Held {
  const buffer = numa.allocate(length);
  const { bytes, address } = buffer;
  // One that has moved has left these addresses as one that was released does.
  const isMoved = random.chance(0.5);
  const release = () => {
    if (isMoved && bytes.length > 0) buffer.resize(2 * length);
    buffer.release();
  };
  return { bytes, address, release };
}

function takeRaw(length: number): Held {
  const mapped = addon.mmap(length);
  if (!mapped.ok) throw new Error(`mmap failed with errno ${mapped.errno}`);
  const arrayBuffer = addon.array_buffer(mapped.value);
  if (!arrayBuffer.ok) throw new Error(`array_buffer failed with errno ${arrayBuffer.errno}`);
  context.mappings.set(arrayBuffer.value, mapped.value);
  return {
    bytes: new Uint8Array(arrayBuffer.value),
    address: mapped.value.address,
    release: () => addon.munmap(mapped.value),
  };
}
