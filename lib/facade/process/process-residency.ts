/**
 * Where a process's memory is: by node, and by kind.
 *
 * Source: numa(7). Every page is counted where this process maps it: pages that several processes
 * share are in the residency of each of them.
 */

import { MAPPING_KINDS, type MappingKind } from '../../core/mapping-kind.ts';
import type { NodeId } from '../../core/node-mask.ts';
import { mappingKindOf, type NamedMapping } from '../../procfs/mapping-kind.ts';
import { fileName, type MapsEntry, parseMaps } from '../../procfs/maps.ts';
import { type NumaMapsEntry, pagesByNodeOf, parseNumaMaps } from '../../procfs/numa-maps.ts';
import { type ProcessFiles, readProcessFile } from './process-files.ts';
import { addBytes, type NodeBytes } from './process-mappings.ts';

/** Resident memory of one kind. */
export interface KindResidency {
  readonly residentBytes: number;
  readonly bytesByNode: NodeBytes;
}

export interface ProcessResidency {
  readonly pid: number;
  /** In the memory of a node; the sum of `bytesByNode`. */
  readonly residentBytes: number;
  readonly bytesByNode: NodeBytes;
  /** The same by kind; they sum to it. */
  readonly byKind: Readonly<Record<MappingKind, KindResidency>>;
  readonly mappingCount: number;
}

interface Sums {
  residentBytes: number;
  readonly bytesByNode: Record<NodeId, number>;
}

/** @throws NumaError as `readProcessFile` */
export async function readResidency(files: ProcessFiles): Promise<ProcessResidency> {
  const numaMaps = parseNumaMaps(await readProcessFile(files, 'numa_maps'));
  const maps = parseMaps(await readProcessFile(files, 'maps'));
  return sumResidency(files, numaMaps, maps);
}

/** @param maps what is mapped where: each line of numa_maps is of the kind of its mapping */
export function sumResidency(
  { pid, backend }: ProcessFiles,
  numaMaps: readonly NumaMapsEntry[],
  maps: readonly MapsEntry[],
): ProcessResidency {
  const names = new Map(maps.map((entry) => [entry.start, entry]));
  const kinds = new Map(MAPPING_KINDS.map((kind) => [kind, noBytes()]));
  const all = noBytes();
  for (const line of numaMaps) {
    const kind = mappingKindOf(names.get(line.start) ?? nameOf(line), line.isHugetlb);
    const pages = pagesByNodeOf(line, backend.pageSizeBytes);
    for (const sums of [all, kinds.get(kind) as Sums]) {
      addBytes(sums.bytesByNode, pages, backend.pageSizeBytes);
    }
  }
  for (const sums of [all, ...kinds.values()]) {
    sums.residentBytes = Object.values(sums.bytesByNode).reduce((sum, bytes) => sum + bytes, 0);
  }
  const byKind = Object.fromEntries(kinds) as Record<MappingKind, KindResidency>;
  return Object.freeze({ pid, ...all, byKind, mappingCount: numaMaps.length });
}

function noBytes(): Sums {
  return { residentBytes: 0, bytesByNode: {} };
}

/** What numa_maps says itself, of a mapping that was gone when maps was read. */
function nameOf({ file, isHeap, isStack }: NumaMapsEntry): NamedMapping {
  const shown = file ?? (isHeap ? '[heap]' : isStack ? '[stack]' : null);
  return { ...fileName(shown), deviceMajor: 0 };
}
