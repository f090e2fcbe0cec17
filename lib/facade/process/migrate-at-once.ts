/**
 * Moves a whole process in one call, which tells a number and no page: where its pages are then is
 * asked of numa_maps.
 *
 * Source: migrate_pages(2); mm/mempolicy.c, do_migrate_pages(), which passes over pages that others
 * map without counting them, unless the caller has CAP_SYS_NICE.
 */

import type { SyscallFailure } from '../../backend/syscall-result.ts';
import type { MigrationOutcome } from '../../core/migration-report.ts';
import type { NodeId, NodeMask } from '../../core/node-mask.ts';
import { nodemaskPair, nodemaskWords } from '../../core/nodemask-words.ts';
import { pagesByNodeOf, parseNumaMaps } from '../../procfs/numa-maps.ts';
import { type NodeMoves, targetOf } from './node-moves.ts';
import type { ProcessFiles } from './process-files.ts';
import { addBytes, type NodeBytes } from './process-mappings.ts';

/** What is known of a process's move in one call. */
export interface ProcessMigrationReport {
  readonly pid: number;
  readonly from: NodeMask;
  readonly to: NodeMask;
  /** Pages that could not be moved, as the kernel counts them: a huge page counts as one on kernels
   *  before 6.18. */
  readonly leftBehind: number;
  /** Bytes that are on nodes which were to be left, after the call: pages that the kernel counted,
   *  passed over, or that came meanwhile. `null` where numa_maps cannot be read. */
  readonly remaining: NodeBytes | null;
  /** Every page that is present is on its target: `outcome` is `complete`. */
  readonly complete: boolean;
  /** As of `MigrationReport`; `unknown` where nothing tells what remains. */
  readonly outcome: MigrationOutcome | 'unknown';
  readonly durationNs: number;
  readonly backend: string;
}

/** The failure is that of the call. */
export async function migrateAtOnce(
  { backend, pid }: ProcessFiles,
  moves: NodeMoves,
): Promise<ProcessMigrationReport | SyscallFailure> {
  const masks = nodemaskPair(nodemaskWords(moves.from), nodemaskWords(moves.to));
  const startNs = process.hrtime.bigint();
  const result = await backend.migratePages({ pid, ...masks });
  if (!result.ok) return result;
  const leftBehind = result.value;
  const numaMaps = await backend.readText(`/proc/${pid}/numa_maps`);
  const left = numaMaps.ok ? leftIn(numaMaps.value, moves, backend.pageSizeBytes) : null;
  const remaining = left === null ? null : left.bytes;
  const outcome = outcomeOf(leftBehind, left);
  return Object.freeze({
    pid,
    from: moves.from,
    to: moves.to,
    leftBehind,
    remaining,
    complete: outcome === 'complete',
    outcome,
    durationNs: Number(process.hrtime.bigint() - startNs),
    backend: backend.identity.kind,
  });
}

interface Left {
  readonly bytes: NodeBytes;
  /** All of it is in mappings with pages that others map, too. */
  readonly mayBeShared: boolean;
}

/** Pages of the process alone were not passed over: they came meanwhile, or could not be taken. */
function outcomeOf(leftBehind: number, left: Left | null): ProcessMigrationReport['outcome'] {
  if (leftBehind > 0) return 'partial';
  if (left === null) return 'unknown';
  if (Object.keys(left.bytes).length === 0) return 'complete';
  return left.mayBeShared ? 'spared' : 'partial';
}

function leftIn(numaMaps: string, moves: NodeMoves, pageSizeBytes: number): Left {
  const bytes: Record<NodeId, number> = {};
  let mayBeShared = true;
  for (const line of parseNumaMaps(numaMaps)) {
    const pages = [...pagesByNodeOf(line, pageSizeBytes)];
    const toMove = pages.filter(([node]) => targetOf(node, moves) !== node);
    addBytes(bytes, new Map(toMove), pageSizeBytes);
    if (toMove.length > 0 && line.mapCountMax <= 1) mayBeShared = false;
  }
  return { bytes: Object.freeze(bytes), mayBeShared };
}
