/**
 * /proc/PID/status: facts by name.
 *
 * Source: proc_pid_status(5); fs/proc/array.c, proc_pid_status(); fs/proc/task_mmu.c, task_mem().
 *
 * Left out: signals, namespaces, peaks, and the parts of memory that the model does not tell apart.
 * Of capabilities just those that it knows are shown.
 */

import { formatIdList } from '../../core/id-list.ts';
import { MAX_NUMNODES } from '../../core/uapi.ts';
import type { MachineState } from '../machine.ts';
import { nodesIn } from '../nodes/nodemask.ts';
import type { Credentials } from '../tasks/credentials.ts';
import { memorySums, residentPages } from './memory-sums.ts';
import { affinityOf, commandOf, parentPidOf, type Task, taskStateOf, threadIdsOf } from './task.ts';
import { linesText, maskText, statusKilobytesLine } from './text-layout.ts';

const STATES = { R: 'R (running)', S: 'S (sleeping)', Z: 'Z (zombie)' } as const;
/** Source: include/uapi/linux/capability.h. */
const CAPABILITY = { SETUID: 7n, SYS_PTRACE: 19n, SYS_NICE: 23n } as const;
const CAPABILITY_DIGITS = 16;
/** SECCOMP_MODE_FILTER. */
const FILTERED = 2;

export function statusText(machine: MachineState, task: Task): string {
  const { process, tid } = task;
  const { uid } = process.credentials;
  const capabilities = capabilitiesText(process.credentials);
  return linesText([
    `Name:\t${commandOf(process).replace(/[\\\n]/g, escaped)}`,
    `State:\t${STATES[taskStateOf(task)]}`,
    `Tgid:\t${process.pid}`,
    'Ngid:\t0',
    `Pid:\t${tid}`,
    `PPid:\t${parentPidOf(process)}`,
    'TracerPid:\t0',
    `Uid:\t${[uid, uid, uid, uid].join('\t')}`,
    `Gid:\t${[uid, uid, uid, uid].join('\t')}`,
    ...(process.hasMemory ? memoryLines(task) : []),
    `Threads:\t${threadIdsOf(process).length}`,
    `CapPrm:\t${capabilities}`,
    `CapEff:\t${capabilities}`,
    'NoNewPrivs:\t0',
    `Seccomp:\t${machine.deniedCalls.size > 0 ? FILTERED : 0}`,
    ...placeLines(task),
  ]);
}

function memoryLines({ process: { mm } }: Task): string[] {
  const sums = memorySums(mm);
  const line = (name: string, pages: number): string =>
    statusKilobytesLine(name, pages * mm.memory.pageSizeBytes);
  return [
    line('VmSize', sums.mapped),
    line('VmLck', sums.locked),
    line('VmRSS', residentPages(sums)),
    line('RssAnon', sums.anonymous),
    line('RssFile', sums.file),
    line('RssShmem', sums.sharedMemory),
    line('VmStk', sums.stack),
    line('VmSwap', sums.swapped),
    line('HugetlbPages', sums.hugetlb),
  ];
}

function placeLines(task: Task): string[] {
  const { cpus, memsAllowed } = task.process;
  const affinity = affinityOf(task);
  const nodes = nodesIn(memsAllowed);
  return [
    `Cpus_allowed:\t${maskText(affinity, Math.max(...cpus.all) + 1)}`,
    `Cpus_allowed_list:\t${formatIdList(affinity)}`,
    `Mems_allowed:\t${maskText(nodes, MAX_NUMNODES)}`,
    `Mems_allowed_list:\t${formatIdList(nodes)}`,
  ];
}

function capabilitiesText({ canSetUid, canTrace, canSetNice }: Credentials): string {
  const mask =
    (canSetUid ? 1n << CAPABILITY.SETUID : 0n) |
    (canTrace ? 1n << CAPABILITY.SYS_PTRACE : 0n) |
    (canSetNice ? 1n << CAPABILITY.SYS_NICE : 0n);
  return mask.toString(16).padStart(CAPABILITY_DIGITS, '0');
}

/** Source: fs/proc/array.c, proc_task_name(). */
function escaped(character: string): string {
  return character === '\n' ? '\\n' : '\\\\';
}
