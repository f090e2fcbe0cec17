/** A puppet's NUMA calls: masks and arrays by their values or by their addresses, as lines. */

import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import { type ArgumentKind, NUMA_CALLS } from '../../lib/core/calls.ts';
import { MPOL_MF } from '../../lib/core/uapi.ts';
import type {
  GetMempolicyPointers,
  MaskArgument,
  MovePagesPointers,
  NumaCalls,
  StoredPolicy,
} from '../../lib/machine/numa.ts';
import type { Later } from '../support/later.ts';
import { policyCallsOf } from '../support/numa-calls.ts';
import { arrayText, hex, listOf, maskPairText, maskText, statusText } from './line-text.ts';
import { command, nothing, number, type Send } from './puppet-call.ts';

const UNWRITTEN_MODE = -1;

async function storedPolicy(send: Send, request: GetMempolicyPointers): Promise<StoredPolicy> {
  const { flags, address = 0n, maxnode, mask, mode } = request;
  const maskText = mask === undefined ? 'buffer' : `@${hex(mask)}`;
  const modeText = mode === undefined ? 'mode' : `@${hex(mode)}`;
  const { errno, values } = await send(
    `get_mempolicy ${hex(flags)} ${hex(address)} ${hex(maxnode)} ${maskText} ${modeText}`,
  );
  const stored = Number(values[0]);
  return {
    result:
      errno === 0 ? { ok: true, value: undefined } : { ok: false, errno, syscall: 'get_mempolicy' },
    mode: stored === UNWRITTEN_MODE ? null : stored,
    words: listOf(values[1]).map(BigInt),
  };
}

/** Pages, nodes and statuses, as many as a count tells: without one all of them are there. */
function arraysText({ count, pages, nodes, status }: MovePagesPointers): string {
  const isSpan = typeof pages === 'object' && 'pageCount' in pages;
  const size = count ?? sizeOf(pages);
  const pagesText = isSpan ? `span:${hex(pages.address)}` : arrayText(pages, size) || 'null';
  const isWhole = count === undefined;
  const listed = isWhole && typeof status !== 'bigint';
  const statuses = listed ? statusText(status) : arrayText(status, size);
  if (typeof nodes === 'number') return `${size} ${pagesText} all:${nodes} ${statuses}`;
  const isList = isWhole && nodes instanceof Int32Array;
  const nodesText = isList ? nodes.join(',') || 'null' : arrayText(nodes, size);
  return `${size} ${pagesText} ${nodesText} ${statuses}`;
}

function sizeOf(pages: MovePagesPointers['pages']): number {
  if (typeof pages === 'bigint') throw new TypeError('an array by its address needs a count');
  return 'pageCount' in pages ? pages.pageCount : pages.length;
}

async function movePages(send: Send, request: MovePagesPointers): Promise<SyscallResult<number>> {
  const { pid = 0, status, flags = MPOL_MF.MOVE } = request;
  const { errno, values } = await send(`move_pages ${pid} ${arraysText(request)} ${flags}`);
  // As the call left it, failed or not.
  if (typeof status !== 'bigint') {
    for (const [index, value] of listOf(values.at(-1)).entries()) status[index] = Number(value);
  }
  if (errno !== 0) return { ok: false, errno, syscall: 'move_pages' };
  return { ok: true, value: Number(values[0]) };
}

function argumentText(kind: ArgumentKind, value: unknown): string {
  if (kind === 'mask') return maskText(value as MaskArgument);
  return kind === 'int' ? `${value}` : hex(value as number | bigint);
}

export function numaCalls(send: Send): Later<NumaCalls> {
  return {
    ...policyCallsOf((call) => (request) => {
      const takes = Object.entries(NUMA_CALLS[call].takes);
      const text = takes.map(([name, kind]) => argumentText(kind, request[name])).join(' ');
      return command(send, call, text, nothing);
    }),
    getMempolicy: (request) => storedPolicy(send, request),
    movePages: (request) => movePages(send, request),
    migratePages: ({ pid, from, to }) =>
      command(send, 'migrate_pages', `${pid} ${maskPairText(from, to)}`, number),
  };
}
