/** Steps that most tests share: mapping pages, putting them on nodes, asking where they are. */

import { expect } from 'vitest';
import type {
  Access,
  GetMempolicyRequest,
  GetMempolicyValue,
  PageSpan,
} from '../../lib/backend/backend.ts';
import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import { nodemaskWords, nodesOfWords } from '../../lib/core/nodemask-words.ts';
import { MPOL, MPOL_F, MPOL_MF } from '../../lib/core/uapi.ts';
import { MIB_BYTES } from '../../lib/core/units.ts';
import type { MmapRequest } from '../../lib/machine/memory.ts';
import type { MaskArgument } from '../../lib/machine/numa.ts';
import { UNWRITTEN, type WorldMachine, type WorldProcess } from './world.ts';

export { UNWRITTEN };

/** Of a transparent huge page, and of a pool's. */
export const HUGE_BYTES: number = 2 * MIB_BYTES;

/** Where tests map at chosen addresses: nothing else lives near, and page numbers pass 2^32. */
export const FREE_ADDRESS = 0x2aaa_0000_0000n;

/** Consecutive pages of one process. */
export class Pages {
  readonly process: WorldProcess;
  readonly address: bigint;
  readonly count: number;
  readonly pageSizeBytes: number;

  constructor(process: WorldProcess, address: bigint, count: number, pageSizeBytes: number) {
    this.process = process;
    this.address = address;
    this.count = count;
    this.pageSizeBytes = pageSizeBytes;
  }

  get lengthBytes(): number {
    return this.count * this.pageSizeBytes;
  }

  at(index: number): bigint {
    return this.address + BigInt(index * this.pageSizeBytes);
  }

  get span(): PageSpan {
    return { address: this.address, pageCount: this.count };
  }

  part(start: number, end: number): Pages {
    return new Pages(this.process, this.at(start), end - start, this.pageSizeBytes);
  }

  /** The same addresses in another process. */
  in(process: WorldProcess): Pages {
    return new Pages(process, this.address, this.count, this.pageSizeBytes);
  }

  async touch(access: Access = 'write'): Promise<this> {
    expect(await this.process.memory.touch(this.span, access)).toSucceed();
    return this;
  }

  async unmap(): Promise<void> {
    expect(await this.process.memory.munmap(this.span)).toSucceed();
  }

  mbind(mode: number, nodemask: MaskArgument, flags = 0): Promise<SyscallResult<undefined>> {
    const { address, lengthBytes } = this;
    return this.process.numa.mbind({ address, lengthBytes, mode, nodemask, flags });
  }

  /** Where the search for memory of the range's policy starts. */
  setHomeNode(
    node: number,
    more: { address?: bigint; lengthBytes?: number | bigint; flags?: number } = {},
  ): Promise<SyscallResult<undefined>> {
    const { address, lengthBytes } = this;
    const request = { address, lengthBytes, node, flags: 0, ...more };
    return this.process.numa.setMempolicyHomeNode(request);
  }
}

export async function mapPages(
  process: WorldProcess,
  machine: WorldMachine,
  pageCount: number,
  options: Omit<MmapRequest, 'pageCount'> = {},
): Promise<Pages> {
  const result = await process.memory.mmap({ ...options, pageCount });
  if (!result.ok) throw new Error(`mmap failed: errno ${result.errno}`);
  return new Pages(process, result.value, pageCount, machine.pageSizeBytes);
}

export function maskOf(...nodes: number[]): MaskArgument {
  return nodemaskWords(nodes);
}

/** Writes each page for the first time under a policy that allows one node only. */
export async function placeOn(pages: Pages, nodes: readonly number[]): Promise<void> {
  const { process } = pages;
  for (let start = 0; start < nodes.length; ) {
    const node = nodes[start] as number;
    const next = nodes.findIndex((other, index) => index > start && other !== node);
    const end = next < 0 ? nodes.length : next;
    expect(
      await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(node) }),
    ).toSucceed();
    await pages.part(start, end).touch();
    start = end;
  }
  expect(await process.numa.setMempolicy({ mode: MPOL.DEFAULT, nodemask: null })).toSucceed();
}

/** The status of each page as move_pages(2) tells it without moving. */
export async function where(pages: Pages): Promise<number[]> {
  const status = new Int32Array(pages.count).fill(UNWRITTEN);
  const { process, span } = pages;
  const request = { pid: 0, pages: span, nodes: null, flags: 0, status };
  const result = await process.numa.movePages(request);
  expect(result).toSucceed(0);
  return [...status];
}

/** Moves pages of the process itself and returns the answer with the statuses. */
export async function move(
  process: WorldProcess,
  pages: Pages | BigUint64Array,
  nodes: number | readonly number[],
  flags: number = MPOL_MF.MOVE,
): Promise<{ result: SyscallResult<number>; status: number[] }> {
  const isSpan = pages instanceof Pages;
  const status = new Int32Array(isSpan ? pages.count : pages.length).fill(UNWRITTEN);
  const result = await process.numa.movePages({
    pid: 0,
    pages: isSpan ? pages.span : pages,
    nodes: typeof nodes === 'number' ? nodes : Int32Array.from(nodes),
    flags,
    status,
  });
  return { result, status: [...status] };
}

/** `maxnode` that reads every word of a mask the kernel can name. */
export function maxnodeOf(machine: WorldMachine): number {
  return machine.nodesMax + 1;
}

/** Mode and nodes of the thread's policy. */
export async function threadPolicy(
  process: WorldProcess,
  machine: WorldMachine,
): Promise<{ mode: number; nodes: number[] }> {
  return readPolicy(process, { flags: 0, maxnode: maxnodeOf(machine) });
}

/** Mode and nodes of the range's own policy. */
export async function rangePolicy(
  pages: Pages,
  machine: WorldMachine,
): Promise<{ mode: number; nodes: number[] }> {
  const { process, address } = pages;
  return readPolicy(process, { flags: MPOL_F.ADDR, address, maxnode: maxnodeOf(machine) });
}

/** What get_mempolicy tells where its pointers are its caller's own. */
export async function getMempolicy(
  process: WorldProcess,
  request: GetMempolicyRequest,
): Promise<SyscallResult<GetMempolicyValue>> {
  const withoutMask = request.maxnode === 0 ? { mask: 0n } : {};
  const { result, mode, words } = await process.numa.getMempolicy({ ...request, ...withoutMask });
  if (!result.ok) return result;
  return { ok: true, value: { mode: mode ?? UNWRITTEN, nodemask: BigUint64Array.from(words) } };
}

async function readPolicy(
  process: WorldProcess,
  request: GetMempolicyRequest,
): Promise<{ mode: number; nodes: number[] }> {
  const result = await getMempolicy(process, request);
  if (!result.ok) throw new Error(`get_mempolicy failed: errno ${result.errno}`);
  return { mode: result.value.mode, nodes: nodesOfWords(result.value.nodemask) };
}
