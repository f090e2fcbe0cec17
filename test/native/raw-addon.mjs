// @ts-check
// The addon's raw exports for tests, the same in the test's own thread and in a worker, where no
// TypeScript is translated.

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** @type {import('../../lib/native-backend/addon.ts').Addon} */
export const addon = require('../../build/Release/node_numa.node');

/** @type {{ pin(address: bigint, lengthBytes: number): number, unpin(id: number): void }} */
export const pinPage = require('../../build/Release/pin_page.node');

export const pageSizeBytes = addon.page_size_bytes();

/** A status that is neither a node nor an errno. */
export const UNWRITTEN = -10_000;

/**
 * @template T
 * @param {import('../../lib/backend/syscall-result.ts').SyscallResult<T>} result
 * @returns {T}
 */
export function unwrap(result) {
  if (!result.ok) throw new Error(`${result.syscall} failed with errno ${result.errno}`);
  return result.value;
}

/**
 * A mapping whose pages are all present.
 * @param {number} pageCount
 */
export function touchedMapping(pageCount) {
  const mapping = unwrap(addon.mmap(pageCount * pageSizeBytes));
  unwrap(addon.touch(mapping, 0, mapping.lengthBytes, 'write'));
  return mapping;
}

/** @param {number} pageCount */
export function newStatus(pageCount) {
  return new Int32Array(pageCount).fill(UNWRITTEN);
}

/** Collects garbage and lets finalizers run: they wait for a turn of the event loop. */
export async function collectGarbage() {
  for (let round = 0; round < 3; round += 1) {
    collectOnce();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** `--expose-gc` for a running process or thread; what is to be finalized waits for a turn. */
export function collectOnce() {
  const v8 = require('node:v8');
  v8.setFlagsFromString('--expose-gc');
  require('node:vm').runInNewContext('gc')();
}
