/**
 * Binds the calling thread's CPUs and its memory together, and tells what became of each: one can
 * fail, or be cut short by the cpuset, without the other.
 *
 * Source: numa_bind of numa(3), which returns nothing; sched_setaffinity(2), set_mempolicy(2).
 */

import { invalidArgumentValue, outOfRange } from '../../core/argument-errors.ts';
import { checkBoolean, checkOptions } from '../../core/check-arguments.ts';
import { type CpuExpression, CpuMask } from '../../core/cpu-mask.ts';
import { NumaError } from '../../core/errors.ts';
import { type NodeExpression, NodeMask } from '../../core/node-mask.ts';
import type { Context } from '../context.ts';

export interface ThreadBindOptions {
  /** Default: the CPUs of `nodes`. */
  readonly cpus?: CpuExpression;
  /** Nodes that memory is to come from, and no others. Default: the nodes of `cpus`. */
  readonly nodes?: NodeExpression;
  /** When one of the two is not done in full, undo both and throw. */
  readonly strict?: boolean;
}

/** What became of the two. */
export interface ThreadBinding {
  readonly cpus: {
    readonly wanted: CpuMask;
    /** The CPUs that the thread may run on now: the cpuset may have left some out. */
    readonly bound: CpuMask;
    /** Why they are those from before; `null` where they were set. */
    readonly error: NumaError | null;
  };
  readonly memory: {
    readonly wanted: NodeMask;
    /** The nodes that its memory is bound to now; `null` where it was not bound. */
    readonly bound: NodeMask | null;
    readonly error: NumaError | null;
  };
  /** Both are as wanted. */
  readonly complete: boolean;
  /** Nodes of the CPUs without memory of the thread's, and nodes of its memory without its CPUs:
   *  with either, some accesses are remote. */
  readonly cpuNodesWithoutMemory: NodeMask;
  readonly memoryNodesWithoutCpus: NodeMask;
}

/** How the thread's own verbs do it. */
interface ThreadVerbs {
  readonly setPolicy: (nodes: NodeMask) => void;
  readonly setAffinity: (cpus: CpuMask) => void;
  /** Keeps the policy and the CPUs of now, to be restored, the one also where the other cannot. */
  readonly keepAll: () => () => void;
}

/** @throws TypeError, RangeError before anything is bound; NumaError (strict) with both undone */
export function bindThread(
  context: Context,
  options: ThreadBindOptions,
  verbs: ThreadVerbs,
): ThreadBinding {
  const names = ['cpus', 'nodes', 'strict'] as const;
  const { cpus, nodes, strict } = checkOptions(options, 'options', names);
  const isStrict = checkBoolean(strict, 'options.strict');
  if (cpus === undefined && nodes === undefined) {
    throw invalidArgumentValue('options', 'must have cpus, nodes, or both', options);
  }
  const named = cpus === undefined ? undefined : context.resolveCpus(cpus, 'options.cpus');
  const wantedNodes =
    nodes === undefined
      ? nodesOfCpus(context, named as CpuMask)
      : context.resolveSome(nodes, 'options.nodes');
  context.checkAllowed(wantedNodes, 'options.nodes', `${wantedNodes}`);
  const wantedCpus = named ?? cpusOfNodes(context, wantedNodes);
  const wanted = { cpus: wantedCpus, nodes: wantedNodes };
  if (!isStrict) return bindBoth(context, wanted, verbs);
  const restore = verbs.keepAll();
  let binding: ThreadBinding | undefined;
  try {
    binding = bindBoth(context, wanted, verbs);
  } finally {
    if (binding?.complete !== true) restore();
  }
  if (binding.complete) return binding;
  throw binding.cpus.error ?? binding.memory.error ?? cutShort(context, binding.cpus);
}

function bindBoth(
  context: Context,
  { cpus: wantedCpus, nodes: wantedNodes }: { readonly cpus: CpuMask; readonly nodes: NodeMask },
  verbs: Pick<ThreadVerbs, 'setPolicy' | 'setAffinity'>,
): ThreadBinding {
  const cpusError = errorOf(() => verbs.setAffinity(wantedCpus));
  const memoryError = errorOf(() => verbs.setPolicy(wantedNodes));
  const bound = context.affinity();
  return Object.freeze({
    cpus: Object.freeze({ wanted: wantedCpus, bound, error: cpusError }),
    memory: Object.freeze({
      wanted: wantedNodes,
      bound: memoryError === null ? wantedNodes : null,
      error: memoryError,
    }),
    complete: cpusError === null && memoryError === null && bound.equals(wantedCpus),
    ...mismatchOf(context, bound, wantedNodes),
  });
}

function mismatchOf(
  { topology }: Context,
  cpus: CpuMask,
  nodes: NodeMask,
): Pick<ThreadBinding, 'cpuNodesWithoutMemory' | 'memoryNodesWithoutCpus'> {
  const withCpus = topology.nodes.filter((node) => node.cpus?.some((cpu) => cpus.has(cpu)));
  const cpuNodes = NodeMask.from(withCpus.map(({ id }) => id));
  return {
    cpuNodesWithoutMemory: cpuNodes.difference(nodes),
    memoryNodesWithoutCpus: nodes.difference(cpuNodes),
  };
}

/** @throws NumaError NUMA_UNSUPPORTED for unknown nodes, RangeError for CPUs without memory */
function nodesOfCpus({ topology }: Context, cpus: CpuMask): NodeMask {
  const nodes = [...cpus].map((cpu) => topology.nodeOfCpu(cpu));
  const known = nodes.filter((node) => node !== null);
  if (known.length < nodes.length) {
    throw new NumaError('this machine does not tell the nodes of all CPUs', {
      ...{ code: 'NUMA_UNSUPPORTED', argument: 'options.nodes' },
      hint: 'name the nodes of the memory',
    });
  }
  const mask = NodeMask.from(new Set(known)).intersection(topology.withMemory);
  if (!mask.isEmpty) return mask;
  const rule = 'the nodes of these CPUs have no memory: name nodes as well';
  throw outOfRange('options.cpus', rule, `${cpus}`);
}

/** @throws RangeError for nodes without CPUs */
function cpusOfNodes({ topology }: Context, nodes: NodeMask): CpuMask {
  const cpus = CpuMask.from([...nodes].flatMap((node) => topology.node(node).cpus ?? []));
  if (!cpus.isEmpty) return cpus;
  const rule = `none of these has CPUs, as ${topology.withCpus} have: name cpus as well`;
  throw outOfRange('options.nodes', rule, `${nodes}`);
}

/** What the system said no to; a mistake of ours is none. */
function errorOf(run: () => void): NumaError | null {
  try {
    run();
    return null;
  } catch (error) {
    if (error instanceof NumaError) return error;
    throw error;
  }
}

function cutShort({ backend }: Context, { wanted, bound }: ThreadBinding['cpus']): NumaError {
  const lost = wanted.difference(bound);
  return new NumaError(`the CPUs ${lost} are outside of the cpuset of this thread`, {
    ...{ code: 'NUMA_NOT_PERMITTED', argument: 'options.cpus', backend: backend.identity.kind },
    hint: 'name CPUs of the cpuset, or leave strict out',
  });
}
