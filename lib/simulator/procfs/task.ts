/**
 * A process or one of its threads, as files of procfs tell of it: /proc/PID/stat, one line of
 * numbers, and /proc/PID/status, facts by name.
 *
 * Source: proc_pid_stat(5), whose numbers of fields these are, and proc_pid_status(5);
 * fs/proc/array.c, do_task_stat() and proc_pid_status(); kernel/fork.c, copy_process();
 * fs/proc/task_mmu.c, task_mem(). Deviation: in stat what the model has no idea of (times, faults,
 * signals, terminals, addresses of the program) is 0; process group and session are the process's
 * own. Left out of status: signals, namespaces, peaks, and the parts of memory that the model does
 * not tell apart. Of capabilities just those that it knows are shown.
 */

import { formatIdList } from '../../core/id-list.ts';
import { CLOCK_TICK_MS, MAX_NUMNODES, PF_KTHREAD } from '../../core/uapi.ts';
import type { MachineState } from '../machine.ts';
import { nodesIn } from '../nodes/nodemask.ts';
import type { Credentials } from '../tasks/credentials.ts';
import type { Process } from '../tasks/process.ts';
import type { Thread } from '../tasks/thread.ts';
import { memorySums, residentPages } from './mapping-counts.ts';
import { linesText, maskText, statusKilobytesLine } from './text-layout.ts';

export interface Task {
  readonly process: Process;
  /** null for a thread of the kernel, which the model has no thread of. */
  readonly thread: Thread | null;
  readonly tid: number;
  /** It reads the file itself. */
  readonly isReader: boolean;
}

const INIT_PID = 1;
const KERNEL_THREAD_NAME = 'kthreadd';

/** One letter. */
export function taskStateOf({ process, isReader }: Task): 'R' | 'S' | 'Z' {
  if (!process.isRunning) return 'Z';
  return isReader ? 'R' : 'S';
}

/** Whoever waits for it: where the parent has ended, or there was none, the machine's first. */
export function parentPidOf({ parent, isKernelThread }: Process): number {
  if (isKernelThread) return 0;
  return parent?.isRunning === true ? parent.pid : INIT_PID;
}

/** The name of its program, 15 bytes at most. */
export function commandOf({ isKernelThread, command }: Process): string {
  return isKernelThread ? KERNEL_THREAD_NAME : command;
}

/** Threads that have not ended, by their numbers: of a process that has, the first. */
export function threadIdsOf(process: Process): number[] {
  if (process.threadCount === 0 || !process.isRunning) return [process.pid];
  return process.threads.map(({ tid }) => tid).sort((a, b) => a - b);
}

export function cpuOf({ process, thread }: Task): number {
  return thread?.cpu ?? (process.cpus.all[0] as number);
}

export function affinityOf({ process, thread }: Task): readonly number[] {
  return thread?.affinity ?? process.cpus.all;
}

const FIELD_COUNT = 52;
const PRIORITY = 20;
const NO_LIMIT = String(2n ** 64n - 1n);
const SIGCHLD = 17;
const NO_SIGNAL = -1;

export function statText(task: Task): string {
  const { process, tid } = task;
  const { mm } = process;
  const sums = memorySums(mm);
  const known: Readonly<Record<number, number | string>> = {
    1: tid,
    2: `(${commandOf(process)})`,
    3: taskStateOf(task),
    4: parentPidOf(process),
    5: process.isKernelThread ? 0 : process.pid,
    6: process.isKernelThread ? 0 : process.pid,
    8: -1,
    9: process.isKernelThread ? PF_KTHREAD : 0,
    18: PRIORITY,
    20: threadIdsOf(process).length,
    22: Math.floor(process.startMs / CLOCK_TICK_MS),
    23: (process.hasMemory ? sums.mapped : 0) * mm.memory.pageSizeBytes,
    24: process.hasMemory ? residentPages(sums) : 0,
    25: NO_LIMIT,
    38: tid === process.pid && !process.isKernelThread ? SIGCHLD : NO_SIGNAL,
    39: cpuOf(task),
  };
  const fields = Array.from({ length: FIELD_COUNT }, (_, index) => known[index + 1] ?? 0);
  return `${fields.join(' ')}\n`;
}

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
