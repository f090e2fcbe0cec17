/**
 * Moves a whole process in one call, which tells a number and no page: where its pages are then is
 * asked of numa_maps.
 *
 * Source: migrate_pages(2); mm/mempolicy.c, do_migrate_pages(), which passes over pages that others
 * map without counting them, unless the caller has CAP_SYS_NICE.
 */

import type { Backend } from '../../backend/backend.ts';
import type { SyscallFailure } from '../../backend/syscall-result.ts';
import type { MigrationOutcome } from '../../core/migration-report.ts';
import type { NodeId, NodeMask } from '../../core/node-mask.ts';
import { nodemaskPair, nodemaskWords } from '../../core/nodemask-words.ts';
import { pagesByNodeOf, parseNumaMaps } from '../../procfs/numa-maps.ts';
import { movesShared } from '../capabilities/denial.ts';
import { NO_PAGES, outcomeOf } from '../pages/migration-tally.ts';
import { type NodeMoves, targetOf } from './node-moves.ts';
import type { ProcessFiles } from './process-files.ts';
import type { NodeBytes } from './process-mappings.ts';

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
  const read = async () => {
    const numaMaps = await backend.readText(`/proc/${pid}/numa_maps`);
    return numaMaps.ok ? linesOf(numaMaps.value, backend.pageSizeBytes) : null;
  };
  const before = chainOf(moves).size > 0 ? await read() : new Map();
  const result = await backend.migratePages({ pid, ...masks });
  if (!result.ok) return result;
  const leftBehind = result.value;
  const after = await read();
  const left = after && before && leftIn(before, after, moves);
  const remaining = left === null ? null : left.bytes;
  const outcome = await outcomeAtOnce(backend, leftBehind, left);
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

/**
 * Pages of the process alone were not passed over, and for the privileged none are: what remains
 * came meanwhile, or could not be taken.
 */
async function outcomeAtOnce(
  backend: Backend,
  leftBehind: number,
  left: Left | null,
): Promise<ProcessMigrationReport['outcome']> {
  if (leftBehind === 0 && left === null) return 'unknown';
  const remains = left !== null && Object.keys(left.bytes).length > 0;
  const isSpared = remains && left.mayBeShared && !(await movesShared(backend));
  const shared = Number(isSpared);
  const failed = Number(remains && !isSpared);
  return outcomeOf({ ...NO_PAGES, busy: leftBehind, shared, failed }).outcome;
}

interface Line {
  readonly bytesByNode: ReadonlyMap<NodeId, number>;
  /** Somebody else may map its pages, too. */
  readonly mayBeShared: boolean;
}

/** Lines of numa_maps by the address where their mapping starts. */
type Lines = ReadonlyMap<bigint, Line>;

function linesOf(numaMaps: string, pageSizeBytes: number): Lines {
  return new Map(
    parseNumaMaps(numaMaps).map((line) => {
      const pages = [...pagesByNodeOf(line, pageSizeBytes)];
      const bytesByNode = new Map(pages.map(([node, count]) => [node, count * pageSizeBytes]));
      return [line.start, { bytesByNode, mayBeShared: line.mapCountMax > 1 }];
    }),
  );
}

/**
 * Whose pages arrive on a node that is left, too: 2 goes to 1 while 1 goes to 0. Sets of one size
 * map in order, so that no chain is a circle; between others a target keeps what it has.
 */
function chainOf(moves: NodeMoves): ReadonlyMap<NodeId, NodeId> {
  const leaves = (node: NodeId) => targetOf(node, moves) !== node;
  const links = moves.from.toArray().map((node) => [targetOf(node, moves), node] as const);
  return new Map(links.filter(([target, node]) => leaves(node) && leaves(target)));
}

/** `before` is of use to a chain only: what is there after it has stayed, or has come. */
function leftIn(before: Lines, after: Lines, moves: NodeMoves): Left {
  const chain = chainOf(moves);
  const bytes: Record<NodeId, number> = {};
  let mayBeShared = true;
  for (const [start, line] of after) {
    const had = before.get(start)?.bytesByNode;
    const stayed = (node: NodeId): number => {
      const source = chain.get(node);
      const came = source === undefined ? 0 : (had?.get(source) ?? 0) - stayed(source);
      return Math.max(0, (line.bytesByNode.get(node) ?? 0) - Math.max(0, came));
    };
    for (const node of line.bytesByNode.keys()) {
      const remaining = targetOf(node, moves) === node ? 0 : stayed(node);
      if (remaining === 0) continue;
      bytes[node] = (bytes[node] ?? 0) + remaining;
      mayBeShared &&= line.mayBeShared;
    }
  }
  return { bytes: Object.freeze(bytes), mayBeShared };
}
