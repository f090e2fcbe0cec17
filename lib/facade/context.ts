/**
 * What every facade object shares: the backend, the topology, and how node expressions and
 * policies of this machine become what a system call takes.
 */

import type { Backend, NodemaskArgument } from '../backend/backend.ts';
import type { SyscallFailure, SyscallResult } from '../backend/syscall-result.ts';
import { invalidArgumentValue, outOfRange } from '../core/argument-errors.ts';
import { type CpuExpression, CpuMask, cpuMaskOfItems } from '../core/cpu-mask.ts';
import { ERRNO } from '../core/errno.ts';
import { type Explanation, type NumaError, systemError } from '../core/errors.ts';
import {
  CPU_IDS,
  type IdContext,
  NODE_IDS,
  needsMachine,
  parseIdExpression,
  resolveIdExpression,
} from '../core/id-expression.ts';
import {
  checkNodeCount,
  type MemoryPolicy,
  modeWord,
  nodesOrExpression,
} from '../core/memory-policy.ts';
import { type NodeExpression, type NodeId, NodeMask } from '../core/node-mask.ts';
import { MAXNODE_ALL, nodemaskWords, nodesOfWords } from '../core/nodemask-words.ts';
import { MPOL_F } from '../core/uapi.ts';
import { type CallMade, explainFailure } from './capabilities/denial.ts';
import { explain } from './errors/explanations.ts';
import { nodeOfDevice } from './host/device-nodes.ts';
import type { Topology } from './topology.ts';

/** A policy as set_mempolicy and mbind take it. */
export interface PolicyArguments {
  readonly mode: number;
  readonly nodemask: NodemaskArgument | null;
}

/** What was asked of a call that failed. */
export interface FailedRequest {
  readonly asked: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly made?: CallMade;
}

/** What may be about the nodes that were named: these errors name the allowed ones. */
const NODE_REFUSALS: ReadonlySet<string> = new Set([
  `mbind ${ERRNO.EINVAL}`,
  `set_mempolicy ${ERRNO.EINVAL}`,
  `move_pages ${ERRNO.ENODEV}`,
  `move_pages ${ERRNO.EACCES}`,
]);

export class Context {
  readonly backend: Backend;
  readonly topology: Topology;

  constructor(backend: Backend, topology: Topology) {
    this.backend = backend;
    this.topology = topology;
  }

  /**
   * The nodes that the calling thread may allocate on, asked anew: a cpuset may have changed.
   * Where the call is forbidden, what the backend learns of them without it.
   */
  allowedNodes(): NodeMask {
    const request = { flags: MPOL_F.MEMS_ALLOWED, maxnode: MAXNODE_ALL };
    const result = this.backend.getMempolicy(request);
    if (!result.ok) return this.#allowedNodesByTopology();
    return NodeMask.from(nodesOfWords(result.value.nodemask));
  }

  #allowedNodesByTopology(): NodeMask {
    const result = this.backend.topology();
    if (!result.ok || result.value.allowedNodes.length === 0) return this.topology.withMemory;
    return NodeMask.from(result.value.allowedNodes);
  }

  /** Gives a node expression its meaning on this machine, as it is now. */
  resolve(nodes: NodeExpression | undefined, argument: string): NodeMask {
    const kept = nodesOrExpression(nodes, argument);
    if (typeof kept !== 'string') return kept;
    const allowed = this.allowedNodes().toArray();
    const expression = parseIdExpression(kept, NODE_IDS, argument);
    const nodeOf: IdContext['nodeOfDevice'] = (device) =>
      nodeOfDevice(this.backend, device, argument);
    const context = { allowed, nodeOfDevice: nodeOf };
    return NodeMask.from(resolveIdExpression(expression, context, argument));
  }

  /**
   * The CPUs that an expression names, at least one; `all`, `!` and `+` refer to those that the
   * calling thread may run on now.
   * @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE; RangeError ERR_OUT_OF_RANGE
   */
  resolveCpus(cpus: CpuExpression, argument: string): CpuMask {
    const mask = this.#resolveCpus(cpus, argument);
    if (!mask.isEmpty) return mask;
    throw invalidArgumentValue(argument, 'must name at least one CPU', cpus);
  }

  #resolveCpus(cpus: CpuExpression, argument: string): CpuMask {
    if (typeof cpus === 'number') return CpuMask.from([cpus], argument);
    if (typeof cpus !== 'string') {
      const rule = 'a CPU number, a CPU list, a CpuMask or an iterable of CPU numbers';
      return cpuMaskOfItems(cpus, argument, rule);
    }
    const expression = parseIdExpression(cpus, CPU_IDS, argument);
    const context = needsMachine(expression) ? { allowed: this.affinity().toArray() } : {};
    return CpuMask.from(resolveIdExpression(expression, context, argument));
  }

  /** The CPUs that the calling thread may run on. */
  affinity(): CpuMask {
    return CpuMask.from(this.unwrap(this.backend.schedGetaffinity(), 'asking for the CPUs'));
  }

  /** The nodes that an expression names, at least one. @throws TypeError ERR_INVALID_ARG_VALUE */
  resolveSome(nodes: NodeExpression | undefined, argument: string): NodeMask {
    const mask = this.resolve(nodes, argument);
    if (mask.isEmpty) throw invalidArgumentValue(argument, 'must name at least one node', '');
    return mask;
  }

  /** The kernel moves nothing from a node that is not there, and says that all went well. */
  checkOnline(nodes: NodeMask, argument: string): void {
    const absent = nodes.difference(this.topology.online);
    if (absent.isEmpty) return;
    const rule = `node ${absent} is not online; the online nodes are ${this.topology.online}`;
    throw outOfRange(argument, rule, `${nodes}`);
  }

  /** The one node that an expression names. @throws RangeError ERR_OUT_OF_RANGE */
  resolveOne(nodes: NodeExpression | undefined, argument: string): NodeId {
    const mask = this.resolve(nodes, argument);
    const { first } = mask;
    if (first === undefined || mask.size > 1) {
      throw outOfRange(argument, 'it must name exactly one node', `${mask}`);
    }
    return first;
  }

  /**
   * A policy as the kernel takes it. The kernel drops nodes that may not be used without a word
   * as long as one is left; here naming one is an error.
   * @throws RangeError ERR_OUT_OF_RANGE naming the allowed nodes
   */
  encodePolicy(policy: MemoryPolicy): PolicyArguments {
    const nodes = this.resolve(policy.nodes, 'nodes');
    checkNodeCount(policy.mode, nodes, policy.nodes);
    const isRemapped = policy.flags.some((flag) => flag !== 'numa-balancing');
    if (!isRemapped) this.checkAllowed(nodes, 'nodes', `${policy}`);
    return { mode: modeWord(policy), nodemask: nodes.isEmpty ? null : nodemaskWords(nodes) };
  }

  /**
   * The node of a policy's home, `undefined` where it has none. Checked before any system call:
   * the policy would be set already when the kernel refuses its home.
   * @throws RangeError ERR_OUT_OF_RANGE
   */
  resolveHomeNode(policy: MemoryPolicy): NodeId | undefined {
    if (policy.homeNode === undefined) return undefined;
    const node = this.resolveOne(policy.homeNode, 'homeNode');
    if (this.topology.online.has(node)) return node;
    const rule = `node ${node} is not online (online: ${this.topology.online})`;
    throw outOfRange('homeNode', rule, `${policy}`);
  }

  /** A call's value, or its typed error. */
  unwrap<T>(
    result: SyscallResult<T>,
    asked: string,
    args: Readonly<Record<string, unknown>> = {},
    made: CallMade = {},
  ): T {
    if (result.ok) return result.value;
    throw this.error(result, { asked, args, made });
  }

  /** The typed error of a failed call about this process. */
  error(failure: SyscallFailure, call: FailedRequest): NumaError {
    const { syscall, errno } = failure;
    const { asked, args, made = {} } = call;
    const { kind } = this.backend.identity;
    const explanation = explainFailure(this.backend, failure, made) ?? this.#explain(failure);
    return systemError({ syscall, errno, asked, args, backend: kind, explanation });
  }

  #explain({ syscall, errno }: SyscallFailure): Explanation {
    const row = explain({ syscall, errno, backend: this.backend.identity.kind });
    if (!NODE_REFUSALS.has(`${syscall} ${errno}`)) return row;
    return { ...row, rule: `${row.rule} (allowed nodes: ${this.allowedNodes()})` };
  }

  /** Refuses nodes that the kernel drops without a word. @throws RangeError ERR_OUT_OF_RANGE */
  checkAllowed(nodes: NodeMask, argument: string, asked: string): void {
    const allowed = this.allowedNodes();
    const forbidden = nodes.difference(allowed);
    if (forbidden.isEmpty) return;
    const which = forbidden.intersection(this.topology.online).isEmpty ? 'online' : 'allowed';
    const rule = `node ${forbidden} is not ${which}; the allowed nodes are ${allowed}`;
    throw outOfRange(argument, rule, asked);
  }
}
