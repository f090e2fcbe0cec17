/**
 * /proc/PID/smaps: what is in each mapping, by kind of page, with the line of maps at its head.
 *
 * Source: proc_pid_smaps(5); fs/proc/task_mmu.c, show_smap().
 */

import { KIB_BYTES } from '../core/units.ts';
import { type MapsEntry, parseMapsLine } from './maps.ts';

export interface SmapsEntry extends MapsEntry {
  readonly kernelPageSizeBytes: number;
  readonly residentBytes: number;
  /** Its share of pages that several processes map, each counted in parts. */
  readonly proportionalBytes: number;
  /** In transparent huge pages that are mapped as one, whatever they hold. */
  readonly hugeBytes: number;
  readonly swappedBytes: number;
  readonly lockedBytes: number;
  /** Two letters each: `lo` is locked, `mm` mixed map, `hg` advised huge. */
  readonly flags: readonly string[];
}

const FIELD = /^(\w+): +(\d+) kB$/;
const FLAGS = 'VmFlags:';

export function parseSmaps(text: string): SmapsEntry[] {
  const entries: SmapsEntry[] = [];
  let maps: MapsEntry | null = null;
  let fields = new Map<string, number>();
  let flags: string[] = [];
  const finish = (): void => {
    if (maps !== null) entries.push(entryOf(maps, fields, flags));
    fields = new Map();
    flags = [];
  };
  for (const line of text.split('\n')) {
    const field = FIELD.exec(line);
    if (field !== null) {
      fields.set(field[1] as string, Number(field[2]) * KIB_BYTES);
    } else if (line.startsWith(FLAGS)) {
      flags = line.slice(FLAGS.length).trim().split(/ +/).filter(Boolean);
    } else {
      const head = parseMapsLine(line);
      if (head === null) continue;
      finish();
      maps = head;
    }
  }
  finish();
  return entries;
}

function entryOf(
  maps: MapsEntry,
  fields: ReadonlyMap<string, number>,
  flags: readonly string[],
): SmapsEntry {
  const bytes = (name: string): number => fields.get(name) ?? 0;
  return {
    ...maps,
    kernelPageSizeBytes: bytes('KernelPageSize'),
    residentBytes: bytes('Rss') + bytes('Shared_Hugetlb') + bytes('Private_Hugetlb'),
    proportionalBytes: bytes('Pss'),
    hugeBytes: bytes('AnonHugePages') + bytes('ShmemPmdMapped') + bytes('FilePmdMapped'),
    swappedBytes: bytes('Swap'),
    lockedBytes: bytes('Locked'),
    flags,
  };
}
