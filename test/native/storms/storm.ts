/**
 * What storms share. Each runs in a process of its own, with its options as its only argument, and
 * ends with one line that says what it has done: scripts/sanitize reads it.
 */

import { createRequire } from 'node:module';
import type { Addon } from '../../../lib/native-backend/addon.ts';

/** Beside this file's bundle, as in the package. */
export const addon: Addon = createRequire(import.meta.url)('../../build/Release/node_numa.node');

export type Facade = typeof import('../../../lib/index.ts');

/** The facade as it is built: a bundle of it would not look for an addon. */
export async function loadFacade(): Promise<Facade> {
  const { href } = new URL('../../dist/index.js', import.meta.url);
  return import(href);
}

/** Begins the line that the starter looks for. */
const RESULT_MARK = 'storm-result:';

export function optionsOf<Options>(): Options {
  return JSON.parse(process.argv[2] ?? '{}');
}

/** The last line of a storm that came to its end. */
export function finish(result: object): void {
  process.stdout.write(`${RESULT_MARK}${JSON.stringify(result)}\n`);
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Collects garbage and lets finalizers run: they wait for a turn of the event loop. */
export async function collectGarbage(): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    (globalThis as unknown as { gc(): void }).gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Fails loudly where an operation never ends: a storm must not wait for the starter's patience. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not end in ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
