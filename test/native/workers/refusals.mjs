// @ts-check
// A process with refusals.node in LD_PRELOAD: what the addon does where the kernel or the allocator
// refuses what it asks for. Prints what was seen as one object of JSON.

import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isMapped } from '../memory-map.mjs';

const require = createRequire(import.meta.url);
const release = '../../../build/Release/';

/** @type {{ refuse(what: string, count?: number): void, count(): number }} */
const { refuse, count } = require(`${release}refusals.node`);

/** As the enumeration in refusals.cc. */
const LEAVES = { ALL: 1, HOLE: 2, HOLE_THAT_IS_TAKEN: 3 };
/** Source: madvise(2). */
const MADV_HUGEPAGE = 14;
const LARGE_BYTES = 64 * 2 ** 20;
const MADV_NOHUGEPAGE = 15;

const loading = refusedLoading();
const { addon, collectGarbage, pageSizeBytes, touchedMapping, unwrap } = await import(
  '../raw-addon.mjs'
);
const stateAtStart = processState();

if (process.argv.includes('lost')) {
  await copied(() => refuse('replacing', LEAVES.HOLE_THAT_IS_TAKEN));
}

const report = {
  loading,
  mmap: refusedMmap(),
  allocations: await refusedAllocations(),
  stateIsAsBefore: JSON.stringify(processState()) === JSON.stringify(stateAtStart),
  statusIsCollected: await refusedStatus(),
  refusedMapping: refusedMapping(),
  limit: await released(() => refuse('mapping')),
  noHole: await released(() => refuse('replacing', LEAVES.ALL)),
  hole: await released(() => refuse('replacing', LEAVES.HOLE)),
  takenHole: await released(() => refuse('replacing', LEAVES.HOLE_THAT_IS_TAKEN)),
  unmapping: refusedUnmapping(),
  copies: await refusedCopies(false),
  keptCopies: await refusedCopies(true),
  unswapped: await copied(() => refuse('replacing', LEAVES.ALL)),
  copyBack: await copied(() => refuse('replacing', LEAVES.HOLE)),
  longer: refusedResizes(9),
  shorter: refusedResizes(3),
};
process.stdout.write(JSON.stringify(report));

/** What is thrown while each allocation in turn is refused, until there is none. */
function refusedLoading() {
  const messages = [];
  for (let index = 0; ; index += 1) {
    const before = count();
    refuse('allocation', index);
    try {
      require(`${release}node_numa.node`);
    } catch (error) {
      messages.push(/** @type {Error} */ (error).message);
    }
    refuse('nothing');
    if (count() === before) return messages;
  }
}

/** As `refusedAllocations`, and what is mapped afterwards that was not before. */
function refusedMmap() {
  const sizeBefore = sizeBytes();
  const errnos = [];
  for (let index = 0; ; index += 1) {
    refuse('allocation', index);
    const answer = addon.mmap(LARGE_BYTES);
    refuse('nothing');
    if (answer.ok) {
      addon.munmap(answer.value);
      return { errnos, grownBytes: sizeBytes() - sizeBefore };
    }
    errnos.push(answer.errno);
  }
}

/** Errno of each entry while each of its allocations in turn is refused. */
async function refusedAllocations() {
  const text = new TextEncoder();
  const mapping = touchedMapping(1);
  const { address, handle } = mapping;
  const query = () => [0, 1, address, null, new Int32Array(1), 0, mapping];
  const words = new BigUint64Array([1n]);
  const path = text.encode('/no/such/program\0');
  /** @type {Record<string, () => readonly unknown[]>} */
  const calls = {
    copy_pages_async: () => [mapping, 0, pageSizeBytes, 0, [], 0, null, 0, -1, 0],
    attach: () => [handle.id, handle.generation],
    array_buffer: () => [touchedMapping(1)],
    mremap: () => [touchedMapping(1), 2 * pageSizeBytes, new BigUint64Array()],
    get_mempolicy: () => [1024, 0n, 0],
    move_pages: query,
    move_pages_async: query,
    migrate_pages_async: () => [0, 65, words, words],
    sched_getaffinity: () => [],
    execve: () => [path, path, new Int32Array([0, 1, 2]), 1],
  };
  /** @type {Record<string, number[]>} */
  const seen = {};
  for (const [name, values] of Object.entries(calls)) {
    const errnos = [];
    for (let index = 0, before = -1; before !== count(); index += 1) {
      const prepared = values();
      before = count();
      refuse('allocation', index);
      // @ts-expect-error: one of several functions, each with arguments of its own
      const called = addon[name](...prepared);
      refuse('nothing');
      const answer = await called;
      if (before !== count()) errnos.push(answer.errno);
    }
    seen[name] = errnos;
  }
  addon.munmap(mapping);
  return seen;
}

/** What execve(2) finds changed by Node, and has to leave so. */
function processState() {
  const status = readFileSync('/proc/thread-self/status', 'utf8');
  const signals = status.split('\n').filter((line) => /^Sig(Blk|Ign|Cgt)/.test(line));
  const flags = [0, 1, 2].map((descriptor) => {
    return /flags:\s+\d+/.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[0];
  });
  const limits = readFileSync('/proc/self/limits', 'utf8');
  return [signals, flags, /^Max open files.*$/m.exec(limits)?.[0]];
}

/** Whether a status array is collected after each allocation of a call has been refused. */
async function refusedStatus() {
  const arrays = [0, 1, 2].map((index) => {
    const status = new Int32Array(1);
    refuse('allocation', index);
    const pending = addon.move_pages_async(0, 1, 0n, null, status, 0, null);
    refuse('nothing');
    return { pending, status: new WeakRef(status) };
  });
  for (const { pending } of arrays) await pending;
  await collectGarbage();
  return arrays.every(({ status }) => status.deref() === undefined);
}

/**
 * Copies of pages of which each system call in turn is refused, until there is none.
 * @param {boolean} isKept
 */
async function refusedCopies(isKept) {
  const seen = [];
  for (let index = 0; ; index += 1) {
    const one = await copied(() => refuse('call', index), isKept);
    if (one.refusals === 0) return seen;
    seen.push(one);
  }
}

/**
 * What a move by copies comes to that is refused something: pages without a hole, and with some.
 * @param {() => void} refused
 * @param {boolean} isKept it is the second of two moves, whose huge pages are kept
 */
async function copied(refused, isKept = false) {
  const pageCount = 3 * (2 ** 21 / pageSizeBytes);
  const mapping = unwrap(addon.mmap_with(pageCount * pageSizeBytes, 2 ** 21, 0, 0, -1, 0));
  const bytes = new Uint8Array(unwrap(addon.array_buffer(mapping)));
  const advice = isKept ? MADV_HUGEPAGE : -1;
  if (isKept) unwrap(addon.madvise(mapping, 0, bytes.length, advice));
  const how = /** @type {const} */ ([0, [], 0, null, 0, advice, isKept ? 1 : 0]);
  const pages = Array.from({ length: pageCount - 8 }, (_, page) => page);
  for (const page of pages)
    bytes.fill(1 + (page % 200), page * pageSizeBytes, (page + 1) * pageSizeBytes);
  if (isKept) unwrap(await addon.copy_pages_async(mapping, 0, bytes.length, ...how));
  // What went before gives its addresses back now, not in the middle.
  await collectGarbage();
  const sizeBefore = sizeBytes();
  const before = count();
  refused();
  const answer = await addon.copy_pages_async(mapping, 0, bytes.length, ...how);
  const errno = answer.ok ? answer.value.errno : answer.errno;
  refuse('nothing');
  const isIntact = pages.every(
    (page) => bytes[(page + 1) * pageSizeBytes - 1] === 1 + (page % 200),
  );
  const grownBytes = sizeBytes() - sizeBefore;
  addon.munmap(mapping);
  return { refusals: count() - before, errno, isIntact, grownBytes };
}

/**
 * Resizes of memory that is in three mappings, of which each system call in turn is refused, until
 * there is none.
 * @param {number} newPageCount
 */
function refusedResizes(newPageCount) {
  const seen = [];
  for (let index = 0; ; index += 1) {
    let mapping = unwrap(addon.mmap(6 * pageSizeBytes));
    const bytes = new Uint8Array(unwrap(addon.array_buffer(mapping)));
    for (let page = 0; page < 6; page += 1) bytes[page * pageSizeBytes] = page + 1;
    unwrap(addon.madvise(mapping, 2 * pageSizeBytes, 2 * pageSizeBytes, MADV_NOHUGEPAGE));
    const ends = BigUint64Array.from([2, 4, 6], (pages) => BigInt(pages * pageSizeBytes));
    const before = count();
    const sizeBefore = sizeBytes();
    refuse('call', index);
    const answer = addon.mremap(mapping, newPageCount * pageSizeBytes, ends);
    refuse('nothing');
    const grownBytes = sizeBytes() - sizeBefore;
    if (answer.ok) mapping = answer.value;
    const now = new Uint8Array(unwrap(addon.array_buffer(mapping)));
    const kept = Array.from({ length: Math.min(6, newPageCount) }, (_, page) => page);
    const isIntact = kept.every((page) => now[page * pageSizeBytes] === page + 1);
    addon.munmap(mapping);
    if (count() === before) return seen;
    seen.push({ errno: answer.ok ? 0 : answer.errno, isIntact, grownBytes });
  }
}

/** A mapping that is refused when half made, and that munmap(2) does not take back either. */
function refusedMapping() {
  const sizeBefore = sizeBytes();
  const neighbours = newMappings(4);
  refuse('protecting');
  refuse('unmapping', 1);
  const answer = addon.mmap(LARGE_BYTES);
  refuse('nothing');
  for (const mapping of neighbours) addon.munmap(mapping);
  return { answer, grownBytes: sizeBytes() - sizeBefore };
}

/**
 * What is at the addresses of a buffer whose release is refused something, and once its
 * ArrayBuffer is collected.
 * @param {() => void} refused
 */
async function released(refused) {
  const mapping = touchedMapping(2);
  const { address } = mapping;
  new Uint8Array(unwrap(addon.array_buffer(mapping))).fill(0x11);
  const before = count();
  refused();
  addon.munmap(mapping);
  refuse('nothing');
  const refusals = count() - before;
  const afterRelease = bytesAt(address);
  await collectGarbage();
  const afterCollection = isMapped(address) ? bytesAt(address) : [];
  return { refusals, afterRelease, afterCollection };
}

/**
 * The different bytes that are there.
 * @param {bigint} address
 */
function bytesAt(address) {
  const memory = openSync('/proc/self/mem', 'r');
  const bytes = Buffer.alloc(2 * pageSizeBytes);
  readSync(memory, bytes, 0, bytes.length, address);
  closeSync(memory);
  return [...new Set(bytes)];
}

/** Which of four neighbours are mapped after each was unmapped, all but the last in vain. */
function refusedUnmapping() {
  const others = newMappings(4);
  const neighbours = newMappings(4);
  refuse('unmapping', 3);
  for (const mapping of neighbours) addon.munmap(mapping);
  refuse('nothing');
  const areMapped = neighbours.map(({ address }) => isMapped(address));
  for (const mapping of others) addon.munmap(mapping);
  return areMapped;
}

/**
 * Neighbours but for the first ones, which may fill holes that others have left.
 * @param {number} length
 */
function newMappings(length) {
  return Array.from({ length }, () => unwrap(addon.mmap(LARGE_BYTES)));
}

/** All that is mapped. */
function sizeBytes() {
  const kilobytes = /VmSize:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}
