/**
 * A program that goes on touching pages: the only thing here that takes time, which is logical.
 * With each tick of the clock the thread looks whether balancing has something for it to do.
 *
 * Source: kernel/sched/core.c, sched_tick(); CONFIG_HZ of Debian.
 */

import type { Access } from '../../backend/backend.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import { tickNuma } from '../balancing/task-numa-work.ts';
import type { MachineState } from '../machine.ts';
import type { Thread } from '../tasks/thread.ts';
import { answer } from './answer.ts';
import { touch } from './touch.ts';
import { readWord, writeWord } from './user-memory.ts';

const TICK_MS = 4;

export interface KeepTouchingCall {
  readonly address: bigint;
  readonly pageCount: number;
  /** `count` adds 1 to the first word of each page. */
  readonly access: Access | 'count';
  readonly milliseconds: number;
}

/** Touches all pages once in each tick; ends with the first access that fails. */
export function keepTouching(
  machine: MachineState,
  thread: Thread,
  call: KeepTouchingCall,
): SyscallResult<undefined> {
  const { clock } = machine.memory;
  const end = clock.nowMs + call.milliseconds;
  while (clock.nowMs < end) {
    const result = touchOnce(machine, thread, call);
    if (!result.ok) return result;
    clock.nowMs += TICK_MS;
    tickNuma(thread, TICK_MS);
  }
  return answer('keep_touching', 0);
}

function touchOnce(
  machine: MachineState,
  thread: Thread,
  { address, pageCount, access }: KeepTouchingCall,
): SyscallResult<undefined> {
  if (access !== 'count') return touch(machine, thread, { address, pageCount, access });
  const size = BigInt(machine.memory.pageSizeBytes);
  for (let index = 0n; index < BigInt(pageCount); index += 1n) {
    const at = address + index * size;
    const word = readWord(thread, at);
    if (word === undefined || !writeWord(thread, at, word + 1n)) {
      return answer('keep_touching', ERRNO.EFAULT);
    }
  }
  return answer('keep_touching', 0);
}
