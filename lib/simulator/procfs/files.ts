/**
 * The files of procfs and sysfs that a simulated machine has, as a kernel writes them for the
 * thread that reads.
 *
 * Source: proc(5), sysfs(5).
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import { WEIGHTS_FOLDER } from '../../procfs/weight-files.ts';
import { failure } from '../syscalls/answer.ts';
import { weightFileNames, writeWeightFile } from '../syscalls/weight-files.ts';
import { machineFiles, memoryFolder } from './machine-files.ts';
import { nodesFolder } from './node-files.ts';
import { processFolder, type Reader, threadFolder } from './process-folder.ts';
import { type FolderEntry, folderOf, namesInFolder, numberedFolder, readFileOf } from './tree.ts';

export type { Reader } from './process-folder.ts';

/** The text of a file. */
export function textOf(reader: Reader, path: string): SyscallResult<string> {
  return readFileOf(rootOf(reader), path);
}

/** The names in a folder. */
export function namesOf(reader: Reader, path: string): SyscallResult<string[]> {
  return namesInFolder(rootOf(reader), path);
}

/** Writes a file: the interleave weights can be; the rest are set by the handles of a machine. */
export function writeFileOf(reader: Reader, path: string, text: string): SyscallResult<undefined> {
  const { machine, thread } = reader;
  const name = path.startsWith(`${WEIGHTS_FOLDER}/`) ? path.slice(WEIGHTS_FOLDER.length + 1) : '';
  if (weightFileNames(machine).includes(name)) {
    return writeWeightFile(machine, thread.process.credentials, name, text);
  }
  const found = textOf(reader, path);
  return found.ok ? failure('open', ERRNO.EACCES) : found;
}

function rootOf(reader: Reader): FolderEntry {
  const { machine } = reader;
  return folderOf({
    get proc() {
      return procFolder(reader);
    },
    get sys() {
      return folderOf({
        devices: folderOf({ system: folderOf({ node: nodesFolder(machine) }) }),
        kernel: folderOf({ mm: memoryFolder(machine) }),
      });
    },
  });
}

function procFolder(reader: Reader): FolderEntry {
  const { machine, thread } = reader;
  const { process } = thread;
  const more = folderOf({
    ...machineFiles(machine),
    get self() {
      return processFolder(reader, process, process.mainThread);
    },
    get 'thread-self'() {
      return threadFolder(reader, process, thread.tid);
    },
  });
  const pids = (): number[] => [...machine.processes].map(({ pid }) => pid).sort((a, b) => a - b);
  return numberedFolder('', pids, (pid) => folderOfTask(reader, pid), more);
}

/** Threads are found by their numbers, too, but not listed. */
function folderOfTask(reader: Reader, tid: number): FolderEntry | undefined {
  const process = reader.machine.findProcess(tid);
  if (process === undefined) return undefined;
  const thread = process.findThread(tid) ?? null;
  return processFolder(reader, process, thread);
}
