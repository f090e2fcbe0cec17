/** Arguments of simulated calls, from the forms that a world takes. */

import type { UserMask } from '../../lib/simulator/syscalls/decode-mask.ts';
import { maskMemory, UNREADABLE } from '../../lib/simulator/syscalls/memory-argument.ts';
import type { MovePagesArrays } from '../../lib/simulator/syscalls/move-pages.ts';
import { maskAt, readWord, writeWord } from '../../lib/simulator/syscalls/user-memory.ts';
import type { Thread } from '../../lib/simulator/tasks/thread.ts';
import type { MaskArgument } from '../contract/world.ts';

const INT_BYTES = 4n;
const POINTER_BYTES = 8n;

export function userMask(thread: Thread, mask: MaskArgument): UserMask {
  if (mask === null) return { memory: null, maxnode: 0n };
  const maxnode = BigInt(mask.maxnode);
  if ('words' in mask) return { memory: maskMemory(mask.words), maxnode };
  const memory = mask.pointer % POINTER_BYTES === 0n ? maskAt(thread, mask.pointer) : UNREADABLE;
  return { memory: mask.pointer === 0n ? null : memory, maxnode };
}

/** The arrays of a move, wherever they are. */
export function movePagesArrays(
  thread: Thread,
  request: {
    readonly count: number;
    readonly pages: bigint | ((index: number) => bigint | undefined);
    readonly nodes: number | Int32Array | null;
    readonly status: bigint | Int32Array;
  },
): MovePagesArrays {
  const { count, pages, nodes, status } = request;
  const node = typeof nodes === 'number' ? () => nodes : (index: number) => nodes?.[index];
  return {
    count,
    address:
      typeof pages === 'bigint'
        ? (index) => readWord(thread, pages + BigInt(index) * POINTER_BYTES)
        : pages,
    node: nodes === null ? null : node,
    store: (index, value) => {
      if (typeof status !== 'bigint') {
        status[index] = value;
        return true;
      }
      return writeWord(thread, status + BigInt(index) * INT_BYTES, BigInt(value));
    },
  };
}
