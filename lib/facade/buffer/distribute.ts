/**
 * Spreads a range over nodes in shares: page for page by weights, or in parts of so many bytes. The
 * kernel's own weighted interleaving is taken where the machine's weights are those that were asked
 * for; otherwise pages are placed one by one, in the very pattern that the kernel would make.
 *
 * Source: mm/mempolicy.c, weighted_interleave_nid(): a page's place in its pattern is that of its
 * number in the address space.
 */

import { invalidArgumentValue, outOfRange } from '../../core/argument-errors.ts';
import { readMembers } from '../../core/check-arguments.ts';
import { interleave, preferred, weightedInterleave } from '../../core/memory-policy.ts';
import type { NodePages, PlacementReport } from '../../core/migration-report.ts';
import { type NodeId, NodeMask } from '../../core/node-mask.ts';
import { checkNodeNumbers, type NodeNumbers } from '../../core/node-numbers.ts';
import { WEIGHT_MAX } from '../../core/uapi.ts';
import type { Context } from '../context.ts';
import { readInterleaveWeights } from '../host/interleave-weights.ts';
import type { PageRange } from '../pages/page-range.ts';
import type { PlaceOptions } from './place-pages.ts';
import type { RangeMemory } from './range-memory.ts';

/** How much of a range each node is to have: one of the two. */
export type Shares =
  | {
      /** Pages in a row that each node takes in turn, from 1 to 255. */
      readonly weights: NodeNumbers;
      readonly partsBytes?: never;
    }
  | {
      /** Bytes that each node takes, the lowest node first, in whole pages; together the range. */
      readonly partsBytes: NodeNumbers;
      readonly weights?: never;
    };

export interface DistributionReport {
  /**
   * `policy`: the range has a policy that does it by itself, also for pages that come later.
   * `placed`: every page was touched and moved; a page that is swapped out or given back comes back
   * by plain interleaving.
   */
  readonly method: 'policy' | 'placed';
  /** Why this method. */
  readonly reason: string;
  /** What each node was to have. */
  readonly wantedBytes: NodeNumbers;
  /** What each node has now; pages that are not present are in none. */
  readonly bytesByNode: NodeNumbers;
  /** The receipt of moving what was elsewhere. */
  readonly placement: PlacementReport;
}

interface DistributeRequest {
  readonly shares: Shares;
  readonly range: PageRange;
  readonly options: PlaceOptions | undefined;
}

/** What is to become of the range. */
interface Plan {
  readonly targets: Int32Array;
  readonly method: DistributionReport['method'];
  readonly reason: string;
  /** Sets the policy, and has the pages there where they are to be placed. */
  readonly prepare: () => void;
}

export async function distribute(
  context: Context,
  memory: RangeMemory,
  { shares, range, options }: DistributeRequest,
): Promise<DistributionReport> {
  const rule = 'an object with weights or partsBytes';
  const names = ['weights', 'partsBytes'] as const;
  const { weights, partsBytes } = readMembers<Shares>(shares, 'shares', names, rule);
  if ((weights === undefined) === (partsBytes === undefined)) {
    throw invalidArgumentValue('shares', 'must have either weights or partsBytes', shares);
  }
  const plan =
    partsBytes === undefined
      ? await planWeights(context, memory, range, weights)
      : planParts(context, memory, range, partsBytes);
  // An abort before anything has begun leaves the policy as it is: place() tells it.
  if (options?.signal?.aborted !== true) plan.prepare();
  const placement = await memory.place(plan.targets, options);
  const { method, reason, targets } = plan;
  const { pageSizeBytes } = context.backend;
  const wantedBytes = bytesOf(countByNode(targets), pageSizeBytes);
  const bytesByNode = bytesOf(placement.after, pageSizeBytes);
  return Object.freeze({ method, reason, wantedBytes, bytesByNode, placement });
}

async function planWeights(
  context: Context,
  memory: RangeMemory,
  range: PageRange,
  value: unknown,
): Promise<Plan> {
  const weights = checkNodeNumbers(value, 'shares.weights', { min: 1, max: WEIGHT_MAX });
  const nodes = NodeMask.from(weights.keys());
  context.checkAllowed(nodes, 'shares.weights', `${nodes}`);
  const turn = [...weights].flatMap(([node, weight]) => new Array<NodeId>(weight).fill(node));
  const { pageSizeBytes } = context.backend;
  const first = Number((range.address / BigInt(pageSizeBytes)) % BigInt(turn.length));
  const targets = new Int32Array(range.pageCount);
  targets.forEach((_, page) => {
    targets[page] = turn[(first + page) % turn.length] as NodeId;
  });
  const obstacle = await obstacleTo(context, weights);
  const part = partOf(range, memory);
  if (obstacle === null) {
    const reason = "the machine's weights are these";
    const prepare = (): void => memory.setPolicy(weightedInterleave(nodes), part);
    return { targets, method: 'policy', reason, prepare };
  }
  const prepare = (): void => {
    memory.setPolicy(interleave(nodes), part);
    memory.touch(part);
  };
  return { targets, method: 'placed', reason: obstacle, prepare };
}

/** Why the kernel's own weights will not do; `null` where they will. */
async function obstacleTo(
  context: Context,
  weights: ReadonlyMap<NodeId, number>,
): Promise<string | null> {
  const machine = await readInterleaveWeights(context);
  if (machine.weights === null) return 'this kernel has no weighted interleaving';
  const differing = [...weights].filter(([node, weight]) => machine.weights?.[node] !== weight);
  if (differing.length === 0) return null;
  const list = differing.map(([node]) => `${machine.weights?.[node] ?? 'none'} for node ${node}`);
  return `the machine's weights are others: ${list.join(', ')}`;
}

function planParts(context: Context, memory: RangeMemory, range: PageRange, value: unknown): Plan {
  const argument = 'shares.partsBytes';
  const { pageSizeBytes } = context.backend;
  const parts = checkNodeNumbers(value, argument, { min: 1, max: Number.MAX_SAFE_INTEGER });
  const nodes = NodeMask.from(parts.keys());
  context.checkAllowed(nodes, argument, `${nodes}`);
  const uneven = [...parts.values()].find((bytes) => bytes % pageSizeBytes !== 0);
  if (uneven !== undefined) {
    throw outOfRange(argument, `parts must be multiples of ${pageSizeBytes} bytes`, uneven);
  }
  const sum = [...parts.values()].reduce((total, bytes) => total + bytes, 0);
  if (sum !== range.lengthBytes) {
    throw outOfRange(argument, `together they must be the range's ${range.lengthBytes}`, sum);
  }
  const targets = new Int32Array(range.pageCount);
  let page = 0;
  for (const [node, bytes] of parts) {
    targets.fill(node, page, page + bytes / pageSizeBytes);
    page += bytes / pageSizeBytes;
  }
  const prepare = (): void => {
    let { offsetBytes } = range;
    for (const [node, bytes] of parts) {
      const part = partOf({ ...range, offsetBytes, lengthBytes: bytes }, memory);
      memory.setPolicy(preferred(node), part);
      offsetBytes += bytes;
    }
  };
  return { targets, method: 'policy', reason: 'each part has a policy of its own', prepare };
}

/** The last page may be of the memory in part. */
function partOf(
  { offsetBytes, lengthBytes }: PageRange,
  memory: RangeMemory,
): { readonly offsetBytes: number; readonly lengthBytes: number } {
  const restBytes = memory.lengthBytes - offsetBytes;
  return { offsetBytes, lengthBytes: Math.min(lengthBytes, restBytes) };
}

function countByNode(targets: Int32Array): NodePages {
  const counts: Record<NodeId, number> = {};
  for (const node of targets) counts[node] = (counts[node] ?? 0) + 1;
  return counts;
}

function bytesOf(pages: NodePages, pageSizeBytes: number): NodeNumbers {
  const entries = Object.entries(pages).map(([node, count]) => [node, count * pageSizeBytes]);
  return Object.freeze(Object.fromEntries(entries) as NodeNumbers);
}
