/**
 * One placement for each worker of a pool: so many on each node, bound to its CPUs or to a part of
 * them, with memory of the node.
 */

import { invalidArgumentValue, outOfRange } from '../../core/argument-errors.ts';
import { checkInteger, checkOptions, checkWord } from '../../core/check-arguments.ts';
import { CpuMask } from '../../core/cpu-mask.ts';
import { NumaError } from '../../core/errors.ts';
import { type NodeExpression, type NodeId, NodeMask } from '../../core/node-mask.ts';
import { POLICY_MODE_NAMES, POLICY_MODES, type PolicyMode } from '../../core/policy-modes.ts';
import { CPU_ID_MAX } from '../../core/uapi.ts';
import type { Context } from '../context.ts';
import type { Topology } from '../topology.ts';
import { type CheckedPlacement, checkPlacement, type Placement } from './placement.ts';

/** What the CPUs of a worker have in common. */
export type PoolBinding = 'node' | 'package' | 'cache' | 'cpu';

export interface NodePoolOptions {
  /** Default 1. */
  readonly workersPerNode?: number;
  /** Default: those with CPUs that this thread may have memory of; `netdev:eth0` for those near. */
  readonly nodes?: NodeExpression;
  /**
   * `node` (default): a worker runs on the CPUs of its node. `package`: on those of the node's
   * package; `cache`: on those of the node that share a last cache, each worker in turn; `cpu`: on
   * one CPU, which no other worker or child that this thread placed has.
   */
  readonly bindTo?: PoolBinding;
  /** How memory is taken from the node; default `bind`. One with nodes. */
  readonly policy?: PolicyMode;
}

/** The node of a worker, and its placement. */
export interface NodePlacement {
  readonly node: NodeId;
  readonly placement: CheckedPlacement;
}

const MEMBERS = ['workersPerNode', 'nodes', 'bindTo', 'policy'] as const;
const BINDINGS: readonly PoolBinding[] = ['node', 'package', 'cache', 'cpu'];
const NODE_MODES = POLICY_MODE_NAMES.filter((mode) => POLICY_MODES[mode].nodeCount !== 'none');

/**
 * @throws TypeError, RangeError naming the member; NumaError NUMA_UNSUPPORTED where the machine
 *   does not tell its packages or caches
 */
export function placementsOnNodes(
  context: Context,
  options: NodePoolOptions | undefined,
): NodePlacement[] {
  const { workersPerNode, nodes, bindTo, policy } = checkPool(context, options, MEMBERS);
  const { topology } = context;
  return [...nodes].flatMap((node) =>
    Array.from({ length: workersPerNode }, (_, index) => {
      const cpus = bindings[bindTo](topology, node, index);
      return { node, placement: checkPlacement({ ...cpus, ...memoryOf(context, node, policy) }) };
    }),
  );
}

/** One placement for all workers of a node. @throws TypeError, RangeError naming the member */
export function poolsOnNodes(
  context: Context,
  options: Omit<NodePoolOptions, 'bindTo'> | undefined,
): { readonly workersPerNode: number; readonly placements: NodePlacement[] } {
  const members = MEMBERS.filter((name) => name !== 'bindTo');
  const { workersPerNode, nodes, policy } = checkPool(context, options, members);
  const placements = [...nodes].map((node) => {
    return {
      node,
      placement: checkPlacement({ cpuNodes: node, ...memoryOf(context, node, policy) }),
    };
  });
  return { workersPerNode, placements };
}

function checkPool(
  context: Context,
  options: NodePoolOptions | undefined,
  members: readonly (keyof NodePoolOptions)[],
): Required<Omit<NodePoolOptions, 'nodes'>> & { readonly nodes: NodeMask } {
  const given = checkOptions(options, 'placement', members);
  const { workersPerNode = 1, nodes, bindTo = 'node', policy = 'bind' } = given;
  return {
    workersPerNode: checkInteger(workersPerNode, 'placement.workersPerNode', 1, CPU_ID_MAX),
    nodes: nodesOf(context, nodes),
    bindTo: checkWord(bindTo, 'placement.bindTo', BINDINGS),
    policy: checkWord(policy, 'placement.policy', NODE_MODES),
  };
}

/** A node without memory leaves the policy as it is. */
function memoryOf({ topology }: Context, node: NodeId, policy: PolicyMode): Placement {
  return topology.withMemory.has(node) ? { memoryNodes: node, policy } : {};
}

function nodesOf(context: Context, nodes: NodeExpression | undefined): NodeMask {
  const { withCpus } = context.topology;
  if (nodes === undefined) {
    const both = withCpus.intersection(context.allowedNodes());
    return both.isEmpty ? withCpus : both;
  }
  const named = context.resolveSome(nodes, 'placement.nodes');
  context.checkOnline(named, 'placement.nodes');
  const without = named.difference(withCpus);
  if (without.isEmpty) return named;
  const rule = `node ${without} has no CPU; those with CPUs are ${withCpus}`;
  throw outOfRange('placement.nodes', rule, `${named}`);
}

type Binding = (topology: Topology, node: NodeId, index: number) => Placement;

const bindings: Readonly<Record<PoolBinding, Binding>> = {
  node: (_, node) => ({ cpuNodes: node }),
  package: ({ packages }, node) => {
    const found = packages?.find(({ nodes }) => nodes.has(node));
    if (found === undefined) throw untold('package', node);
    return { cpus: found.cpus };
  },
  cache: ({ lastLevelCaches, nodes }, node, index) => {
    const found = lastLevelCaches?.filter((cache) => cache.nodes.has(node)) ?? [];
    const cache = found[index % found.length];
    if (cache === undefined) throw untold('caches', node);
    const own = CpuMask.from(nodes.find(({ id }) => id === node)?.cpus ?? []);
    return { cpus: cache.cpus.intersection(own) };
  },
  cpu: (_, node) => ({ cpuNodes: node, exclusiveCpus: 1 }),
};

function untold(what: string, node: NodeId): NumaError {
  return new NumaError(`this machine does not tell the ${what} of node ${node}`, {
    code: 'NUMA_UNSUPPORTED',
    argument: 'placement.bindTo',
    hint: "bind to 'node' or 'cpu'",
  });
}

/** The node that a task is for, one of the pool's. @throws TypeError, RangeError */
export function checkPoolNode(node: NodeId | undefined, nodes: NodeMask): NodeId | undefined {
  if (node === undefined) return undefined;
  checkInteger(node, 'options.node', 0);
  if (nodes.has(node)) return node;
  throw invalidArgumentValue('options.node', `must be one of the pool's nodes, ${nodes}`, node);
}

export function nodeMaskOf(placements: readonly NodePlacement[]): NodeMask {
  return NodeMask.from(new Set(placements.map(({ node }) => node)));
}
