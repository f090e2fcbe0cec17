/**
 * Bars of shares. With colour each part has its node's; without, its node's letter.
 */

import type { Colours } from './colours.ts';

/** A part of a bar. */
export interface BarPart {
  readonly amount: number;
  /** Paints it: `(text) => colours.node(0, text)`. */
  readonly paint: (text: string) => string;
  /** What it is drawn with where there are no colours. */
  readonly letter: string;
}

const BLOCK = '█';
const EMPTY = '░';
const EMPTY_PLAIN = '.';

/**
 * A bar of a width in columns. Each part that is not 0 has at least one column as long as there are
 * enough.
 */
export function bar(
  parts: readonly BarPart[],
  total: number,
  width: number,
  colours: Colours,
): string {
  const counts = columnsOf(
    parts.map(({ amount }) => amount),
    total,
    width,
  );
  const filled = parts.map(({ paint, letter }, at) => {
    const count = counts[at] as number;
    return count === 0 ? '' : paint((colours.isOn ? BLOCK : letter).repeat(count));
  });
  const used = counts.reduce((sum, count) => sum + count, 0);
  const rest = (colours.isOn ? EMPTY : EMPTY_PLAIN).repeat(width - used);
  return `${filled.join('')}${colours.dim(rest)}`;
}

/** Shares out columns: largest remainders first, so that they sum to what the parts are of all. */
function columnsOf(amounts: readonly number[], total: number, width: number): number[] {
  const all = Math.max(
    total,
    amounts.reduce((sum, amount) => sum + amount, 0),
  );
  if (all <= 0) return amounts.map(() => 0);
  const exact = amounts.map((amount) => (amount * width) / all);
  const counts = exact.map((share) => (share > 0 ? Math.max(1, Math.floor(share)) : 0));
  const wanted = Math.min(width, Math.round(exact.reduce((sum, share) => sum + share, 0)));
  const used = (): number => counts.reduce((sum, count) => sum + count, 0);
  const byNeed = exact.map((_, at) => at).sort((a, b) => need(b) - need(a));
  function need(at: number): number {
    return (exact[at] as number) - (counts[at] as number);
  }
  for (let turn = 0; used() < wanted && byNeed.length > 0; turn += 1) {
    const at = byNeed[turn % byNeed.length] as number;
    if ((exact[at] as number) > 0) counts[at] = (counts[at] as number) + 1;
  }
  while (used() > width) {
    const largest = counts.indexOf(Math.max(...counts));
    counts[largest] = (counts[largest] as number) - 1;
  }
  return counts;
}

/** Nodes by letter: 0 to 9, then a to z; `+` beyond. */
export function nodeLetter(index: number): string {
  return '0123456789abcdefghijklmnopqrstuvwxyz'[index] ?? '+';
}
