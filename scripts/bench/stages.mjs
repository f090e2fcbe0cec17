// @ts-check
// What is measured. In each stage the contestants take turns on the same kernel, and the order of
// turns is reversed from round to round, so that none always inherits the same state of the other.

import { bind, interleave } from 'node-numa';
import { referenceOn } from './reference.mjs';
import { Samples, timed } from './samples.mjs';

/** @typedef {import('node-numa').Backend} Backend */
/** @typedef {import('node-numa').MappedBuffer} MappedBuffer */
/** @typedef {import('node-numa').Numa} Numa */
/** @typedef {(to: number) => Promise<Record<string, number>>} Turn times by name */

/**
 * @typedef {object} Bench
 * @property {Numa} numa
 * @property {Numa} recordingNuma the same machine through the recording backend
 * @property {() => number} takeMoveNs
 * @property {Backend} backend the native one
 * @property {import('./reference.mjs').ReferenceProcess} separate
 * @property {number} rounds
 */

export const movedPageCount = 16384;
export const locatedPageCount = 65536;
export const chunkPageCounts = [2048, 4096, 8192, 16384];

/** The node on which buffers begin, and the other. */
const [home, away] = [0, 1];
const MPOL_MF_MOVE = 2;
const warmUpRounds = 3;
const locateWarmUpRounds = 8;
const singlePage = { rounds: 60, warmUpRounds: 20 };
/** Neither a node nor an errno. */
const statusUnset = -(2 ** 31);

/**
 * 64 MB from one node to another and back: the time of both ways is one sample.
 * @param {Bench} bench
 */
export async function measureMoves({ numa, recordingNuma, takeMoveNs, separate, rounds }) {
  const buffer = fill(numa, movedPageCount, bind(home));
  const recorded = recordingNuma.attach(buffer.handle);
  const reference = referenceOn(buffer);
  await separate.map(movedPageCount, home);
  /** @type {Turn[]} */
  const turns = [
    async (to) => ({ 'C move_pages': await reference.move(to) }),
    async (to) => {
      checkComplete(await recorded.migrate({ to }));
      return { 'move phase': takeMoveNs() };
    },
    async (to) => ({ 'C mbind': await reference.mbind(to) }),
    async (to) => {
      let report;
      const ns = await timed(async () => {
        report = await buffer.migrate({ to });
      });
      checkComplete(report);
      return { migrate: ns };
    },
    async (to) => {
      const before = await reference.locate();
      const untilMoved = before + (await reference.move(to));
      const receipt = untilMoved + (await reference.locate());
      return { 'C receipt': receipt, 'C locate, move': untilMoved };
    },
    async (to) => ({ 'C process: move_pages': await separate.move(to) }),
    async (to) => ({ 'C process: mbind': await separate.mbind(to) }),
  ];
  const samples = await takeTurns(turns, { rounds, warmUpRounds });
  recorded.release();
  buffer.release();
  return samples;
}

/**
 * Where 64 Ki pages are.
 * @param {Bench} bench
 */
export async function measureLocating({ numa, backend, separate, rounds }) {
  // The initial file system is in the memory of node 0: the other has more room.
  const buffer = fill(numa, locatedPageCount, bind(away));
  const reference = referenceOn(buffer);
  await separate.map(locatedPageCount, away);
  /** @type {Turn[]} */
  const turns = [
    async () => ({ 'C query': await reference.locate() }),
    async () => ({ residency: await timed(() => buffer.residency()) }),
    async () => ({ residencySync: await timed(() => buffer.residencySync()) }),
    async () => ({ 'C process: query': await separate.locate() }),
    ...chunkPageCounts.map((chunk) => async () => ({
      [`C query ${chunk}`]: await reference.locate(chunk),
      [`query ${chunk}`]: await timed(() => callInChunks(backend, buffer, null, chunk)),
    })),
  ];
  const samples = await takeTurns(turns, { rounds, warmUpRounds: locateWarmUpRounds });
  buffer.release();
  return samples;
}

/**
 * The same where no two neighbours are on one node: the worst case for counting.
 * @param {Bench} bench
 */
export async function measureLocatingMixed({ numa, rounds }) {
  const buffer = fill(numa, locatedPageCount, interleave([home, away]));
  const reference = referenceOn(buffer);
  /** @type {Turn[]} */
  const turns = [
    async () => ({ 'C query, mixed': await reference.locate() }),
    async () => ({ 'residency, mixed': await timed(() => buffer.residency()) }),
  ];
  const samples = await takeTurns(turns, { rounds, warmUpRounds: locateWarmUpRounds });
  buffer.release();
  return samples;
}

/**
 * The same move in calls of various sizes, straight through the backend, to tell what a chunk
 * costs.
 * @param {Bench} bench
 */
export async function measureChunks({ numa, backend, rounds }) {
  const buffer = fill(numa, movedPageCount, bind(home));
  const reference = referenceOn(buffer);
  const turns = chunkPageCounts.flatMap((chunk) => {
    /** @type {Turn[]} */
    const pair = [
      async (to) => ({ [`C move ${chunk}`]: await reference.move(to, chunk) }),
      async (to) => ({
        [`move ${chunk}`]: await timed(() => callInChunks(backend, buffer, to, chunk)),
      }),
    ];
    return pair;
  });
  const samples = await takeTurns(turns, { rounds: Math.ceil(rounds / 3), warmUpRounds: 1 });
  buffer.release();
  return samples;
}

/**
 * The fixed cost: one page there and back.
 * @param {Bench} bench
 */
export async function measureSinglePage({ numa, backend }) {
  const buffer = fill(numa, 1, bind(home));
  const reference = referenceOn(buffer);
  /** @type {Turn[]} */
  const turns = [
    async (to) => ({ 'C move_pages': await reference.move(to) }),
    async (to) => ({
      'backend.movePages': await timed(() => callInChunks(backend, buffer, to, 1)),
    }),
    async (to) => ({ migrate: await timed(() => buffer.migrate({ to })) }),
    async () => ({ 'C query': await reference.locate() }),
    async () => ({ residency: await timed(() => buffer.residency()) }),
    async () => ({ residencySync: await timed(() => buffer.residencySync()) }),
  ];
  const samples = await takeTurns(turns, singlePage);
  buffer.release();
  return samples;
}

/**
 * Lets each contestant go to the other node and back in each round.
 * @param {Turn[]} turns
 * @param {{ rounds: number, warmUpRounds: number }} count
 */
async function takeTurns(turns, { rounds, warmUpRounds }) {
  const samples = new Samples();
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) {
      const there = await turn(away);
      const back = await turn(home);
      if (round < 0) continue;
      for (const [name, ns] of Object.entries(there)) samples.add(name, ns + (back[name] ?? 0));
    }
  }
  return samples;
}

/**
 * Passes over a buffer's pages with bare calls of the backend.
 * @param {Backend} backend
 * @param {MappedBuffer} buffer
 * @param {number | null} nodes target, or null to ask where the pages are
 * @param {number} chunk
 */
async function callInChunks(backend, buffer, nodes, chunk) {
  const flags = nodes === null ? 0 : MPOL_MF_MOVE;
  for (let first = 0; first < buffer.pageCount; first += chunk) {
    const pageCount = Math.min(chunk, buffer.pageCount - first);
    const address = buffer.address + BigInt(first * backend.pageSizeBytes);
    const status = new Int32Array(pageCount).fill(statusUnset);
    const pages = { address, pageCount };
    const result = await backend.movePages({ pid: 0, pages, nodes, flags, status });
    if (!result.ok || result.value !== 0) throw new Error('pages were left behind');
  }
}

/**
 * A buffer with each page written to under a policy.
 * @param {Numa} numa
 * @param {number} pageCount
 * @param {import('node-numa').MemoryPolicy} policy
 */
function fill(numa, pageCount, policy) {
  const buffer = numa.allocate(pageCount * numa.pageSizeBytes);
  numa.thread.withPolicy(policy, () => buffer.bytes.fill(0x5a));
  return buffer;
}

/** @param {import('node-numa').MigrationReport | undefined} report */
function checkComplete(report) {
  if (report?.pages.moved !== movedPageCount) throw new Error('not every page was moved');
}
