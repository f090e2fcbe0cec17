// @ts-check
// This process's address space as the kernel sees it.

import { readFileSync } from 'node:fs';

/** Number of ranges in /proc/self/maps. */
export function mapCount() {
  return readFileSync('/proc/self/maps', 'utf8').trimEnd().split('\n').length;
}

/**
 * Whether any range covers the address.
 * @param {bigint} address
 */
export function isMapped(address) {
  return readFileSync('/proc/self/maps', 'utf8')
    .trimEnd()
    .split('\n')
    .some((line) => {
      const [begin = '', end = ''] = (line.split(' ')[0] ?? '').split('-');
      return BigInt(`0x${begin}`) <= address && address < BigInt(`0x${end}`);
    });
}
