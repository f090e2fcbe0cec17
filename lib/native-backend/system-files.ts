/**
 * Text files and folders of procfs and sysfs, read on the thread pool but for `readTextSync`: the
 * kernel walks page tables for some of them, which takes seconds for a large process.
 *
 * Source: proc(5), sysfs(5).
 */

import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  read,
  readdirSync,
  readFileSync,
  statSync,
  write,
} from 'node:fs';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Access } from '../backend/backend.ts';
import type { FileState } from '../backend/mapping.ts';
import type { SyscallFailure, SyscallResult } from '../backend/syscall-result.ts';
import type { DeviceNumber } from '../backend/topology-snapshot.ts';
import { ERRNO } from '../core/errno.ts';

const readBytes = promisify(read);
const writeBytes = promisify(write);
const READ_BYTES = 2 ** 16;

/** A whole file. */
export function readText(path: string): Promise<SyscallResult<string>> {
  return answerOf(
    withFile(path, constants.O_RDONLY, async (descriptor) => {
      const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
      const buffer = new Uint8Array(READ_BYTES);
      let text = '';
      for (;;) {
        const { bytesRead } = await readBytes(descriptor, buffer, 0, READ_BYTES, null);
        if (bytesRead === 0) return text + decoder.decode();
        text += decoder.decode(buffer.subarray(0, bytesRead), { stream: true });
      }
    }),
  );
}

/** The same, blocking the calling thread. */
export function readTextSync(path: string): SyscallResult<string> {
  try {
    return { ok: true, value: readFileSync(path, 'utf8') };
  } catch (error) {
    return failureOf(error);
  }
}

/** A setting, in one write; a file that is not there is not made. */
export function writeText(path: string, text: string): Promise<SyscallResult<undefined>> {
  return answerOf(
    withFile(path, constants.O_WRONLY, async (descriptor) => {
      await writeBytes(descriptor, text);
      return undefined;
    }),
  );
}

/**
 * Opened on the calling thread, whose end closes it: what a thread of the pool opens for a worker
 * that is terminated meanwhile stays open for good.
 *
 * Source: Node.js, src/node_file.cc, FSReqAfterScope::Proceed(); Environment::AddUnmanagedFd().
 */
async function withFile<T>(
  path: string,
  flags: number,
  use: (descriptor: number) => Promise<T>,
): Promise<T> {
  const descriptor = openSync(path, flags);
  try {
    return await use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The block device that a file is, or that its file system is on. */
export function deviceOfFile(path: string): SyscallResult<DeviceNumber> {
  try {
    const { dev, rdev, mode } = statSync(path, { bigint: true });
    const isBlockDevice = (mode & BigInt(constants.S_IFMT)) === BigInt(constants.S_IFBLK);
    return { ok: true, value: numbersOf(isBlockDevice ? rdev : dev) };
  } catch (error) {
    return failureOf(error);
  }
}

/** Source: gnu_dev_major() and gnu_dev_minor() of makedev(3). */
function numbersOf(device: bigint): DeviceNumber {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn);
  return { major: Number(BigInt.asUintN(32, major)), minor: Number(BigInt.asUintN(32, minor)) };
}

/** Names in a folder, blocking the calling thread. */
export function readNamesSync(path: string): SyscallResult<string[]> {
  try {
    return { ok: true, value: readdirSync(path) };
  } catch (error) {
    return failureOf(error);
  }
}

/** The length of what a descriptor is of. */
export function statDescriptor(descriptor: number): SyscallResult<FileState> {
  try {
    return { ok: true, value: { sizeBytes: fstatSync(descriptor).size, isTruncated: false } };
  } catch (error) {
    return failureOf(error);
  }
}

/** Without waiting for whoever is at the other end of what is no file. */
export function openFile(path: string, access: Access): SyscallResult<number> {
  const flags = access === 'write' ? constants.O_RDWR : constants.O_RDONLY;
  try {
    return { ok: true, value: openSync(path, flags | constants.O_NONBLOCK) };
  } catch (error) {
    return { ...failureOf(error), syscall: 'openat' };
  }
}

export function closeFile(descriptor: number): SyscallResult<undefined> {
  try {
    closeSync(descriptor);
    return { ok: true, value: undefined };
  } catch (error) {
    return failureOf(error);
  }
}

/** Names in a folder. */
export function readNames(path: string): Promise<SyscallResult<string[]>> {
  return answerOf(readdir(path));
}

async function answerOf<T>(reading: Promise<T>): Promise<SyscallResult<T>> {
  try {
    return { ok: true, value: await reading };
  } catch (error) {
    return failureOf(error);
  }
}

/**
 * Node tells the call that failed; a path that it refuses itself (a zero byte) has none.
 * @throws what is no answer of Node's: a fault of the program
 */
export function failureOf(error: unknown): SyscallFailure {
  const { code, errno = -ERRNO.ENOENT, syscall = 'open' } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  return { ok: false, errno: -errno, syscall };
}
