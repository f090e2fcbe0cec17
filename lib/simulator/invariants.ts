/**
 * What holds of a machine between two calls, whatever was called: each present page is on one
 * node, every count agrees with what it counts, and the nodes' memory adds up.
 */

import type { MachineState } from './machine.ts';
import type { LockOwner } from './memory/folio.ts';
import type { Mm } from './memory/mm.ts';
import {
  folioIdOf,
  isFolio,
  isInline,
  isIsolatedInline,
  isMigration,
  migratingFolioId,
  NONE,
  nodeOfInline,
} from './memory/page-entry.ts';
import type { Vma } from './memory/vma.ts';

/** Everything that is wrong, as sentences; the empty list is right. Changes nothing. */
export function invariantBreaches(machine: MachineState): string[] {
  const census = new Census();
  for (const { mm } of machine.processes) census.count(mm);
  return [
    ...census.breaches,
    ...flightBreaches(machine, census.migrating),
    ...folioBreaches(machine, census.entries),
    ...memoryBreaches(machine, census.inlinePages),
    ...objectBreaches(machine),
  ];
}

/** What the page tables of all processes say. */
class Census {
  readonly breaches: string[] = [];
  /** Ordinary pages by node. */
  readonly inlinePages = new Map<number, number>();
  /** Entries that name a folio, by its number. */
  readonly entries = new Map<number, number>();
  /** Folios that migration entries name. */
  readonly migrating = new Set<number>();

  count(mm: Mm): void {
    let last = 0;
    for (const { start, end } of mm.vmas) {
      if (start < last || end <= start) this.breaches.push(`mapping ${start}-${end} overlaps`);
      last = end;
    }
    const covers = coverageOf([...mm.vmas]);
    mm.pages.forEachTable((page, pageCount, entry) => {
      if (entry === NONE) return;
      if (!covers(page, page + pageCount)) {
        this.breaches.push(`page ${page} has an entry and no mapping`);
      }
      if (isInline(entry)) {
        if (isIsolatedInline(entry)) this.breaches.push(`page ${page} is still isolated`);
        add(this.inlinePages, nodeOfInline(entry), pageCount);
      }
      if (isFolio(entry)) add(this.entries, folioIdOf(entry), pageCount);
      if (isMigration(entry)) this.migrating.add(migratingFolioId(entry));
    });
  }
}

/** Whether mappings cover ranges that are asked for in ascending order. */
function coverageOf(vmas: readonly Vma[]): (start: number, end: number) => boolean {
  let index = 0;
  return (start, end) => {
    while ((vmas[index]?.end ?? Number.POSITIVE_INFINITY) <= start) index += 1;
    let covered = start;
    for (let at = index; covered < end; at += 1) {
      const vma = vmas[at];
      if (vma === undefined || vma.start > covered) return false;
      covered = vma.end;
    }
    return true;
  };
}

function add(counts: Map<number, number>, key: number, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

function folioBreaches(machine: MachineState, entries: ReadonlyMap<number, number>): string[] {
  const found: string[] = [];
  for (const [id, folio] of machine.memory.folios) {
    const count = entries.get(id) ?? 0;
    if (folio.mapCount !== count)
      found.push(`folio ${id} is mapped ${count} times, not ${folio.mapCount}`);
    const isKept = folio.object?.pages.get(folio.index) === id;
    const isUsed = count > 0 || folio.isHeld || isKept || folio.isInFlight;
    if (!isUsed) found.push(`folio ${id} is nobody's`);
  }
  return found;
}

/** What is on its way belongs to one call that goes on: a folio is on one list, its node's or a
 *  call's. */
function flightBreaches({ memory }: MachineState, migrating: Set<number>): string[] {
  const { folios, inFlight } = memory;
  const lists = [...inFlight.calls].map(({ isolated }) => isolated);
  const owners: ReadonlySet<LockOwner> = inFlight.calls;
  const found: string[] = [];
  for (const [id, folio] of folios) {
    const count = lists.filter((list) => list.has(folio)).length;
    if (count !== (folio.isIsolated ? 1 : 0)) {
      found.push(`folio ${id} is ${folio.isIsolated ? '' : 'not '}isolated, by ${count} calls`);
    }
    const isLockLost = folio.lockedBy !== null && !owners.has(folio.lockedBy);
    if (isLockLost) found.push(`folio ${id} is locked by a call that has ended`);
    const isAwaited = migrating.delete(id);
    if (isAwaited && folio.lockedBy === null) found.push(`nobody moves folio ${id} any more`);
  }
  for (const id of migrating) found.push(`a migration entry names folio ${id}, which is gone`);
  return found;
}

/** Free and used pages of each node are all that it has. */
function memoryBreaches(
  { memory, description }: MachineState,
  inline: ReadonlyMap<number, number>,
): string[] {
  const { physical, folios, pool, tablePages } = memory;
  const used = new Map(inline);
  for (const [, { node, pageCount }] of folios) add(used, node, pageCount);
  return description.nodes.flatMap(({ id }) => {
    const setAside = pool.freePages(id) * tablePages;
    const sum = physical.freePages(id) + setAside + (used.get(id) ?? 0);
    const total = physical.totalPages(id);
    return sum === total ? [] : [`node ${id} has ${total} pages, and ${sum} are free or used`];
  });
}

/** An object is used by as many pages as are mapped of it, and descriptors beside them. */
function objectBreaches(machine: MachineState): string[] {
  const mapped = new Map<object, number>();
  for (const { mm } of machine.processes) {
    for (const { object, start, end } of mm.vmas) {
      if (object !== null) mapped.set(object, (mapped.get(object) ?? 0) + end - start);
    }
  }
  const found: string[] = [];
  for (const { mm } of machine.processes) {
    for (const { object } of mm.vmas) {
      if (object === null || object.users >= (mapped.get(object) ?? 0)) continue;
      found.push(`object ${object.inode} has ${object.users} users, and more mapped pages`);
    }
  }
  return found;
}
