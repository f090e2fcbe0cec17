/** Moves by copies while others look at the memory, write to it, or end. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { addon, pageSizeBytes, touchedMapping, unwrap } from './raw-addon.mjs';

const PAGE_COUNT = 2048;
const ROUNDS = 6;
const BODY = new URL('workers/copy-racer.mjs', import.meta.url);

const workers: Worker[] = [];
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.terminate()));
});

function mappingAndBytes() {
  const mapping = touchedMapping(PAGE_COUNT);
  return { mapping, bytes: new Uint8Array(unwrap(addon.array_buffer(mapping))) };
}

async function start(task: string, mapping: ReturnType<typeof touchedMapping>): Promise<Worker> {
  const worker = new Worker(BODY, { workerData: { task, handle: mapping.handle } });
  workers.push(worker);
  await once(worker, 'message');
  return worker;
}

async function copy(mapping: ReturnType<typeof touchedMapping>): Promise<void> {
  const pending = addon.copy_pages_async(mapping, 0, mapping.lengthBytes, 0, [], 0, null, 0, -1);
  const { errno, status } = unwrap(await pending);
  expect(errno).toBe(0);
  expect(status.every((place) => place === 0)).toBe(true);
}

describe('copies that take the place of pages', () => {
  it('show a reader no other byte', async () => {
    const { mapping, bytes } = mappingAndBytes();
    for (let at = 0; at < bytes.length; at += pageSizeBytes)
      bytes[at] = 1 + ((at / pageSizeBytes) % 255);
    const reader = await start('read', mapping);
    for (let round = 0; round < ROUNDS; round += 1) await copy(mapping);
    reader.postMessage('end');
    const [{ reads, wrong }] = await once(reader, 'message');
    expect(reads).toBeGreaterThan(PAGE_COUNT);
    expect(wrong).toBe(0);
    addon.munmap(mapping);
  });

  it('leave the memory to its owner as soon as their end is told', async () => {
    const { mapping } = mappingAndBytes();
    await copy(mapping);
    const longer = unwrap(addon.mremap(mapping, 2 * mapping.lengthBytes, new BigUint64Array()));
    addon.munmap(longer);
  });

  it('go on over the end of the memory and of the thread that asked for them', async () => {
    const { mapping, bytes } = mappingAndBytes();
    bytes.fill(7);
    for (let round = 0; round < ROUNDS; round += 1) {
      const worker = await start('copy', mapping);
      await worker.terminate();
      expect(bytes.every((byte) => byte === 7)).toBe(true);
    }
    const pending = addon.copy_pages_async(mapping, 0, mapping.lengthBytes, 0, [], 0, null, 0, -1);
    addon.munmap(mapping);
    expect(unwrap(await pending).errno).toBe(0);
    const late = addon.copy_pages_async(mapping, 0, pageSizeBytes, 0, [], 0, null, 0, -1);
    expect(await late).toMatchObject({ ok: false });
  });
});
