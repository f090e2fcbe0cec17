/**
 * What everything that moves pages does to a kind of memory, in words, as a table: the text that
 * examples/pinned-buffer.mjs and examples/driver-memory.mjs print. A cell is `moves`, or `stays`
 * with what the call said of it.
 */

import type { KernelFacts } from '../../lib/core/kernel-facts.ts';
import type { Group, Kind } from './pinned-kinds.ts';

const [NAME_COLUMNS, CELL_COLUMNS] = [23, 20];
const LINES = [
  'mbind MOVE',
  'mbind MOVE|STRICT',
  'mbind MOVE_ALL|STRICT',
  'move_pages',
  'migrate_pages',
  'balancing',
] as const;

/** A line for each call, a column for each state; `cellsOf` tells a column from top to bottom. */
export function tableOf(
  { name, kinds }: Group,
  cellsOf: (kind: Kind) => readonly string[],
): string {
  const columns = kinds.map((kind) => [kind.state, ...cellsOf(kind)]);
  const lines = [name, ...LINES].map((head, index) => {
    const cells = columns.map((column) => (column[index] ?? '').padEnd(CELL_COLUMNS));
    return `${head.padEnd(NAME_COLUMNS)}${cells.join('')}`.trimEnd();
  });
  return lines.join('\n');
}

export function balancedFate({ fate, isShared }: Kind, facts: KernelFacts): 'moves' | 'stays' {
  const isBalanced = isShared !== true || facts.balancesSharedMemory;
  return fate === 'moves' && isBalanced ? 'moves' : 'stays';
}

/** What move_pages and migrate_pages say of pages that stay: they count folios. */
function saidOfStaying({ fate, isHuge }: Kind, facts: KernelFacts): [string, string] {
  if (fate === 'on no list') {
    return ['EBUSY', `counts ${{ nothing: 0, folios: 1, pages: 4 }[facts.countsUnisolated]}`];
  }
  return isHuge ? ['counts 1', 'counts 1'] : ['counts 4', 'counts 4'];
}

function expectedCells(kind: Kind, facts: KernelFacts): string[] {
  const [moved, migrated] = saidOfStaying(kind, facts);
  const said = ['no error', 'EIO', 'EIO', moved, migrated];
  const calls = said.map((one) => (kind.fate === 'moves' ? 'moves' : `stays, ${one}`));
  return [...calls, balancedFate(kind, facts)];
}

/** The table as it must be on a kernel. */
export function expectedTable(group: Group, facts: KernelFacts): string {
  return tableOf(group, (kind) => expectedCells(kind, facts));
}
