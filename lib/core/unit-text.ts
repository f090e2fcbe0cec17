/**
 * Numbers as people read them.
 */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;
const STEP = 1024;

/** In the place of what is not known. */
export const UNKNOWN = '?';

/** Bytes with three digits that count: "1.50 GiB", "512 MiB", "0 B". */
export function bytesText(bytes: number | null): string {
  if (bytes === null) return UNKNOWN;
  let value = bytes;
  let unit = 0;
  // What rounds to 1024 is one of the next unit.
  while (Math.round(value) >= STEP && unit < UNITS.length - 1) {
    value /= STEP;
    unit += 1;
  }
  const digits = Number.isInteger(value) || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** A share from 0 to 1 as "37 %"; only all is 100, and only none is 0. */
export function shareText(share: number | null): string {
  if (share === null) return UNKNOWN;
  if (share <= 0) return '0 %';
  if (share >= 1) return '100 %';
  return `${Math.min(99, Math.max(1, Math.round(share * 100)))} %`;
}

/** A time in nanoseconds: "850 us", "12.4 ms", "3.20 s". */
export function durationText(ns: number): string {
  if (ns < 1e6) return `${Math.round(ns / 1e3)} us`;
  if (ns < 1e9) return `${(ns / 1e6).toFixed(1)} ms`;
  return `${(ns / 1e9).toFixed(2)} s`;
}

/** "1 page", "12,345 pages". */
export function countText(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}
