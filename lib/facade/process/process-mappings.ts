/**
 * A process's mappings with their pages: what smaps and numa_maps say of each, joined.
 *
 * Source: proc_pid_smaps(5), numa(7). The two files are read one after the other, while the process
 * goes on: a mapping that is in one of them only is told with what is known of it.
 */

import { withJson } from '../../core/json.ts';
import type { MappingKind } from '../../core/mapping-kind.ts';
import type { NodeId } from '../../core/node-mask.ts';
import { mappingKindOf } from '../../procfs/mapping-kind.ts';
import type { NumaMapsEntry } from '../../procfs/numa-maps.ts';
import { parseNumaMaps } from '../../procfs/numa-maps.ts';
import { parseSmaps, type SmapsEntry } from '../../procfs/smaps.ts';
import { type ProcessFiles, readProcessFile } from './process-files.ts';

/** Bytes by node; only nodes with any. */
export type NodeBytes = Readonly<Record<NodeId, number>>;

export interface ProcessMapping {
  readonly start: bigint;
  /** First address behind it. */
  readonly end: bigint;
  readonly lengthBytes: number;
  readonly kind: MappingKind;
  /** Path of its file, or the kernel's word in brackets; `null` for plain anonymous memory. */
  readonly name: string | null;
  /** `rwxp` or `rwxs`. */
  readonly permissions: string;
  /** Its policy as the kernel writes it, the thread's where it has none of its own: `bind:0-1`. */
  readonly policy: string;
  readonly residentBytes: number;
  readonly bytesByNode: NodeBytes;
  /** In transparent huge pages. */
  readonly hugeBytes: number;
  readonly swappedBytes: number;
  readonly lockedBytes: number;
  /** The most page tables that one of its pages is in: above 1 somebody shares it. */
  readonly mapCountMax: number;
  /** Size of the pages that it is made of; a pool's are larger. */
  readonly kernelPageSizeBytes: number;
}

/** All mappings, ascending. @throws NumaError as `readProcessFile` */
export async function readMappings(files: ProcessFiles): Promise<ProcessMapping[]> {
  const numaMaps = parseNumaMaps(await readProcessFile(files, 'numa_maps'));
  const smaps = parseSmaps(await readProcessFile(files, 'smaps'));
  return joinMappings(smaps, numaMaps, files.backend.pageSizeBytes);
}

/** Joins by address. A line of numa_maps whose mapping has grown or been joined since belongs to
 *  the mapping around it; one whose mapping is gone belongs to nobody. */
export function joinMappings(
  smaps: readonly SmapsEntry[],
  numaMaps: readonly NumaMapsEntry[],
  pageSizeBytes: number,
): ProcessMapping[] {
  const ascending = [...numaMaps].sort((a, b) => (a.start < b.start ? -1 : 1));
  let next = 0;
  return smaps.map((entry) => {
    while (next < ascending.length && (ascending[next] as NumaMapsEntry).start < entry.start) {
      next += 1;
    }
    const lines: NumaMapsEntry[] = [];
    while (next < ascending.length && (ascending[next] as NumaMapsEntry).start < entry.end) {
      lines.push(ascending[next] as NumaMapsEntry);
      next += 1;
    }
    return mappingOf(entry, lines, pageSizeBytes);
  });
}

function mappingOf(
  entry: SmapsEntry,
  lines: readonly NumaMapsEntry[],
  basePageSizeBytes: number,
): ProcessMapping {
  // What a line of numa_maps does not tell, smaps may.
  const pageSizeBytes = entry.kernelPageSizeBytes || basePageSizeBytes;
  const bytesByNode: Record<NodeId, number> = {};
  for (const { pagesByNode, kernelPageSizeBytes } of lines)
    addBytes(bytesByNode, pagesByNode, kernelPageSizeBytes || pageSizeBytes);
  const { start, end, name, permissions } = entry;
  const isHugetlb = lines.some((line) => line.isHugetlb);
  return withJson({
    start,
    end,
    lengthBytes: Number(end - start),
    kind: mappingKindOf(entry, isHugetlb),
    name,
    permissions,
    policy: lines[0]?.policy ?? 'default',
    residentBytes: Object.values(bytesByNode).reduce((sum, bytes) => sum + bytes, 0),
    bytesByNode,
    hugeBytes: entry.hugeBytes,
    swappedBytes: entry.swappedBytes,
    lockedBytes: entry.lockedBytes,
    mapCountMax: lines.reduce((most, line) => Math.max(most, line.mapCountMax), 0),
    kernelPageSizeBytes: pageSizeBytes,
  });
}

/** Adds pages of one size. */
export function addBytes(
  bytesByNode: Record<NodeId, number>,
  pagesByNode: ReadonlyMap<NodeId, number>,
  pageSizeBytes: number,
): void {
  for (const [node, pages] of pagesByNode) {
    bytesByNode[node] = (bytesByNode[node] ?? 0) + pages * pageSizeBytes;
  }
}
