/**
 * write(2) to cpuset.mems and cgroup.procs: the nodes of a group, and who is in it. Policies of
 * threads and ranges are bound anew, and pages follow; both are done when the call returns.
 *
 * Source: kernel/cgroup/cpuset.c, update_nodemask(), cpuset_update_tasks_nodemask(),
 * cpuset_attach() and cpuset_migrate_mm(); kernel/cgroup/cpuset-v1.c, cpuset1_validate_change();
 * mm/mempolicy.c, mpol_rebind_task() and mpol_rebind_mm().
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import type { KernelFacts } from '../../core/kernel-facts.ts';
import { MPOL_MF, NODE_ID_MAX } from '../../core/uapi.ts';
import type { MachineState } from '../machine.ts';
import type { Steps } from '../memory/in-flight.ts';
import { finish } from '../migrate/suspended-call.ts';
import { isSubset, maskOf, NO_NODES, type Nodemask } from '../nodes/nodemask.ts';
import { rebindPolicy } from '../policy/mempolicy.ts';
import type { Cpuset } from '../tasks/cpuset.ts';
import type { Process } from '../tasks/process.ts';
import { answer } from './answer.ts';
import { migrateBetween } from './migrate-pages.ts';

const REGION = /^(\d+)(?:-(\d+|N)(?::(\d+)\/(\d+))?)?$/;

type ParsedNodes = { readonly mask: Nodemask } | { readonly errno: number };

/** A write to cpuset.mems. */
export function writeCpusetMems(
  machine: MachineState,
  cpuset: Cpuset,
  text: string,
): SyscallResult<undefined> {
  return finish(machine.memory.inFlight, stepsOfCpusetMems(machine, cpuset, text));
}

/** The same, step by step. */
export function* stepsOfCpusetMems(
  { facts }: MachineState,
  cpuset: Cpuset,
  text: string,
): Steps<SyscallResult<undefined>> {
  return answer('write', yield* updateNodemask(facts, cpuset, text));
}

function* updateNodemask(facts: KernelFacts, cpuset: Cpuset, text: string): Steps<number> {
  if (cpuset.root === null) return ERRNO.EACCES;
  const parsed = parseNodeList(text);
  if ('errno' in parsed) return parsed.errno;
  const { mask: mems } = parsed;
  if (!isSubset(mems, cpuset.root.mems)) return ERRNO.EINVAL;
  if (mems === cpuset.mems) return 0;
  const mayBeEmptied = cpuset.version === 2 && facts.cpusetInUseMayBeEmptied;
  if (mems === NO_NODES && cpuset.processes.size > 0 && !mayBeEmptied) return ERRNO.ENOSPC;
  const { effectiveMems: before, version } = cpuset;
  cpuset.mems = mems;
  // Source: update_nodemasks_hier().
  const isSame = version === 2 && cpuset.effectiveMems === before;
  if (!isSame) yield* updateTasksNodemask(cpuset);
  return 0;
}

function* updateTasksNodemask(cpuset: Cpuset): Steps<void> {
  const { effectiveMems, oldMems, migrates } = cpuset;
  for (const process of cpuset.processes) {
    changeTaskNodemask(process, effectiveMems);
    rebindRanges(process, effectiveMems);
    if (migrates) yield* followNodes(process, oldMems, cpuset);
  }
  cpuset.oldMems = effectiveMems;
}

/** A write to cgroup.procs: all threads of that process join the group. */
export function attachToCpuset(
  machine: MachineState,
  cpuset: Cpuset,
  pid: number,
): SyscallResult<undefined> {
  return finish(machine.memory.inFlight, stepsOfAttach(machine, cpuset, pid));
}

/** The same, step by step. */
export function* stepsOfAttach(
  machine: MachineState,
  cpuset: Cpuset,
  pid: number,
): Steps<SyscallResult<undefined>> {
  const process = machine.findProcess(pid);
  if (process === undefined) return answer('write', ERRNO.ESRCH);
  if (process.isKernelThread) return answer('write', ERRNO.EINVAL);
  if (process.cpuset === cpuset) return answer('write', 0);
  if (cpuset.version === 1 && cpuset.mems === NO_NODES) return answer('write', ERRNO.ENOSPC);
  const { oldMems, effectiveMems: before } = process.cpuset;
  const { effectiveMems, migrates } = cpuset;
  cpuset.take(process);
  if (machine.facts.joiningForgetsAffinity) forgetAffinity(process);
  if (before === effectiveMems && !machine.facts.rebindsToEqualNodes) {
    cpuset.oldMems = effectiveMems;
    return answer('write', 0);
  }
  changeTaskNodemask(process, effectiveMems);
  rebindRanges(process, effectiveMems);
  if (migrates) yield* followNodes(process, oldMems, cpuset);
  cpuset.oldMems = effectiveMems;
  return answer('write', 0);
}

/** Groups here have all CPUs. Source: set_cpus_allowed_ptr(), without user_cpus_ptr before 6.2. */
function forgetAffinity({ threads, cpus }: Process): void {
  for (const thread of threads) thread.affinity = cpus.all;
}

/** Source: cpuset_change_task_nodemask(). */
function changeTaskNodemask(process: Process, mems: Nodemask): void {
  for (const thread of process.threads) thread.rebind(rebindPolicy(thread.policy, mems));
  process.memsAllowed = mems;
}

/** The policies that mappings keep; those of an object stay as they are. */
function rebindRanges({ mm: { vmas } }: Process, mems: Nodemask): void {
  vmas.replacePolicies((policy) => rebindPolicy(policy, mems));
}

/** The kernel's own thread does it, which is in no group. */
function* followNodes(
  { mm, cpus }: Process,
  from: Nodemask,
  { effectiveMems: to }: Cpuset,
): Steps<void> {
  const { memoryNodes } = mm.memory.physical;
  const by = { cpuNode: cpus.nodeOf(cpus.all[0] as number), memsAllowed: memoryNodes };
  const account = mm.memory.costs?.kernelAccount ?? null;
  if (from !== to) yield* migrateBetween(mm, { from, to, flags: MPOL_MF.MOVE_ALL, by, account });
}

/**
 * `0-1,3`, `0-7:1/2` for every second one. EINVAL for bad syntax, ERANGE for a number that no node
 * can have. Source: lib/bitmap-str.c, bitmap_parselist().
 */
function parseNodeList(text: string): ParsedNodes {
  const nodes: number[] = [];
  for (const region of text.split(/[\s,]+/)) {
    if (region === '') continue;
    const found = nodesOfRegion(region);
    if (typeof found === 'number') return { errno: found };
    nodes.push(...found);
  }
  return { mask: maskOf(nodes) };
}

/** The nodes of one region, or an errno. */
function nodesOfRegion(region: string): number[] | number {
  const match = REGION.exec(region.replace(/^N/, String(NODE_ID_MAX)));
  if (match === null) return ERRNO.EINVAL;
  const [, first = '', last = first, used = '1', group = '1'] = match;
  const start = Number(first);
  const end = last === 'N' ? NODE_ID_MAX : Number(last);
  if (start > end || Number(group) === 0 || Number(used) > Number(group)) return ERRNO.EINVAL;
  if (end > NODE_ID_MAX) return ERRNO.ERANGE;
  const all = Array.from({ length: end - start + 1 }, (_, index) => index);
  return all.filter((index) => index % Number(group) < Number(used)).map((index) => start + index);
}
