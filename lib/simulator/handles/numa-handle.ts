/** The NUMA calls with any pointer and length, as a simulated thread makes them. */

import { invalidArgumentType } from '../../core/argument-errors.ts';
import { isBigUint64Array } from '../../core/call-arguments.ts';
import { methodOf, policyCalls } from '../../core/calls.ts';
import { MPOL_MF } from '../../core/uapi.ts';
import type {
  GetMempolicyPointers,
  MovePagesPointers,
  NumaCalls,
  PolicyCalls,
  StoredPolicy,
} from '../../machine/numa.ts';
import type { Caller } from '../caller.ts';
import { getMempolicy } from '../syscalls/get-mempolicy.ts';
import { kernelMigratePages, type MigratePagesArguments } from '../syscalls/migrate-pages.ts';
import { type MovePagesArrays, movePages } from '../syscalls/move-pages.ts';
import { policyCall } from '../syscalls/policy-calls.ts';
import {
  maskArgument,
  readInt,
  readWord,
  writableBytes,
  writeInt,
} from '../syscalls/user-memory.ts';
import type { Thread } from '../tasks/thread.ts';

const INT_BYTES = 4n;
const POINTER_BYTES = 8n;
/** What a call's own buffer can take: more than any mask. */
const BUFFER_BYTES = 2n ** 16n;

export function numaCallsOf(caller: Caller): NumaCalls {
  const { machine } = caller;
  const policies = policyCalls.map((call) => {
    const make = (request: object) => caller.call(call, (own) => policyCall(own, call, request));
    return [methodOf(call), make] as const;
  });
  return {
    ...(Object.fromEntries(policies) as unknown as PolicyCalls),
    getMempolicy: (request) => storedPolicy(caller, request),
    movePages: (request) => {
      const { pid = 0, flags = MPOL_MF.MOVE } = request;
      const count = countOf(request);
      return caller.call('move_pages', (own) =>
        movePages(machine, own, { pid, flags, count, ...arraysOf(own, request) }),
      );
    },
    migratePages: (request) =>
      caller.call('migrate_pages', (own) =>
        kernelMigratePages(machine, own, migratePagesCall(own, request)),
      ),
  };
}

export function migratePagesCall(
  own: Thread,
  { pid, from, to }: Parameters<NumaCalls['migratePages']>[0],
): MigratePagesArguments {
  const masks = { from: maskArgument(own, from), to: maskArgument(own, to) };
  const isFromLonger = masks.from.maxnode > masks.to.maxnode;
  const { maxnode } = isFromLonger ? masks.from : masks.to;
  return { pid, from: { ...masks.from, maxnode }, to: { ...masks.to, maxnode } };
}

function storedPolicy(caller: Caller, request: GetMempolicyPointers): StoredPolicy {
  const { flags, address = 0n, maxnode, mask, mode } = request;
  let stored: StoredPolicy | undefined;
  const result = caller.call('get_mempolicy', (own) => {
    stored = getMempolicy(own, {
      flags,
      address,
      maxnode: BigInt(maxnode),
      hasMask: mask !== 0n,
      hasMode: mode !== 0n,
      writableMaskBytes: mask === undefined ? BUFFER_BYTES : writableBytes(own, mask, BUFFER_BYTES),
      isModeWritable: mode === undefined || writableBytes(own, mode, 1n) > 0n,
      possibleNodeCount: caller.machine.possibleNodeCount,
    });
    return stored.result;
  });
  return stored ?? { result, mode: null, words: [] };
}

/** @throws TypeError ERR_INVALID_ARG_TYPE: nothing tells how many */
function countOf({ count, pages }: MovePagesPointers): number {
  if (count !== undefined) return count;
  if (typeof pages === 'bigint') throw invalidArgumentType('request.count', 'a number', count);
  return isBigUint64Array(pages) ? pages.length : pages.pageCount;
}

function pageAt(own: Thread, pages: MovePagesPointers['pages'], index: number): bigint | undefined {
  if (typeof pages === 'bigint') return readWord(own, pages + BigInt(index) * POINTER_BYTES);
  if (isBigUint64Array(pages)) return pages[index];
  return pages.address + BigInt(index * own.mm.memory.pageSizeBytes);
}

/** The arrays of a move, wherever they are. */
function arraysOf(own: Thread, { pages, nodes, status }: MovePagesPointers): ArraysOfMove {
  return {
    address: (index) => pageAt(own, pages, index),
    node: nodes === null ? null : (index) => nodeAt(own, nodes, index),
    store: (index, value) => {
      if (typeof status === 'bigint') {
        return writeInt(own, status + BigInt(index) * INT_BYTES, value);
      }
      if (index >= status.length) return false;
      status[index] = value;
      return true;
    },
  };
}

function nodeAt(
  own: Thread,
  nodes: Exclude<MovePagesPointers['nodes'], null>,
  index: number,
): number | undefined {
  if (typeof nodes === 'number') return nodes;
  if (typeof nodes === 'bigint') return readInt(own, nodes + BigInt(index) * INT_BYTES);
  return nodes[index];
}

type ArraysOfMove = Pick<MovePagesArrays, 'address' | 'node' | 'store'>;
