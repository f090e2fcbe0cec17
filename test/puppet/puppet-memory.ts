/** A puppet's memory, areas, objects and references: the calls of each as lines. */

import type { PageSpan } from '../../lib/backend/backend.ts';
import { ERRNO } from '../../lib/core/errno.ts';
import type { AreaCalls, MemoryArea } from '../../lib/machine/areas.ts';
import type { MemoryCalls } from '../../lib/machine/memory.ts';
import type { ObjectCalls } from '../../lib/machine/objects.ts';
import type { ReferenceCalls } from '../../lib/machine/references.ts';
import type { Later } from '../support/later.ts';
import { hex } from './line-text.ts';
import { address, call, command, nothing, number, type Send } from './puppet-call.ts';
import type { MachineFiles } from './puppet-files.ts';

/** Of mmap(2) and mprotect(2). */
const PROTECTION = { none: 0, read: 1, 'write-only': 2, write: 3 } as const;

const sharing = (isShared = false): string => (isShared ? 'shared' : 'private');

export function memoryCalls(send: Send, pageSizeBytes: number): Later<MemoryCalls> {
  const range = (span: PageSpan): string =>
    `${hex(span.address)} ${span.pageCount * pageSizeBytes}`;
  const pages = (span: PageSpan): string => `${hex(span.address)} ${span.pageCount}`;
  return {
    mmap: ({ address: at = 0n, pageCount, isShared }) => {
      const text = `${range({ address: at, pageCount })} ${sharing(isShared)} ${PROTECTION.write}`;
      return command(send, 'mmap', text, address);
    },
    munmap: (span) => command(send, 'munmap', range(span), nothing),
    mprotect: (span, protection) =>
      command(send, 'mprotect', `${range(span)} ${PROTECTION[protection]}`, nothing),
    mlock: (span) => command(send, 'mlock', range(span), nothing),
    munlock: (span) => command(send, 'munlock', range(span), nothing),
    touch: (span, access) => command(send, 'touch', `${pages(span)} ${access}`, nothing),
    keepTouching: (span, access, milliseconds) =>
      command(send, 'keep_touching', `${pages(span)} ${access} ${milliseconds}`, nothing),
    store: (at, value) => command(send, 'store', `${hex(at)} ${hex(value)}`, nothing),
    load: (at) => command(send, 'load', hex(at), address),
  };
}

export function objectCalls(send: Send, pageSizeBytes: number): Later<ObjectCalls> {
  return {
    create: (kind, pageCount, name = 'object') => {
      const rest = `${kind} ${pageCount * pageSizeBytes} ${Buffer.from(name).toString('hex')}`;
      return command(send, 'create_object', rest, ([id, inode]) => {
        return { kind, id: Number(id), inode: Number(inode) };
      });
    },
    map: ({ kind, id }, { address: at = 0n, pageCount, isShared, firstPage = 0 }) => {
      if (kind === 'sysv') return command(send, 'attach_segment', String(id), address);
      const part = `${pageCount * pageSizeBytes} ${sharing(isShared)} ${firstPage * pageSizeBytes}`;
      return command(send, 'map_object', `${id} ${part} ${PROTECTION.write} ${at}`, address);
    },
    write: ({ id }, { firstPage, pageCount }) => {
      const range = `${firstPage * pageSizeBytes} ${pageCount * pageSizeBytes}`;
      return command(send, 'write_object', `${id} ${range}`, nothing);
    },
  };
}

/** The policy of each area by its first address: the words before the first counter. */
function policiesIn(numaMaps: string): Map<bigint, string> {
  const policies = new Map<bigint, string>();
  for (const line of numaMaps.split('\n')) {
    const match = /^([0-9a-f]+) ((?:weighted )?\w+(?: \(many\))?\S*)/.exec(line);
    if (match?.[2] !== undefined) policies.set(BigInt(`0x${match[1]}`), match[2]);
  }
  return policies;
}

/** Reads them one by one: the files are of different moments where the process goes on. */
async function listAreas(
  files: MachineFiles,
  pid: number,
  pageSizeBytes: number,
  [start, end]: readonly [bigint, bigint],
): Promise<MemoryArea[]> {
  const smaps = await files.areasText(`/proc/${pid}/smaps`, start, end);
  const [lowest] = /^[0-9a-f]+/.exec(smaps) ?? [];
  if (lowest === undefined) return [];
  const numaMaps = await files.areasText(`/proc/${pid}/numa_maps`, BigInt(`0x${lowest}`), end);
  const policies = policiesIn(numaMaps);
  const areas: MemoryArea[] = [];
  for (const block of smaps.split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/)) {
    const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) /.exec(block) ?? [];
    const first = BigInt(`0x${from}`);
    const last = BigInt(`0x${to}`);
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

async function findSpecial(
  files: MachineFiles,
  pid: number,
  name: string,
  pageSizeBytes: number,
): Promise<PageSpan | null> {
  const lines = (await files.text(`/proc/${pid}/maps`)).split('\n');
  const line = lines.find((one) => one.endsWith(` [${name}]`));
  const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) /.exec(line ?? '') ?? [];
  if (from === undefined) return null;
  const start = BigInt(`0x${from}`);
  return { address: start, pageCount: Number(BigInt(`0x${to}`) - start) / pageSizeBytes };
}

export function areaCalls(
  send: Send,
  files: MachineFiles,
  pid: number,
  pageSizeBytes: number,
): Later<AreaCalls> {
  const range = (span: PageSpan): string => `${span.address} ${span.pageCount * pageSizeBytes}`;
  return {
    madvise: (span, advice) => command(send, 'madvise', `${range(span)} ${advice}`, nothing),
    mremap: (span, to) => {
      const length = span.pageCount * pageSizeBytes;
      return command(send, 'mremap', `${range(span)} ${length} ${to}`, nothing);
    },
    resize: (span, newPageCount) =>
      command(send, 'mremap', `${range(span)} ${newPageCount * pageSizeBytes} 0`, address),
    special: async (name) => {
      const value = await findSpecial(files, pid, name, pageSizeBytes);
      return value === null
        ? { ok: false, errno: ERRNO.ENOENT, syscall: 'open' }
        : { ok: true, value };
    },
    mapDevice: ({ address: at = 0n, pageCount }) =>
      command(send, 'map_device', `${pageCount * pageSizeBytes} ${at}`, address),
    list: async ({ address: start, pageCount }) => {
      const end = start + BigInt(pageCount * pageSizeBytes);
      return { ok: true, value: await listAreas(files, pid, pageSizeBytes, [start, end]) };
    },
    numaMaps: (folder = 'thread-self') =>
      call(send, 'open', `numa_maps ${folder}`, (words) => {
        const lines = words.join(' ').split('\t');
        return lines.filter((line) => line !== '');
      }),
  };
}

export function referenceCalls(send: Send, pageSizeBytes: number): Later<ReferenceCalls> {
  const range = (span: PageSpan): string => `${span.address} ${span.pageCount * pageSizeBytes}`;
  return {
    splice: (span) =>
      command(send, 'pin', `${hex(span.address)} ${span.pageCount * pageSizeBytes}`, number),
    registerBuffer: (span) => command(send, 'register_buffer', range(span), number),
    unregisterBuffer: (ring) => command(send, 'unregister_buffer', String(ring), nothing),
    registerPackets: (span) => command(send, 'register_packets', range(span), nothing),
    packetRing: ({ blockPages, blockCount }) =>
      command(send, 'packet_ring', `${blockPages * pageSizeBytes} ${blockCount}`, address),
    close: (descriptor) => command(send, 'unpin', String(descriptor), nothing),
  };
}
