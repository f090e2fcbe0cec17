/**
 * How the kernel lays out numbers in its text files.
 *
 * Source: fs/proc/util.c and fs/seq_file.c, seq_put_decimal_ull_width(); lib/vsprintf.c,
 * bitmap_string().
 */

import { KIB_BYTES } from '../../core/units.ts';

export const NAME_WIDTH = 16;
export const NUMBER_WIDTH = 8;
const ADDRESS_DIGITS = 8;
const GROUP_BITS = 32;
const BITS_PER_DIGIT = 4;

/** `Rss:                   4 kB`, as smaps and meminfo have it. */
export function kilobytesLine(name: string, bytes: number): string {
  return `${`${name}:`.padEnd(NAME_WIDTH)}${kilobytes(bytes)}`;
}

/** `VmRSS:	    1440 kB`, as status has it. */
export function statusKilobytesLine(name: string, bytes: number): string {
  return `${name}:\t${kilobytes(bytes)}`;
}

function kilobytes(bytes: number): string {
  return `${String(bytes / KIB_BYTES).padStart(NUMBER_WIDTH)} kB`;
}

/** A mask of so many bits in hexadecimal groups, as `%*pb` prints it. */
export function maskText(numbers: Iterable<number>, bitCount: number): string {
  let mask = 0n;
  for (const number of numbers) mask |= 1n << BigInt(number);
  const groups: string[] = [];
  for (let start = 0; start < bitCount; start += GROUP_BITS) {
    const bits = Math.min(GROUP_BITS, bitCount - start);
    const value = BigInt.asUintN(GROUP_BITS, mask >> BigInt(start));
    groups.unshift(value.toString(16).padStart(Math.ceil(bits / BITS_PER_DIGIT), '0'));
  }
  return groups.join(',');
}

/** Lines, each with its end. */
export function linesText(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

/** As maps and numa_maps have it. */
export function hexAddress(address: bigint): string {
  return address.toString(16).padStart(ADDRESS_DIGITS, '0');
}
