/**
 * This host's kernel for the tests of the facade, and what it tells of memory by other means than
 * the calls under test.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { type Backend, type MappedBuffer, type Numa, openNuma } from '../../lib/index.ts';
import { openNativeBackend } from '../../lib/native-backend/native-backend.ts';

/** A guest that may be exhausted says so with this file. */
const EXPENDABLE_MARKER = '/etc/node-numa-guest';
const BALANCING = '/proc/sys/kernel/numa_balancing';
const HUGE_PAGES = '/sys/kernel/mm/transparent_hugepage/enabled';

export const isExpendable: boolean = existsSync(EXPENDABLE_MARKER);

/** On whatever this machine is. */
export const numa: Numa = openNuma({ backend: 'native' });

/** The backend itself, for tests that stand between. */
export function openBackend(): Backend {
  const opened = openNativeBackend();
  if (!opened.ok) throw new Error(opened.reason);
  return opened.backend;
}

/** Whether pages are moved on another thread than the one that asked. */
export const hasOtherThreads: boolean = true;

/** Whether the caller may move what others share. */
export const isPrivileged: boolean = process.getuid?.() === 0;

/**
 * Chooses huge pages for what is mapped from now on, and returns how to put the choice back;
 * `undefined` where the choice is not ours.
 */
export function chooseHugePages(word: 'always' | 'never'): (() => void) | undefined {
  if (!isExpendable || !existsSync(HUGE_PAGES)) return undefined;
  const before = /\[(\w+)\]/.exec(readFileSync(HUGE_PAGES, 'utf8'))?.[1] ?? 'madvise';
  writeFileSync(HUGE_PAGES, word);
  return () => writeFileSync(HUGE_PAGES, before);
}

/**
 * Gives each node a pool of so many huge pages, as large as a page of the page table's worth, and
 * returns how to put the pools back; `undefined` where they are not ours.
 */
export function fillPools(pagesByNode: Readonly<Record<number, number>>): (() => void) | undefined {
  const kilobytes = (numa.pageSizeBytes * numa.pageSizeBytes) / 8 / 1024;
  const files = Object.entries(pagesByNode).map(([node, pages]) => {
    const pool = `hugepages/hugepages-${kilobytes}kB/nr_hugepages`;
    return { path: `/sys/devices/system/node/node${node}/${pool}`, pages };
  });
  if (!isExpendable || !files.every(({ path }) => existsSync(path))) return undefined;
  const before = files.map(({ path }) => ({ path, text: readFileSync(path, 'utf8') }));
  for (const { path, pages } of files) writeFileSync(path, `${pages}`);
  return () => {
    for (const { path, text } of before) writeFileSync(path, text);
  };
}

/** Whether memory that is touched now may come in huge pages, which makes counts by page vague. */
export function usesHugePages(): boolean {
  return existsSync(HUGE_PAGES) && readFileSync(HUGE_PAGES, 'utf8').includes('[always]');
}

/** AnonHugePages of the buffer's mapping, in bytes. */
export function hugeBytesOf({ address }: MappedBuffer): number {
  const smaps = readFileSync('/proc/self/smaps', 'utf8');
  const from = smaps.indexOf(`${address.toString(16)}-`);
  const kilobytes = /AnonHugePages:\s+(\d+) kB/.exec(smaps.slice(from))?.[1];
  return Number(kilobytes) * 1024;
}

/** The policy column of the range's line in /proc/self/numa_maps. */
export function policyInNumaMaps(buffer: MappedBuffer): string {
  const address = buffer.address.toString(16).padStart(8, '0');
  const lines = readFileSync('/proc/self/numa_maps', 'utf8').split('\n');
  const line = lines.find((candidate) => candidate.startsWith(`${address} `));
  if (line === undefined) throw new Error(`numa_maps has no line for ${address}`);
  return /^[0-9a-f]+ (.+?) (?:anon=|dirty=|file=|N\d+=|$)/.exec(`${line} `)?.[1]?.trim() ?? line;
}

/** Whether the kernel can move pages to their users by itself. */
export const hasBalancing: boolean = existsSync(BALANCING);

/** Switches automatic balancing on, and returns how to put it back. */
export function balanceNow(): () => void {
  const before = readFileSync(BALANCING, 'utf8');
  writeFileSync(BALANCING, '1');
  return () => writeFileSync(BALANCING, before);
}

interface PinAddon {
  pin(address: bigint, lengthBytes: number): number;
  unpin(id: number): void;
}

let pinAddon: PinAddon | undefined;

/** Keeps memory from moving until the returned function is called. */
export function pinMemory(address: bigint, lengthBytes: number): () => void {
  pinAddon ??= createRequire(import.meta.url)(
    fileURLToPath(new URL('../../build/Release/pin_page.node', import.meta.url)),
  ) as PinAddon;
  const addon = pinAddon;
  const id = addon.pin(address, lengthBytes);
  return () => addon.unpin(id);
}
