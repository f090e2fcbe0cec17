/**
 * The nodes that a text shows: those of the machine, and behind them those that memory is on though
 * the machine does not tell of them. Files of processes may know more than /sys does.
 */

import type { NodeId } from '../../core/node-mask.ts';
import type { NodeBytes } from '../../facade/process/process-mappings.ts';

export function nodesShown(known: Iterable<NodeId>, ...amounts: readonly NodeBytes[]): NodeId[] {
  const nodes = [...known];
  const met = amounts.flatMap((bytes) => Object.keys(bytes).filter((node) => bytes[Number(node)]));
  const others = new Set(met.map(Number).filter((node) => !nodes.includes(node)));
  return [...nodes, ...[...others].sort((a, b) => a - b)];
}
