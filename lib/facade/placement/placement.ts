/**
 * Where a thread or a process begins, as users ask for it, in the words of `node-numa run`.
 */

import { invalidArgumentType } from '../../core/argument-errors.ts';
import { checkInteger, checkOptions, checkWord } from '../../core/check-arguments.ts';
import { type CpuExpression, type CpuMask, cpuMaskOfItems } from '../../core/cpu-mask.ts';
import { checkPolicy, type MemoryPolicy, nodesOrExpression } from '../../core/memory-policy.ts';
import type { NodeExpression } from '../../core/node-mask.ts';
import { POLICY_MODE_NAMES, type PolicyMode } from '../../core/policy-modes.ts';
import { CPU_ID_MAX } from '../../core/uapi.ts';
import type { PlacementNames, PlacementRequest } from './plan-placement.ts';

/** Where a worker or a child process runs, and takes memory from; what is left out is as here. */
export interface Placement {
  /** Run on these CPUs. `all`, `!0` and `+0-1` refer to the online ones. */
  readonly cpus?: CpuExpression;
  /** Run on the CPUs of these nodes; `same`: of the memory nodes. In place of `cpus`. */
  readonly cpuNodes?: NodeExpression;
  /** Take memory from these nodes; `same`: those of the CPUs. */
  readonly memoryNodes?: NodeExpression;
  /** How memory is taken from the memory nodes, `bind` unless told; or a policy with its nodes. */
  readonly policy?: PolicyMode | MemoryPolicy;
  /** So many of these CPUs, which no other worker or child that this thread placed has. */
  readonly exclusiveCpus?: number;
}

/** What became of a placement. */
export interface PlacementOutcome {
  /** Whether it began with these CPUs and this policy. */
  readonly placed: boolean;
  /** Why not; `null` where it did. */
  readonly reason: string | null;
  /** The CPUs that were asked for and may be used; `null`: those of who started it. */
  readonly cpus: CpuMask | null;
  /** `null`: that of who started it. */
  readonly policy: MemoryPolicy | null;
}

/** A placement, checked as far as no machine is needed for it. */
export interface CheckedPlacement {
  readonly request: PlacementRequest;
  /** 0: any. */
  readonly exclusiveCpus: number;
}

const MEMBERS = ['cpus', 'cpuNodes', 'memoryNodes', 'policy', 'exclusiveCpus'] as const;
const CPUS_RULE = 'a CPU number, a CPU list, a CpuMask or an iterable of CPU numbers';

/** @throws TypeError, RangeError naming the member */
export function checkPlacement(
  value: Placement | undefined,
  argument: string = 'placement',
): CheckedPlacement {
  const given = checkOptions(value, argument, MEMBERS);
  const { cpus, cpuNodes, memoryNodes, policy, exclusiveCpus } = given;
  const names = placementNames(argument);
  return {
    request: {
      cpus: cpus === undefined ? undefined : cpuText(cpus, names.cpus),
      cpuNodes: cpuNodes === undefined ? undefined : nodeText(cpuNodes, names.cpuNodes),
      memoryNodes: memoryNodes === undefined ? undefined : nodeText(memoryNodes, names.memoryNodes),
      policy: policy === undefined ? undefined : checkPolicyOrMode(policy, names.policy),
      flags: [],
      anyCpu: true,
      names,
    },
    exclusiveCpus:
      exclusiveCpus === undefined
        ? 0
        : checkInteger(exclusiveCpus, names.exclusiveCpus, 1, CPU_ID_MAX),
  };
}

function placementNames(argument: string): Required<Omit<PlacementNames, 'anyCpu'>> {
  return {
    cpus: `${argument}.cpus`,
    cpuNodes: `${argument}.cpuNodes`,
    memoryNodes: `${argument}.memoryNodes`,
    policy: `${argument}.policy`,
    exclusiveCpus: `${argument}.exclusiveCpus`,
  };
}

function cpuText(cpus: CpuExpression, argument: string): string {
  if (typeof cpus === 'string') return cpus;
  if (typeof cpus === 'number') return `${checkInteger(cpus, argument, 0, CPU_ID_MAX)}`;
  return `${cpuMaskOfItems(cpus, argument, CPUS_RULE)}`;
}

function nodeText(nodes: NodeExpression, argument: string): string {
  return typeof nodes === 'string' ? nodes : `${nodesOrExpression(nodes, argument)}`;
}

function checkPolicyOrMode(value: unknown, argument: string): PolicyMode | MemoryPolicy {
  if (typeof value === 'string') return checkWord(value, argument, POLICY_MODE_NAMES);
  if (typeof value === 'object' && value !== null) return checkPolicy(value, argument);
  throw invalidArgumentType(argument, 'the word of a policy mode, or a memory policy', value);
}
