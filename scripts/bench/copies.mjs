// @ts-check
// Copies that take pages' place, against the kernel's own move of the same base pages: 64 MB of
// memory that nobody uses, from small pages to huge ones, and back in the huge pages that earlier
// moves have left.

import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { bind } from 'node-numa';
import { referenceOn } from './reference.mjs';
import { Samples } from './samples.mjs';
import { movedPageCount } from './stages.mjs';

const [home, away] = [0, 1];
const warmUpRounds = 2;
/** What a change of the setting begins in the kernel ends meanwhile; idle time passes at once. */
const settleMs = 30;
const hugePages = '/sys/kernel/mm/transparent_hugepage/enabled';
const promise = /** @type {const} */ ({ concurrency: 'quiesced', mayBePinned: false });

/**
 * Each sample has a buffer of its own: what has been copied is in huge pages.
 * @param {import('./stages.mjs').Bench} bench
 */
export async function measureCopies({ numa, rounds }) {
  const before = /\[(\w+)\]/.exec(readFileSync(hugePages, 'utf8'))?.[1] ?? 'never';
  const samples = new Samples();
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    const small = await bufferIn(numa, 'never');
    const there = await timeOfCopy(small, away);
    // From here on in huge pages; those of the second way back are there from the first.
    await timeOfCopy(small, home);
    await timeOfCopy(small, away);
    const back = await timeOfCopy(small, home);
    small.release();
    const mbind = [];
    for (const word of /** @type {const} */ (['never', 'always'])) {
      const buffer = await bufferIn(numa, word);
      mbind.push(await referenceOn(buffer).mbind(away));
      buffer.release();
    }
    if (round < 0) continue;
    samples.add('migrate by copy', there);
    samples.add('migrate, huge', back);
    samples.add('C mbind, to move', mbind[0] ?? 0);
    samples.add('C mbind, huge', mbind[1] ?? 0);
  }
  writeFileSync(hugePages, before);
  return samples;
}

/**
 * @param {import('node-numa').MappedBuffer} buffer
 * @param {number} to
 */
async function timeOfCopy(buffer, to) {
  const start = process.hrtime.bigint();
  const { method, complete } = await buffer.migrate({ to, ...promise, way: 'copy' });
  const ns = Number(process.hrtime.bigint() - start);
  if (method !== 'copy' || !complete) throw new Error(`moved by ${method}`);
  return ns;
}

/**
 * @param {import('node-numa').Numa} numa
 * @param {'never' | 'always'} word
 */
async function bufferIn(numa, word) {
  writeFileSync(hugePages, word);
  const buffer = numa.allocate(movedPageCount * numa.pageSizeBytes, { policy: bind(home) });
  buffer.touch();
  writeFileSync(hugePages, 'always');
  await setTimeout(settleMs);
  return buffer;
}
