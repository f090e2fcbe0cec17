/** Files that a puppet reads and writes, and file systems that it mounts. */

import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import type { TextFiles, WorldProcess } from '../contract/world.ts';
import { call, nothing, type Send } from './puppet-call.ts';

/** What a privileged test does to its machine, where that is not the machine of the test. */
export interface MachineFiles extends TextFiles {
  /** Throws where there is no such file. */
  text(path: string): Promise<string>;
  /** Of smaps, maps or numa_maps the lines of the areas between two addresses. Throws as `text`. */
  areasText(path: string, start: bigint, end: bigint): Promise<string>;
  /** None where there is no such folder. */
  names(path: string): Promise<string[]>;
  has(path: string): Promise<boolean>;
  /** One write(2), as the kernel's files want it. */
  tryWrite(path: string, text: string): Promise<SyscallResult<undefined>>;
  /** Throws where that fails. */
  write(path: string, text: string): Promise<void>;
  makeFolder(path: string): Promise<void>;
  removeFolder(path: string): Promise<void>;
  mount(type: string, folder: string, options?: string): Promise<SyscallResult<undefined>>;
  unmount(folder: string): Promise<void>;
}

const fromHex = ([text = '']: readonly string[]): string => Buffer.from(text, 'hex').toString();

/** The value, where a failure would be the test's own fault. */
async function expectValue<T>(path: string, calling: Promise<SyscallResult<T>>): Promise<T> {
  const result = await calling;
  if (result.ok) return result.value;
  throw new Error(`${path}: ${result.syscall} failed with errno ${result.errno}`);
}

function textFiles(send: Send): TextFiles {
  return {
    readText: (path) => call(send, 'open', `read_file ${path}`, fromHex),
    readNames: (path) => call(send, 'scandir', `read_folder ${path}`, (names) => [...names]),
  };
}

export function fileCalls(send: Send, ownPid: number): WorldProcess['files'] {
  return {
    ...textFiles(send),
    pagemap: ({ address, pageCount }, pid = ownPid) => {
      const line = `read_pagemap ${pid} ${address} ${pageCount}`;
      return call(send, 'open', line, (entries) => BigUint64Array.from(entries, BigInt));
    },
  };
}

export function writeFile(
  send: Send,
  path: string,
  text: string,
): Promise<SyscallResult<undefined>> {
  const hex = Buffer.from(text).toString('hex');
  return call(send, 'write', `write_file ${path} ${hex}`, nothing);
}

export function machineFiles(send: Send): MachineFiles {
  const files = textFiles(send);
  const act = (path: string, line: string): Promise<undefined> =>
    expectValue(path, call(send, line.split(' ', 1)[0] as string, line, nothing));
  const tryWrite = (path: string, text: string): Promise<SyscallResult<undefined>> =>
    writeFile(send, path, text);
  return {
    ...files,
    text: (path) => expectValue(path, files.readText(path)),
    areasText: (path, start, end) =>
      expectValue(path, call(send, 'open', `read_areas ${path} ${start} ${end}`, fromHex)),
    names: async (path) => {
      const result = await files.readNames(path);
      return result.ok ? result.value : [];
    },
    has: async (path) => (await files.readText(path)).ok || (await files.readNames(path)).ok,
    tryWrite,
    write: (path, text) => expectValue(path, tryWrite(path, text)),
    makeFolder: (path) => act(path, `make_folder ${path}`),
    removeFolder: (path) => act(path, `remove_folder ${path}`),
    mount: (type, folder, options) =>
      call(send, 'mount', ['mount', type, folder, options ?? ''].join(' ').trim(), nothing),
    unmount: (folder) => act(folder, `unmount ${folder}`),
  };
}
