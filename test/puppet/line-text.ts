/** Numbers, node masks and lists as the puppet's protocol words them. */

import type { MaskArgument } from '../../lib/machine/numa.ts';

export function hex(value: bigint | number): string {
  return `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}`;
}

/** A pointer, or a list; one that is too short for `count` has no memory behind it. */
export function arrayText(
  array: bigint | BigUint64Array | Int32Array | null,
  count: number,
): string {
  if (array === null) return 'null';
  if (typeof array === 'bigint') return `@${hex(array)}`;
  const items = Array.from<bigint | number>(array).map((item) => (item < 0 ? item : hex(item)));
  return `${array.length < count ? 'end:' : ''}${items.join(',')}`;
}

/** `MASK MAXNODE`; a NULL mask has maxnode 0. */
export function maskText(mask: MaskArgument): string {
  if (mask === null) return 'null 0';
  if ('pointer' in mask) return `@${hex(mask.pointer)} ${hex(mask.maxnode)}`;
  return `${Array.from(mask.words, hex).join(',')} ${mask.maxnode}`;
}

/** migrate_pages(2) has one maxnode for two masks: the larger, both masks as long as that. */
export function maskPairText(from: MaskArgument, to: MaskArgument): string {
  const bits = Math.max(Number(from?.maxnode ?? 0), Number(to?.maxnode ?? 0));
  const wordCount = Math.ceil(bits / 64);
  const text = (mask: MaskArgument): string => {
    if (mask === null) return 'null';
    if ('pointer' in mask) return `@${hex(mask.pointer)}`;
    const words = Array.from(mask.words);
    while (words.length < wordCount) words.push(0n);
    return words.map(hex).join(',');
  };
  return `${bits} ${text(from)} ${text(to)}`;
}

/** `all:VALUE` where all are one. */
export function statusText(status: Int32Array): string {
  const [first] = status;
  const isOne = first !== undefined && status.every((value) => value === first);
  return isOne ? `all:${first}` : status.join(',') || 'null';
}

/** `0*3,-14` is 0, 0, 0, -14. */
export function listOf(text: string | undefined): string[] {
  if (text === undefined || text === 'none') return [];
  return text.split(',').flatMap((item) => {
    const [value = '', count = '1'] = item.split('*');
    return Array.from({ length: Number(count) }, () => value);
  });
}
