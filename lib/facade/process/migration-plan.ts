/**
 * What moving some of a process's mappings would do, told before anything is moved.
 */

import { outOfRange } from '../../core/argument-errors.ts';
import { checkOptions, checkSignal } from '../../core/check-arguments.ts';
import { parseIdList } from '../../core/id-list.ts';
import { withJson } from '../../core/json.ts';
import { type NodeExpression, type NodeId, NodeMask } from '../../core/node-mask.ts';
import { NODE_ID_MAX } from '../../core/uapi.ts';
import type { Context } from '../context.ts';
import { nodesAllowedTo, outsideCpuset } from '../errors/access-denied.ts';
import { checkFilters, type MappingFilters } from './mapping-filter.ts';
import { type NodeMoves, nodeMoves, targetOf } from './node-moves.ts';
import type { ProcessFiles } from './process-files.ts';
import { type NodeBytes, type ProcessMapping, readMappings } from './process-mappings.ts';
import { withoutMemory } from './process-refusal.ts';

/** Which memory is to move, and where to. */
export interface MappingSelection {
  /** Which mappings; of several filters, one must be met. Default: all. */
  readonly mappings?: MappingFilters;
  /** Nodes whose pages move. Default: all but the `to` nodes. */
  readonly from?: NodeExpression;
  /** Nodes that they move to: the n-th of `from` to the n-th of `to`, counted round. */
  readonly to: NodeExpression;
}

export interface PlanOptions extends MappingSelection {
  /** Ends the look at the mappings with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface PlannedMapping extends ProcessMapping {
  /** Of it, on nodes that are to be left. */
  readonly bytesToMove: number;
}

/** What is worth knowing before. */
export interface PlanWarning {
  /** `shared`: pages that others map too stay. `target-full`: not all will fit. `policy`: a
   *  mapping's own policy names nodes that are left, and will place its future pages there.
   *  `cpuset`: the process may not have memory on a target. */
  readonly kind: 'shared' | 'target-full' | 'policy' | 'cpuset';
  readonly message: string;
}

export interface MigrationPlan extends NodeMoves {
  readonly pid: number;
  /** The selected mappings that have memory to move. */
  readonly mappings: readonly PlannedMapping[];
  /** Selected mappings, with or without memory to move. */
  readonly selectedCount: number;
  readonly mappingCount: number;
  readonly bytesToMove: number;
  /** On nodes that are to be left, in mappings that are not selected. */
  readonly notSelectedBytes: number;
  /** Of it, by the node that it goes to. */
  readonly bytesByTarget: NodeBytes;
  /** Targets whose free memory is unknown are left out. */
  readonly freeBytesByTarget: NodeBytes;
  readonly warnings: readonly PlanWarning[];
}

export const SELECTION_MEMBERS = ['mappings', 'from', 'to'] as const;

/**
 * Reads the mappings and says what would move.
 * @throws TypeError, RangeError for wrong options, and where no mapping is selected; NumaError as
 *   `readMappings`; the signal's reason
 */
export async function planMigration(
  context: Context,
  files: ProcessFiles,
  options: PlanOptions,
): Promise<MigrationPlan> {
  const members = [...SELECTION_MEMBERS, 'signal'] as const;
  const { mappings: filters, signal, ...nodes } = checkOptions(options, 'options', members);
  const moves = nodeMoves(context, nodes);
  const { test: isSelected } = checkFilters(filters, 'options.mappings', context);
  const all = await readMappings({ ...files, signal: checkSignal(signal, 'options.signal') });
  const selected = all.filter(isSelected);
  if (all.length === 0) {
    const without = await withoutMemory(files, `process ${files.pid}`);
    if (without !== undefined) throw without;
  }
  if (selected.length === 0) {
    const kinds = [...new Set(all.map(({ kind }) => kind))].join(', ');
    const rule = `none of the ${all.length} mappings of process ${files.pid} is selected`;
    throw outOfRange('options.mappings', `${rule}; it has the kinds ${kinds}`, filters);
  }
  const planned = selected
    .map((mapping) => withJson({ ...mapping, bytesToMove: bytesToMove(mapping, moves) }))
    .filter((mapping) => mapping.bytesToMove > 0);
  const bytesByTarget = sumByTarget(planned, moves);
  const others = all.filter((mapping) => !isSelected(mapping));
  const freeBytesByTarget = freeBytes(context, moves.to);
  return Object.freeze({
    ...moves,
    pid: files.pid,
    mappings: planned,
    selectedCount: selected.length,
    mappingCount: all.length,
    bytesToMove: planned.reduce((sum, mapping) => sum + mapping.bytesToMove, 0),
    notSelectedBytes: others.reduce((sum, mapping) => sum + bytesToMove(mapping, moves), 0),
    bytesByTarget,
    freeBytesByTarget,
    warnings: [
      ...sharedWarnings(planned),
      ...roomWarnings(bytesByTarget, freeBytesByTarget),
      ...policyWarnings(planned, moves),
      ...cpusetWarnings(bytesByTarget, await nodesAllowedTo(files)),
    ],
  });
}

/** The plan of a move that was aborted before anybody looked. */
export function emptyPlan(context: Context, pid: number, options: MappingSelection): MigrationPlan {
  const { mappings: _, ...nodes } = options;
  return Object.freeze({
    ...nodeMoves(context, nodes),
    pid,
    mappings: [],
    selectedCount: 0,
    mappingCount: 0,
    bytesToMove: 0,
    notSelectedBytes: 0,
    bytesByTarget: {},
    freeBytesByTarget: {},
    warnings: [],
  });
}

function bytesToMove({ bytesByNode }: ProcessMapping, moves: NodeMoves): number {
  return entriesOf(bytesByNode)
    .filter(([node]) => targetOf(node, moves) !== node)
    .reduce((sum, [, bytes]) => sum + bytes, 0);
}

function sumByTarget(planned: readonly PlannedMapping[], moves: NodeMoves): NodeBytes {
  const sums: Record<NodeId, number> = {};
  for (const { bytesByNode } of planned) {
    for (const [node, bytes] of entriesOf(bytesByNode)) {
      const target = targetOf(node, moves);
      if (target !== node) sums[target] = (sums[target] ?? 0) + bytes;
    }
  }
  return sums;
}

function freeBytes({ backend }: Context, to: NodeMask): NodeBytes {
  const free: Record<NodeId, number> = {};
  for (const node of to) {
    const memory = backend.nodeMemory(node);
    const freeBytes = memory.ok ? memory.value.freeBytes : null;
    if (freeBytes !== null) free[node] = freeBytes;
  }
  return free;
}

function sharedWarnings(planned: readonly PlannedMapping[]): PlanWarning[] {
  const shared = planned.filter(({ mapCountMax }) => mapCountMax > 1);
  if (shared.length === 0) return [];
  const message =
    `${shared.length} of the mappings have pages that other processes map too: ` +
    'those stay unless shared pages are asked for (CAP_SYS_NICE)';
  return [{ kind: 'shared', message }];
}

export function roomWarnings(wanted: NodeBytes, free: NodeBytes): PlanWarning[] {
  return entriesOf(wanted).flatMap(([node, bytes]) => {
    const room = free[node];
    if (room === undefined || bytes <= room) return [];
    const message = `node ${node} has ${room} bytes free, and ${bytes} are to move there`;
    return [{ kind: 'target-full', message } as const];
  });
}

/** Targets of pages that the kernel will refuse. */
export function cpusetWarnings(wanted: NodeBytes, allowed: NodeMask | null): PlanWarning[] {
  const targets = NodeMask.from(entriesOf(wanted).map(([node]) => node));
  const forbidden = allowed === null ? NodeMask.empty : targets.difference(allowed);
  if (forbidden.isEmpty) return [];
  const message = `node ${forbidden} is refused: ${outsideCpuset(allowed as NodeMask).rule}`;
  return [{ kind: 'cpuset', message }];
}

/** Policies that name a node which is left. */
function policyWarnings(planned: readonly PlannedMapping[], moves: NodeMoves): PlanWarning[] {
  const bound = planned.filter(({ policy }) =>
    nodesNamedBy(policy).some((node) => targetOf(node, moves) !== node),
  );
  if (bound.length === 0) return [];
  const words = [...new Set(bound.map(({ policy }) => policy))].slice(0, 3).join(', ');
  const message =
    `${bound.length} of the mappings have a policy (${words}), which moving leaves as it is: ` +
    'it places their future pages';
  return [{ kind: 'policy', message }];
}

/** Of a policy as numa_maps has it: behind the last colon. */
function nodesNamedBy(policy: string): readonly NodeId[] {
  const list = /:((?:\d+(?:-\d+)?,?)+)$/.exec(policy)?.[1];
  return list === undefined ? [] : parseIdList(list, 'policy', NODE_ID_MAX);
}

function entriesOf(bytes: NodeBytes): [NodeId, number][] {
  return Object.entries(bytes).map(([node, count]) => [Number(node), count]);
}
