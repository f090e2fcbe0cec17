/**
 * What a launcher is asked for, made into what the calling thread is set to: checked as far as it
 * can be without changing anything.
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
import { type NodeId, NodeMask } from '../../core/node-mask.ts';
import { BALANCED_MODES, POLICY_MODES, type PolicyMode } from '../../core/policy-modes.ts';
import type { Numa } from '../../facade/numa.ts';
import { type ResolvedCpus, resolveCpuList } from './cpu-list.ts';

/** The options of `run` that errors are about. */
export const ASKED = {
  cpus: '--cpus',
  cpuNodes: '--cpu-nodes',
  memoryNodes: '--memory-nodes',
  policy: '--policy',
} as const;

/** What is asked for, as text; the forms of node lists, and "same". */
export interface LaunchRequest {
  readonly cpus?: string | undefined;
  /** The CPUs of these nodes. */
  readonly cpuNodes?: string | undefined;
  readonly memoryNodes?: string | undefined;
  /** Default: `bind` where there are memory nodes, else the policy stays. */
  readonly policy?: PolicyMode | undefined;
  readonly flags: readonly PolicyFlag[];
  /** CPUs outside of the caller's own affinity may be named as well. */
  readonly anyCpu: boolean;
}

/** `undefined` leaves what the thread has. */
export interface LaunchPlan {
  readonly cpus: ResolvedCpus | undefined;
  readonly policy: MemoryPolicy | undefined;
}

/** The word for the nodes of the other option. */
const SAME = 'same';

/**
 * @throws TypeError, RangeError with Node's codes, naming the option; NumaError NUMA_UNSUPPORTED
 *   for nodes whose CPUs are unknown, and CPUs whose node is
 */
export function planLaunch(numa: Numa, request: LaunchRequest): LaunchPlan {
  const { cpus, cpuNodes, memoryNodes } = request;
  if (cpus !== undefined && cpuNodes !== undefined) {
    throw invalidArgumentValue(ASKED.cpus, `goes without ${ASKED.cpuNodes}`, cpus);
  }
  if (cpuNodes === SAME && (memoryNodes ?? SAME) === SAME) {
    const rule = `"${SAME}" means the nodes of ${ASKED.memoryNodes}, and there are none`;
    throw invalidArgumentValue(ASKED.cpuNodes, rule, cpuNodes);
  }
  const planned = cpus === undefined ? undefined : planCpus(numa, cpus, request);
  const cpusOf = (): CpuMask => {
    if (planned !== undefined) return planned.cpus;
    if (cpuNodes !== undefined) return planCpuNodes(numa, cpuNodes, request).cpus;
    const rule = `"${SAME}" needs ${ASKED.cpus} or ${ASKED.cpuNodes}`;
    throw invalidArgumentValue(ASKED.memoryNodes, rule, memoryNodes);
  };
  const nodes = memoryNodes === SAME ? sameNodes(numa, cpusOf()) : planMemoryNodes(numa, request);
  return {
    cpus: planned ?? (cpuNodes === undefined ? undefined : planCpuNodes(numa, cpuNodes, request)),
    policy: planPolicy(nodes, request),
  };
}

/** The nodes of CPUs. */
export function nodesOf({ topology }: Numa, cpus: CpuMask): NodeMask {
  const nodes = topology.nodes.filter((node) => node.cpus?.some((cpu) => cpus.has(cpu)));
  return NodeMask.from(nodes.map(({ id }) => id));
}

/** @throws NumaError NUMA_UNSUPPORTED where the node of one is unknown */
function sameNodes(numa: Numa, cpus: CpuMask): NodeMask {
  const unknown = cpus.difference(numa.topology.cpus);
  if (unknown.isEmpty) return nodesOf(numa, cpus);
  throw new NumaError(`this host does not tell the node of CPU ${unknown}`, {
    code: 'NUMA_UNSUPPORTED',
    argument: ASKED.memoryNodes,
    hint: `name nodes with ${ASKED.memoryNodes}`,
  });
}

function planCpus(numa: Numa, text: string, { anyCpu }: LaunchRequest): ResolvedCpus {
  const { nodes, cpus: known } = numa.topology;
  const affinity = numa.thread.affinity();
  const isKnown = nodes.every((node) => node.cpus !== null);
  const online = isKnown ? known : known.union(affinity);
  const absentRule = isKnown
    ? `is not online (online: ${online})`
    : `is not known to be online (known: ${online}; this host does not tell all)`;
  const usable = anyCpu ? online : affinity;
  const rule = `is none of this process's (${usable}); --all takes any`;
  return resolveCpuList(text, ASKED.cpus, { usable, online, absentRule, rule });
}

/** Like numactl, not held to the affinity that the caller has: the kernel keeps to its cpuset. */
function planCpuNodes(numa: Numa, text: string, request: LaunchRequest): ResolvedCpus {
  const { topology } = numa;
  const nodes =
    text === SAME
      ? (planMemoryNodes(numa, request) as NodeMask)
      : NodeMask.from(
          resolveIdExpression(
            parseIdExpression(text, NODE_IDS, ASKED.cpuNodes),
            {
              ...{ allowed: topology.withCpus.toArray(), online: topology.online.toArray() },
              ...devicesOf(numa),
            },
            ASKED.cpuNodes,
          ),
        );
  const named = topology.nodes.filter(({ id }) => nodes.has(id));
  const unknown = named.filter((node) => node.cpus === null).map(({ id }) => id);
  if (unknown.length > 0) throw unknownCpus(unknown);
  const cpus = CpuMask.from(named.flatMap((node) => node.cpus ?? []));
  if (!cpus.isEmpty) return { cpus, isExact: false };
  const rule = `no node of these has a CPU; those with CPUs are ${topology.withCpus}`;
  throw outOfRange(ASKED.cpuNodes, rule, text);
}

function unknownCpus(nodes: readonly NodeId[]): NumaError {
  return new NumaError(`this host does not tell the CPUs of node ${formatIdList(nodes)}`, {
    code: 'NUMA_UNSUPPORTED',
    argument: ASKED.cpuNodes,
    hint: `name CPUs with ${ASKED.cpus}`,
  });
}

/** What gives `netdev:eth0` its meaning. */
function devicesOf(numa: Numa): Pick<IdContext, 'nodeOfDevice'> {
  const nodeOfDevice: IdContext['nodeOfDevice'] = ({ kind, name }, argument) =>
    numa.nodesOf(`${kind}:${name}`, argument).first as NodeId;
  return { nodeOfDevice };
}

function planMemoryNodes(numa: Numa, { memoryNodes, flags }: LaunchRequest): NodeMask | undefined {
  if (memoryNodes === undefined) return undefined;
  const expression = parseIdExpression(memoryNodes, NODE_IDS, ASKED.memoryNodes);
  const allowed = numa.allowedNodes().toArray();
  // Relative numbers are places within the allowed nodes, and are folded into them.
  const context = flags.includes('relative-nodes')
    ? { allowed, ...devicesOf(numa) }
    : { allowed, online: numa.topology.online.toArray(), ...devicesOf(numa) };
  return NodeMask.from(resolveIdExpression(expression, context, ASKED.memoryNodes));
}

function planPolicy(
  nodes: NodeMask | undefined,
  { policy, flags, memoryNodes }: LaunchRequest,
): MemoryPolicy | undefined {
  const mode = policy ?? (nodes === undefined ? undefined : 'bind');
  const row = mode === undefined ? undefined : POLICY_MODES[mode];
  if (flags.includes('numa-balancing') && row?.takesBalancing !== true) {
    const rule = `"--balancing" goes with ${BALANCED_MODES} only`;
    throw invalidArgumentValue(ASKED.policy, rule, mode);
  }
  if (mode !== undefined && row?.nodeCount !== 'none') {
    if (nodes !== undefined) return createPolicy(mode, nodes, { flags });
    throw invalidArgumentValue(ASKED.policy, `${mode} needs ${ASKED.memoryNodes}`, policy);
  }
  if (flags.length > 0) {
    const rule = 'takes "--static" and "--relative" only with a policy that has nodes';
    throw invalidArgumentValue(ASKED.policy, rule, mode);
  }
  if (nodes !== undefined) {
    throw invalidArgumentValue(ASKED.memoryNodes, `goes without ${mode}`, memoryNodes);
  }
  return mode === undefined ? undefined : new MemoryPolicy(mode, NodeMask.empty, []);
}
