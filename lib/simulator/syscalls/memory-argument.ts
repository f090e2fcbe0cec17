/**
 * Memory of the caller that a call reads or writes: an array that is there, or an address that may
 * lead nowhere. The simulator has no bytes behind addresses, so an address that can be read is one
 * that the caller says holds zeros.
 */

/** Words of a mask, with the number of them that can be read before memory ends. */
export interface MaskMemory {
  /** The word at an index, or undefined where the memory cannot be read. */
  word(index: number): bigint | undefined;
}

/** A mask whose words are all there; those behind it read as 0. */
export function maskMemory(words: BigUint64Array): MaskMemory {
  return { word: (index) => words[index] ?? 0n };
}

/** An address that nothing is mapped at. */
export const UNREADABLE: MaskMemory = { word: () => undefined };
