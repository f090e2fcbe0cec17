/** One command of a puppet as one call: its answer, or the errno of the call that failed. */

import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import type { Reply } from './channel.ts';

export type Send = (line: string) => Promise<Reply>;

export async function call<T>(
  send: Send,
  syscall: string,
  line: string,
  read: (values: readonly string[]) => T,
): Promise<SyscallResult<T>> {
  const { errno, values } = await send(line);
  return errno === 0 ? { ok: true, value: read(values) } : { ok: false, errno, syscall };
}

/** Of commands that are named as what they call. */
export function command<T>(
  send: Send,
  name: string,
  rest: string,
  read: (values: readonly string[]) => T,
): Promise<SyscallResult<T>> {
  return call(send, name, rest === '' ? name : `${name} ${rest}`, read);
}

/** The value of a call that only succeeds. */
export const nothing = (): undefined => undefined;

export const address = ([value]: readonly string[]): bigint => BigInt(value as string);

export const number = ([value]: readonly string[]): number => Number(value);
