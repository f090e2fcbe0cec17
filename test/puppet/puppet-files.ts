/** Files that a puppet reads. */

import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import type { FileCalls } from '../contract/world-files.ts';
import type { Reply } from './channel.ts';

export function fileCalls(send: (line: string) => Promise<Reply>): FileCalls {
  const call = async <T>(
    syscall: string,
    line: string,
    read: (values: readonly string[]) => T,
  ): Promise<SyscallResult<T>> => {
    const { errno, values } = await send(line);
    return errno === 0 ? { ok: true, value: read(values) } : { ok: false, errno, syscall };
  };
  return {
    readText: (path) =>
      call('open', `read_file ${path}`, ([text = '']) => Buffer.from(text, 'hex').toString()),
    readNames: (path) => call('scandir', `read_folder ${path}`, (names) => [...names]),
    pagemap: (pid, address, pageCount) =>
      call('open', `read_pagemap ${pid} ${address} ${pageCount}`, (entries) => entries.map(BigInt)),
  };
}
