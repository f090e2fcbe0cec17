/**
 * /proc/PID: the files of a process and of its threads, and who may read them.
 *
 * Source: proc_pid(5); fs/proc/base.c, tgid_base_stuff and tid_base_stuff, proc_mem_open();
 * kernel/fork.c, mm_access().
 */

import { ERRNO } from '../../core/errno.ts';
import type { MachineState } from '../machine.ts';
import type { Mm } from '../memory/mm.ts';
import { mayRead } from '../tasks/credentials.ts';
import type { Process } from '../tasks/process.ts';
import type { Thread } from '../tasks/thread.ts';
import { mapsText } from './maps.ts';
import { numaMaps } from './numa-maps.ts';
import { smapsText } from './smaps.ts';
import { commandOf, statText, statusText, type Task, threadIdsOf } from './task.ts';
import { linesText } from './text-layout.ts';
import {
  type Content,
  type FileEntry,
  type FolderEntry,
  folderOf,
  numberedFolder,
} from './tree.ts';

/** Who reads, on which machine. */
export interface Reader {
  readonly machine: MachineState;
  readonly thread: Thread;
}

/** What a caller gets of another's memory: its space, null where it has none, or an errno. */
export function memoryOf(
  { thread }: Reader,
  target: Process,
): Mm | null | { readonly errno: number } {
  if (!target.hasMemory) return null;
  const isOwn = target === thread.process;
  if (isOwn || mayRead(thread.process.credentials, target.credentials)) return target.mm;
  return { errno: ERRNO.EACCES };
}

/** The folder of a process, or of any of its threads by its own number. */
export function processFolder(
  reader: Reader,
  process: Process,
  thread: Thread | null,
): FolderEntry {
  return folderOf({ ...filesOf(reader, process, thread), task: threadFolders(reader, process) });
}

/** The folder of one thread below its process. */
export function threadFolder(reader: Reader, process: Process, tid: number): FolderEntry {
  const thread = process.findThread(tid) ?? null;
  return folderOf(filesOf(reader, process, thread));
}

function threadFolders(reader: Reader, process: Process): FolderEntry {
  return numberedFolder(
    '',
    () => threadIdsOf(process),
    (tid) => (threadIdsOf(process).includes(tid) ? threadFolder(reader, process, tid) : undefined),
  );
}

function filesOf(
  reader: Reader,
  process: Process,
  thread: Thread | null,
): Record<string, FileEntry> {
  const tid = thread?.tid ?? process.pid;
  const task: Task = { process, thread, tid, isReader: thread === reader.thread };
  return {
    cmdline: () => (process.hasMemory ? `${commandOf(process)}\0` : ''),
    comm: () => `${commandOf(process)}\n`,
    maps: memoryFile(reader, process, mapsText),
    numa_maps: memoryFile(reader, process, () =>
      linesText(thread === null ? [] : numaMaps(thread)),
    ),
    smaps: memoryFile(reader, process, smapsText),
    stat: () => statText(task),
    status: () => statusText(reader.machine, task),
  };
}

/** Empty for who has no memory: a process that has ended, a thread of the kernel. */
function memoryFile(reader: Reader, process: Process, text: (mm: Mm) => string): FileEntry {
  return (): Content => {
    const memory = memoryOf(reader, process);
    if (memory === null) return '';
    return 'errno' in memory ? memory : text(memory);
  };
}
