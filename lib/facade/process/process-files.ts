/**
 * The files of /proc that tell of a process, with what a refusal means.
 *
 * Source: proc(5); fs/proc/base.c, proc_pid_permission() and proc_mem_open().
 */

import type { Backend } from '../../backend/backend.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import { parseStat, type TaskStat } from '../../procfs/stat.ts';
import { lacksNumaMaps } from '../capabilities/denial.ts';
import type { AskedProcess } from '../errors/access-denied.ts';
import { cutShort, noNumaMaps, noProc, pidOfAnother, refusalOf } from './process-refusal.ts';

/** Whose files are read. */
export interface ProcessFiles extends AskedProcess {
  /** Ends the wait for them, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Those that only whoever may trace the process can read. */
export type PrivateFile = 'maps' | 'numa_maps' | 'smaps';

/**
 * The text of a file.
 * @throws NumaError NUMA_NO_SUCH_PROCESS, NUMA_NOT_PERMITTED, NUMA_UNSUPPORTED (no /proc); the
 *   signal's reason
 */
export async function readProcessFile(files: ProcessFiles, name: PrivateFile): Promise<string> {
  const result = await readTextOf(files, name);
  if (result.ok) return result.value;
  const asked = `reading /proc/${files.pid}/${name}`;
  if (name === 'numa_maps' && lacksNumaMaps(files.backend)) {
    throw noNumaMaps(files, result, asked);
  }
  throw await refusalOf(files, result, { asked });
}

/**
 * What the kernel answers about a file below the folder of the process.
 * @throws the signal's reason
 */
export async function readTextOf(
  { backend, pid, signal }: ProcessFiles,
  name: string,
): Promise<SyscallResult<string>> {
  signal?.throwIfAborted();
  const reading = backend.readText(`/proc/${pid}/${name}`);
  const result = await (signal === undefined ? reading : untilAborted(reading, signal));
  signal?.throwIfAborted();
  return result;
}

/** The kernel goes on with what nobody waits for any longer. */
async function untilAborted<T>(reading: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort);
  });
  try {
    return await Promise.race([reading, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/**
 * The process as it is now.
 * @throws NumaError NUMA_NO_SUCH_PROCESS, NUMA_NOT_PERMITTED, NUMA_UNSUPPORTED (no /proc); the
 *   signal's reason
 */
export async function readProcessStat(files: ProcessFiles): Promise<TaskStat> {
  const asked = `reading /proc/${files.pid}/stat`;
  const result = await readTextOf(files, 'stat');
  if (!result.ok) throw await refusalOf(files, result, { asked });
  const stat = parseStat(result.value);
  if (stat === null) throw await cutShort(files, asked);
  return stat;
}

/**
 * A pid with the start time is the same process for ever.
 * @throws NumaError NUMA_NO_SUCH_PROCESS where another one has the pid now
 */
export async function checkSameProcess(
  files: ProcessFiles,
  { startTicks }: Pick<TaskStat, 'startTicks'>,
): Promise<void> {
  const stat = await readProcessStat(files);
  if (stat.startTicks !== startTicks) throw pidOfAnother(files);
}

/** Those that we may see, ascending. @throws NumaError NUMA_UNSUPPORTED (no /proc) */
export async function readProcessIds(backend: Backend): Promise<number[]> {
  const files = { backend, pid: backend.pid };
  const names = await backend.readNames('/proc');
  if (!names.ok) throw noProc(files, 'listing processes');
  const ids = names.value.filter((name) => /^\d+$/.test(name)).map(Number);
  if (ids.length === 0) throw noProc(files, 'listing processes');
  return ids.sort((a, b) => a - b);
}
