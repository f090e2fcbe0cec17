/**
 * /proc/PID/stat and /proc/PID/task/TID/stat: one line of numbers about a process or a thread.
 *
 * Source: proc_pid_stat(5); fs/proc/array.c, do_task_stat().
 */

export interface TaskStat {
  /** The process or the thread. */
  readonly id: number;
  /** The name of its program or thread, at most 15 bytes; any characters. */
  readonly name: string;
  /** One letter: R running, S sleeping, D in the kernel, Z ended and not waited for, T stopped. */
  readonly state: string;
  readonly parentPid: number;
  /** Bits PF_* of include/linux/sched.h. */
  readonly flags: number;
  /** CPU time since it started, in clock ticks, of both modes. */
  readonly cpuTicks: number;
  readonly threadCount: number;
  /** Clock ticks from the machine's start to its own: with the id, it names one process. */
  readonly startTicks: number;
  /** Of all of its mappings; 0 where it has no memory of its own. */
  readonly virtualBytes: number;
  /** The CPU that it ran on last. */
  readonly processor: number;
}

/** Numbers of the manual page less those before the state, which is the first behind the name. */
const FIELD = {
  state: 0,
  parentPid: 1,
  flags: 6,
  userTicks: 11,
  systemTicks: 12,
  threadCount: 17,
  startTicks: 19,
  virtualBytes: 20,
  processor: 36,
} as const;

/** `null` for what is no such line. */
export function parseStat(text: string): TaskStat | null {
  // The name may hold blanks and parentheses itself: the last one closes it.
  const match = /^(\d+) \(([\s\S]*)\) (\S[^)]*)$/.exec(text.trimEnd());
  const fields = match?.[3]?.split(' ') ?? [];
  if (match === null || fields.length <= FIELD.processor) return null;
  const number = (field: keyof typeof FIELD): number => Number(fields[FIELD[field]]);
  const numbers = Object.keys(FIELD).filter((name) => name !== 'state') as (keyof typeof FIELD)[];
  if (!numbers.every((name) => Number.isFinite(number(name)))) return null;
  return {
    id: Number(match[1]),
    name: match[2] as string,
    state: fields[FIELD.state] as string,
    parentPid: number('parentPid'),
    flags: number('flags'),
    cpuTicks: number('userTicks') + number('systemTicks'),
    threadCount: number('threadCount'),
    startTicks: number('startTicks'),
    virtualBytes: number('virtualBytes'),
    processor: number('processor'),
  };
}
