/**
 * /proc/PID/stat: one line of numbers.
 *
 * Source: proc_pid_stat(5), whose numbers of fields these are; fs/proc/array.c, do_task_stat().
 *
 * Deviation: what the model has no idea of (times, faults, signals, terminals, addresses of the
 * program) is 0; process group and session are the process's own.
 */

import { CLOCK_TICK_MS, PF_KTHREAD } from '../../core/uapi.ts';
import { memorySums, residentPages } from './memory-sums.ts';
import { commandOf, cpuOf, parentPidOf, type Task, taskStateOf, threadIdsOf } from './task.ts';

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
