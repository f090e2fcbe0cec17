/** Buffers whose pages are at known places and hold known data. */

import { expect } from 'vitest';
import {
  type Access,
  bind,
  defaultPolicy,
  type MappedBuffer,
  type MigrationReport,
} from '../../lib/index.ts';
import { numa, pinMemory } from './subject.ts';

export const PAGE = numa.pageSizeBytes;

/** Pages in `megabytes` of memory. */
export function pagesIn(megabytes: number): number {
  return (megabytes * 2 ** 20) / PAGE;
}

/** A buffer whose pages are on one node, and whose own policy is the default again. */
export function allocateOn(
  node: number,
  pageCount: number,
  access: Access = 'write',
): MappedBuffer {
  const buffer = numa.allocate(pageCount * PAGE, { policy: bind(node) });
  buffer.touch({ access });
  buffer.setPolicy(defaultPolicy());
  return buffer;
}

/** Fills each page's first words with numbers that depend on the page. */
export function writePattern(buffer: MappedBuffer, seed = 1): void {
  const words = wordsOf(buffer);
  const wordsPerPage = PAGE / words.BYTES_PER_ELEMENT;
  for (let page = 0; page < buffer.pageCount; page += 1) {
    words[page * wordsPerPage] = Math.imul(page + seed, 2654435761);
    words[(page + 1) * wordsPerPage - 1] = ~page;
  }
}

/** Sum over the words that `writePattern` writes; it changes when two pages are exchanged. */
export function checksum(buffer: MappedBuffer): number {
  const words = wordsOf(buffer);
  const wordsPerPage = PAGE / words.BYTES_PER_ELEMENT;
  let sum = 0;
  for (let page = 0; page < buffer.pageCount; page += 1) {
    const first = words[page * wordsPerPage] ?? 0;
    sum = (Math.imul(sum, 31) + first + (words[(page + 1) * wordsPerPage - 1] ?? 0)) | 0;
  }
  return sum;
}

function wordsOf(buffer: MappedBuffer): Int32Array {
  return new Int32Array(buffer.bytes.buffer, 0, buffer.lengthBytes / 4);
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** Every page of a report is accounted for once, and by node before and after. */
export function expectAccounted(report: MigrationReport, pageCount: number): void {
  const { total, ...parts } = report.pages;
  expect(total).toBe(pageCount);
  expect(sumOf(parts), JSON.stringify(report.pages)).toBe(total);
  expect(Object.values(parts).every((count) => count >= 0)).toBe(true);
  expect(sumOf(report.failedBy)).toBe(parts.failed);
  const onTarget = parts.moved + parts.alreadyThere;
  expect(report.after[report.target] ?? 0).toBe(onTarget);
  // Another move may carry a page away from the target between the look and the move.
  expect(report.before[report.target] ?? 0).toBeGreaterThanOrEqual(parts.alreadyThere);
  const absent = parts.notPresent + parts.zeroPage;
  expect(report.complete).toBe(onTarget + absent === total);
}

/** The report's last word on each page is what the kernel says now. */
export function expectTrueOf(buffer: MappedBuffer, report: MigrationReport): void {
  expectAccounted(report, buffer.pageCount);
  expect(report.before[report.target] ?? 0).toBe(report.pages.alreadyThere);
  const now = buffer.residencySync();
  expect(report.after).toEqual(now.byNode);
  expect(report.pages.notPresent).toBe(now.pages.notPresent);
  expect(report.pages.zeroPage).toBe(now.pages.zeroPage);
}

/** Keeps pages of a buffer from moving until the returned function is called. */
export function pinPages(buffer: MappedBuffer, firstPage: number, pageCount = 1): () => void {
  return pinMemory(buffer.address + BigInt(firstPage * PAGE), pageCount * PAGE);
}
