// @ts-check
// Copies that take pages' place, against the kernel's own move of the same base pages: 64 MB of
// memory that nobody writes, from small pages to huge ones where the kernel has them.

import { readFileSync, writeFileSync } from 'node:fs';
import { bind } from 'node-numa';
import { referenceOn } from './reference.mjs';
import { Samples } from './samples.mjs';
import { movedPageCount } from './stages.mjs';

const [home, away] = [0, 1];
const warmUpRounds = 2;
const hugePages = '/sys/kernel/mm/transparent_hugepage/enabled';

/**
 * Each sample has a buffer of its own: what has been copied is in huge pages.
 * @param {import('./stages.mjs').Bench} bench
 */
export async function measureCopies({ numa, rounds }) {
  const before = /\[(\w+)\]/.exec(readFileSync(hugePages, 'utf8'))?.[1] ?? 'never';
  const samples = new Samples();
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    const copy = await timeOf(numa, async (buffer) => {
      const start = process.hrtime.bigint();
      const promise = /** @type {const} */ ({
        concurrency: 'quiesced',
        mayBePinned: false,
        way: 'copy',
      });
      const { method, complete } = await buffer.migrate({ to: away, ...promise });
      const ns = Number(process.hrtime.bigint() - start);
      if (method !== 'copy' || !complete) throw new Error(`moved by ${method}`);
      return ns;
    });
    const mbind = await timeOf(numa, (buffer) => referenceOn(buffer).mbind(away));
    if (round < 0) continue;
    samples.add('migrate by copy', copy);
    samples.add('C mbind, to move', mbind);
  }
  writeFileSync(hugePages, before);
  return samples;
}

/**
 * @param {import('node-numa').Numa} numa
 * @param {(buffer: import('node-numa').MappedBuffer) => Promise<number>} move
 */
async function timeOf(numa, move) {
  writeFileSync(hugePages, 'never');
  const buffer = numa.allocate(movedPageCount * numa.pageSizeBytes, { policy: bind(home) });
  buffer.touch();
  writeFileSync(hugePages, 'always');
  const ns = await move(buffer);
  buffer.release();
  return ns;
}
