/** A puppet's objects, memory areas and rings: the calls that only some worlds have. */

import { readFileSync } from 'node:fs';
import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import type { Area, AreaCalls, MemoryObject, ObjectCalls, RingCalls } from '../contract/world.ts';
import type { Reply } from './channel.ts';

type Send = (line: string) => Promise<Reply>;

const READ_AND_WRITE = 3;

async function call<T>(
  send: Send,
  name: string,
  rest: string,
  read: (values: readonly string[]) => T,
): Promise<SyscallResult<T>> {
  const { errno, values } = await send(`${name} ${rest}`);
  if (errno !== 0) return { ok: false, errno, syscall: name };
  return { ok: true, value: read(values) };
}

const nothing = (): undefined => undefined;

const address = ([value]: readonly string[]): bigint => BigInt(value as string);

export function objectCalls(send: Send, pageSizeBytes: number): ObjectCalls {
  return {
    create: (kind, pageCount) =>
      call(send, 'create_object', `${kind} ${pageCount * pageSizeBytes}`, ([id, inode]) => {
        return { kind, id: Number(id), inode: BigInt(inode as string) } satisfies MemoryObject;
      }),
    map: ({ kind, id }, { address: at = 0n, pageCount, shared, firstPage = 0 }) => {
      if (kind === 'sysv') return call(send, 'attach_segment', String(id), address);
      const sharing = shared === true ? 'shared' : 'private';
      const range = `${pageCount * pageSizeBytes} ${sharing} ${firstPage * pageSizeBytes}`;
      return call(send, 'map_object', `${id} ${range} ${READ_AND_WRITE} ${at}`, address);
    },
    write: ({ id }, firstPage, pageCount) => {
      const range = `${firstPage * pageSizeBytes} ${pageCount * pageSizeBytes}`;
      return call(send, 'write_object', `${id} ${range}`, nothing);
    },
  };
}

/** The policy of each area by its first address: the words before the first counter. */
function readPolicies(pid: number): Map<bigint, string> {
  const policies = new Map<bigint, string>();
  for (const line of readFileSync(`/proc/${pid}/numa_maps`, 'utf8').split('\n')) {
    const match = /^([0-9a-f]+) ((?:weighted )?\w+(?: \(many\))?\S*)/.exec(line);
    if (match?.[2] !== undefined) policies.set(BigInt(`0x${match[1]}`), match[2]);
  }
  return policies;
}

function listAreas(pid: number, pageSizeBytes: number, start: bigint, end: bigint): Area[] {
  const policies = readPolicies(pid);
  const areas: Area[] = [];
  const blocks = readFileSync(`/proc/${pid}/smaps`, 'utf8').split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/);
  for (const block of blocks) {
    const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) /.exec(block) ?? [];
    const first = BigInt(`0x${from}`);
    const last = BigInt(`0x${to}`);
    if (last <= start || first >= end) continue;
    const visible = first > start ? first : start;
    const visibleEnd = last < end ? last : end;
    const kilobytes = /^AnonHugePages:\s+(\d+) kB/m.exec(block)?.[1] ?? 0;
    areas.push({
      address: visible,
      pageCount: Number(visibleEnd - visible) / pageSizeBytes,
      policy: policies.get(first) ?? '',
      hugeBytes: Number(kilobytes) * 1024,
    });
  }
  return areas;
}

export function areaCalls(send: Send, pid: number, pageSizeBytes: number): AreaCalls {
  return {
    madvise: (at, pageCount, advice) =>
      call(send, 'madvise', `${at} ${pageCount * pageSizeBytes} ${advice}`, nothing),
    mremap: (at, pageCount, to) => {
      const length = pageCount * pageSizeBytes;
      return call(send, 'mremap', `${at} ${length} ${length} ${to}`, nothing);
    },
    allowHugePages: () => call(send, 'allow_huge_pages', '', nothing),
    list: async (at, pageCount) =>
      listAreas(pid, pageSizeBytes, at, at + BigInt(pageCount * pageSizeBytes)),
  };
}

export function ringCalls(send: Send, pageSizeBytes: number): RingCalls {
  return {
    register: (at, pageCount) =>
      call(send, 'register_buffer', `${at} ${pageCount * pageSizeBytes}`, ([ring]) => Number(ring)),
    unregister: (ring) => call(send, 'unregister_buffer', String(ring), nothing),
    packetRing: (blockPages, blockCount) =>
      call(send, 'packet_ring', `${blockPages * pageSizeBytes} ${blockCount}`, address),
  };
}
