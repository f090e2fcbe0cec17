/**
 * Where a program or a thread is to run and to take memory from, made into what the thread that
 * starts it is set to: checked as far as it can be without changing anything.
 */

import { invalidArgumentValue, outOfRange } from '../../core/argument-errors.ts';
import { CpuMask } from '../../core/cpu-mask.ts';
import { NumaError } from '../../core/errors.ts';
import {
  type IdContext,
  NODE_IDS,
  parseIdExpression,
  resolveIdExpression,
} from '../../core/id-expression.ts';
import { formatIdList } from '../../core/id-list.ts';
import { createPolicy, MemoryPolicy, type PolicyFlag } from '../../core/memory-policy.ts';
import { type NodeExpression, type NodeId, NodeMask } from '../../core/node-mask.ts';
import { BALANCED_MODES, POLICY_MODES, type PolicyMode } from '../../core/policy-modes.ts';
import type { ThreadMemory } from '../thread/thread-memory.ts';
import type { Topology } from '../topology.ts';
import { type ResolvedCpus, resolveCpuList } from './cpu-list.ts';

/** What errors call the members of a request. */
export interface PlacementNames {
  readonly cpus: string;
  readonly cpuNodes: string;
  readonly memoryNodes: string;
  readonly policy: string;
  readonly exclusiveCpus?: string;
  /** What else to do about a CPU outside of the caller's own. */
  readonly anyCpu?: string;
}

/** The machine, and the thread that starts what is placed. */
export interface PlacingThread {
  readonly topology: Topology;
  readonly thread: ThreadMemory;
  allowedNodes(): NodeMask;
  nodesOf(nodes: NodeExpression, argument: string): NodeMask;
}

/** What is asked for, as text; the forms of node lists, and "same". */
export interface PlacementRequest {
  readonly cpus?: string | undefined;
  /** The CPUs of these nodes. */
  readonly cpuNodes?: string | undefined;
  readonly memoryNodes?: string | undefined;
  /** Default: `bind` where there are memory nodes, else the policy stays. */
  readonly policy?: PolicyMode | MemoryPolicy | undefined;
  /** Of a policy that is a word. */
  readonly flags: readonly PolicyFlag[];
  /** CPUs outside of the caller's own affinity may be named as well. */
  readonly anyCpu: boolean;
  readonly names: PlacementNames;
}

/** `undefined` leaves what the thread has. */
export interface PlacementPlan {
  readonly cpus: ResolvedCpus | undefined;
  readonly policy: MemoryPolicy | undefined;
}

/** The word for the nodes of the other option. */
export const SAME = 'same';

/**
 * @throws TypeError, RangeError with Node's codes, naming the option; NumaError NUMA_UNSUPPORTED
 *   for nodes whose CPUs are unknown, and CPUs whose node is
 */
export function planPlacement(numa: PlacingThread, request: PlacementRequest): PlacementPlan {
  const { cpus, cpuNodes, memoryNodes, names } = request;
  if (cpus !== undefined && cpuNodes !== undefined) {
    throw invalidArgumentValue(names.cpus, `goes without ${names.cpuNodes}`, cpus);
  }
  if (cpuNodes === SAME && (memoryNodes ?? SAME) === SAME) {
    const rule = `"${SAME}" means the nodes of ${names.memoryNodes}, and there are none`;
    throw invalidArgumentValue(names.cpuNodes, rule, cpuNodes);
  }
  const planned = cpus === undefined ? undefined : planCpus(numa, cpus, request);
  const cpusOf = (): CpuMask => {
    if (planned !== undefined) return planned.cpus;
    if (cpuNodes !== undefined) return planCpuNodes(numa, cpuNodes, request).cpus;
    const rule = `"${SAME}" needs ${names.cpus} or ${names.cpuNodes}`;
    throw invalidArgumentValue(names.memoryNodes, rule, memoryNodes);
  };
  const nodes =
    memoryNodes === SAME ? sameNodes(numa, cpusOf(), names) : planMemoryNodes(numa, request);
  return {
    cpus: planned ?? (cpuNodes === undefined ? undefined : planCpuNodes(numa, cpuNodes, request)),
    policy: planPolicy(nodes, request),
  };
}

/** The nodes of CPUs. */
export function nodesOf({ topology }: Pick<PlacingThread, 'topology'>, cpus: CpuMask): NodeMask {
  const nodes = topology.nodes.filter((node) => node.cpus?.some((cpu) => cpus.has(cpu)));
  return NodeMask.from(nodes.map(({ id }) => id));
}

/** @throws NumaError NUMA_UNSUPPORTED where the node of one is unknown */
function sameNodes(numa: PlacingThread, cpus: CpuMask, names: PlacementNames): NodeMask {
  const unknown = cpus.difference(numa.topology.cpus);
  if (unknown.isEmpty) return nodesOf(numa, cpus);
  throw new NumaError(`this host does not tell the node of CPU ${unknown}`, {
    code: 'NUMA_UNSUPPORTED',
    argument: names.memoryNodes,
    hint: `name nodes with ${names.memoryNodes}`,
  });
}

function planCpus(
  numa: PlacingThread,
  text: string,
  { anyCpu, names }: PlacementRequest,
): ResolvedCpus {
  const { nodes, cpus: known } = numa.topology;
  const affinity = numa.thread.affinity();
  const isKnown = nodes.every((node) => node.cpus !== null);
  const online = isKnown ? known : known.union(affinity);
  const absentRule = isKnown
    ? `is not online (online: ${online})`
    : `is not known to be online (known: ${online}; this host does not tell all)`;
  const usable = anyCpu ? online : affinity;
  const hint = names.anyCpu === undefined ? '' : `; ${names.anyCpu} takes any`;
  const rule = `is none of this process's (${usable})${hint}`;
  return resolveCpuList(text, names.cpus, { usable, online, absentRule, rule });
}

/** Like numactl, not held to the affinity that the caller has: the kernel keeps to its cpuset. */
function planCpuNodes(numa: PlacingThread, text: string, request: PlacementRequest): ResolvedCpus {
  const { topology } = numa;
  const { names } = request;
  const nodes =
    text === SAME
      ? (planMemoryNodes(numa, request) as NodeMask)
      : NodeMask.from(
          resolveIdExpression(
            parseIdExpression(text, NODE_IDS, names.cpuNodes),
            {
              ...{ allowed: topology.withCpus.toArray(), online: topology.online.toArray() },
              ...devicesOf(numa),
            },
            names.cpuNodes,
          ),
        );
  const named = topology.nodes.filter(({ id }) => nodes.has(id));
  const unknown = named.filter((node) => node.cpus === null).map(({ id }) => id);
  if (unknown.length > 0) throw unknownCpus(unknown, names);
  const cpus = CpuMask.from(named.flatMap((node) => node.cpus ?? []));
  if (!cpus.isEmpty) return { cpus, isExact: false };
  const rule = `no node of these has a CPU; those with CPUs are ${topology.withCpus}`;
  throw outOfRange(names.cpuNodes, rule, text);
}

function unknownCpus(nodes: readonly NodeId[], names: PlacementNames): NumaError {
  return new NumaError(`this host does not tell the CPUs of node ${formatIdList(nodes)}`, {
    code: 'NUMA_UNSUPPORTED',
    argument: names.cpuNodes,
    hint: `name CPUs with ${names.cpus}`,
  });
}

/** What gives `netdev:eth0` its meaning. */
function devicesOf(numa: PlacingThread): Pick<IdContext, 'nodeOfDevice'> {
  const nodeOfDevice: IdContext['nodeOfDevice'] = ({ kind, name }, argument) =>
    numa.nodesOf(`${kind}:${name}`, argument).first as NodeId;
  return { nodeOfDevice };
}

function planMemoryNodes(
  numa: PlacingThread,
  { memoryNodes, flags, names }: PlacementRequest,
): NodeMask | undefined {
  if (memoryNodes === undefined) return undefined;
  const expression = parseIdExpression(memoryNodes, NODE_IDS, names.memoryNodes);
  const allowed = numa.allowedNodes().toArray();
  // Relative numbers are places within the allowed nodes, and are folded into them.
  const context = flags.includes('relative-nodes')
    ? { allowed, ...devicesOf(numa) }
    : { allowed, online: numa.topology.online.toArray(), ...devicesOf(numa) };
  return NodeMask.from(resolveIdExpression(expression, context, names.memoryNodes));
}

function planPolicy(
  nodes: NodeMask | undefined,
  { policy, flags, memoryNodes, names }: PlacementRequest,
): MemoryPolicy | undefined {
  if (typeof policy === 'object') {
    if (nodes === undefined) return policy;
    const rule = `goes without ${names.memoryNodes}: it has its own`;
    throw invalidArgumentValue(names.policy, rule, `${policy}`);
  }
  const mode = policy ?? (nodes === undefined ? undefined : 'bind');
  const row = mode === undefined ? undefined : POLICY_MODES[mode];
  if (flags.includes('numa-balancing') && row?.takesBalancing !== true) {
    const rule = `"--balancing" goes with ${BALANCED_MODES} only`;
    throw invalidArgumentValue(names.policy, rule, mode);
  }
  if (mode !== undefined && row?.nodeCount !== 'none') {
    if (nodes !== undefined) return createPolicy(mode, nodes, { flags });
    throw invalidArgumentValue(names.policy, `${mode} needs ${names.memoryNodes}`, policy);
  }
  if (flags.length > 0) {
    const rule = 'takes "--static" and "--relative" only with a policy that has nodes';
    throw invalidArgumentValue(names.policy, rule, mode);
  }
  if (nodes !== undefined) {
    throw invalidArgumentValue(names.memoryNodes, `goes without ${mode}`, memoryNodes);
  }
  return mode === undefined ? undefined : new MemoryPolicy(mode, NodeMask.empty, []);
}
