/**
 * The CPUs of the threads of a process. The kernel has them for each thread: a process as a whole
 * is all that there are, those included that are started meanwhile.
 *
 * Source: sched_setaffinity(2); proc_pid_task(5).
 */

import { outOfRange } from '../../core/argument-errors.ts';
import { checkInteger, checkOptions } from '../../core/check-arguments.ts';
import { type CpuExpression, CpuMask } from '../../core/cpu-mask.ts';
import { ERRNO } from '../../core/errno.ts';
import { PID_MAX } from '../../core/uapi.ts';
import { parseStatus } from '../../procfs/status.ts';
import type { Context } from '../context.ts';
import { type ProcessFiles, readProcessStat, readTextOf } from './process-files.ts';
import { refusalOf } from './process-refusal.ts';

export interface SetAffinityOptions {
  /** This thread alone. Default: all threads of the process. */
  readonly tid?: number;
}

/** A thread that was set, and what became of it. */
export interface ThreadAffinity {
  readonly tid: number;
  /** What it may run on now: the kernel drops CPUs outside of its cpuset; `null` where it is not
   *  told. */
  readonly cpus: CpuMask | null;
}

/** @throws TypeError, RangeError; NumaError NUMA_NO_SUCH_PROCESS, NUMA_NOT_PERMITTED and others */
export async function setProcessAffinity(
  context: Context,
  files: ProcessFiles,
  cpus: CpuExpression,
  options: SetAffinityOptions | undefined,
): Promise<ThreadAffinity[]> {
  const mask = context.resolveCpus(cpus, 'cpus');
  const { tid: asked } = checkOptions(options, 'options', ['tid']);
  const only = asked === undefined ? undefined : checkInteger(asked, 'options.tid', 1, PID_MAX);
  const done = new Set<number>();
  for (;;) {
    const all = await threadIdsOf(files);
    const ids = (only === undefined ? all : [only]).filter((id) => !done.has(id));
    if (only !== undefined && !all.includes(only)) {
      const rule = `it must be a thread of process ${files.pid}`;
      throw outOfRange('options.tid', rule, only);
    }
    if (ids.length === 0) break;
    for (const id of ids) {
      done.add(id);
      const result = context.backend.schedSetaffinity(mask.toArray(), id);
      // It has ended since; a process without threads is found when they are listed again.
      if (result.ok || result.errno === ERRNO.ESRCH) continue;
      throw context.error(result, {
        asked: `CPUs ${mask} for thread ${id} of process ${files.pid}`,
        args: { pid: files.pid, tid: id, cpus: mask.toArray() },
      });
    }
  }
  const found = [...done].sort((a, b) => a - b).map((tid) => affinityOf(files, tid));
  return (await Promise.all(found)).filter((one) => one !== undefined);
}

async function threadIdsOf(files: ProcessFiles): Promise<number[]> {
  const folder = `/proc/${files.pid}/task`;
  const names = await files.backend.readNames(folder);
  if (!names.ok) throw await refusalOf(files, names, { asked: `reading ${folder}` });
  if (names.value.length === 0) await readProcessStat(files);
  return names.value.map(Number);
}

async function affinityOf(files: ProcessFiles, tid: number): Promise<ThreadAffinity | undefined> {
  const text = await readTextOf(files, `task/${tid}/status`);
  if (!text.ok) return text.errno === ERRNO.ENOENT ? undefined : { tid, cpus: null };
  const { cpusAllowed } = parseStatus(text.value);
  return { tid, cpus: cpusAllowed === null ? null : CpuMask.from(cpusAllowed) };
}
