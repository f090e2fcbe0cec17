/** A range of gigabytes with a few pages, on this kernel: what WebAssembly reserves. */

import { expect, it } from 'vitest';
import { openNuma } from '../../lib/index.ts';

const WASM_PAGE_BYTES = 65_536;

interface MemoryConstructor {
  new (limits: { initial: number; maximum: number }): { readonly buffer: ArrayBuffer };
}

/** Not among the types of Node. */
const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: { readonly Memory: MemoryConstructor };
};

it('the pages of a large reserve are found by what is there', async () => {
  const numa = openNuma({ backend: 'native' });
  const memory = new WebAssembly.Memory({ initial: 1, maximum: WASM_PAGE_BYTES });
  new Uint8Array(memory.buffer).fill(1);
  const own = numa.process();
  const reserves = (await own.mappings()).filter(
    ({ permissions, lengthBytes }) => permissions === '---p' && lengthBytes >= 2 ** 32,
  );
  expect(reserves).not.toHaveLength(0);
  const found: number[] = [];
  for (const { start, lengthBytes } of reserves) {
    const address = start - BigInt(WASM_PAGE_BYTES);
    const pageCount = (lengthBytes + WASM_PAGE_BYTES) / numa.pageSizeBytes;
    const runs = await own.locateRuns({ address, pageCount });
    expect(runs.every((run) => run.address < start)).toBe(true);
    found.push(runs.reduce((sum, run) => sum + run.pageCount, 0));
  }
  expect(found).toContain(WASM_PAGE_BYTES / numa.pageSizeBytes);
});
