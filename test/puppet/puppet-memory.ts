/** A puppet's objects, memory areas and rings: the calls that only some worlds have. */

import type { Area, AreaCalls, MemoryObject, ObjectCalls, RingCalls } from '../contract/world.ts';
import { command, nothing, type Send } from './puppet-call.ts';
import type { MachineFiles } from './puppet-files.ts';

const READ_AND_WRITE = 3;

const address = ([value]: readonly string[]): bigint => BigInt(value as string);

export function objectCalls(send: Send, pageSizeBytes: number): ObjectCalls {
  return {
    create: (kind, pageCount, name = 'puppet') => {
      const rest = `${kind} ${pageCount * pageSizeBytes} ${Buffer.from(name).toString('hex')}`;
      return command(send, 'create_object', rest, ([id, inode]) => {
        return { kind, id: Number(id), inode: BigInt(inode as string) } satisfies MemoryObject;
      });
    },
    map: ({ kind, id }, { address: at = 0n, pageCount, shared, firstPage = 0 }) => {
      if (kind === 'sysv') return command(send, 'attach_segment', String(id), address);
      const sharing = shared === true ? 'shared' : 'private';
      const range = `${pageCount * pageSizeBytes} ${sharing} ${firstPage * pageSizeBytes}`;
      return command(send, 'map_object', `${id} ${range} ${READ_AND_WRITE} ${at}`, address);
    },
    write: ({ id }, firstPage, pageCount) => {
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
): Promise<Area[]> {
  const smaps = await files.areasText(`/proc/${pid}/smaps`, start, end);
  const [lowest] = /^[0-9a-f]+/.exec(smaps) ?? [];
  if (lowest === undefined) return [];
  const numaMaps = await files.areasText(`/proc/${pid}/numa_maps`, BigInt(`0x${lowest}`), end);
  const policies = policiesIn(numaMaps);
  const areas: Area[] = [];
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
): Promise<Pick<Area, 'address' | 'pageCount'> | null> {
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
): AreaCalls {
  return {
    madvise: (at, pageCount, advice) =>
      command(send, 'madvise', `${at} ${pageCount * pageSizeBytes} ${advice}`, nothing),
    mremap: (at, pageCount, to) => {
      const length = pageCount * pageSizeBytes;
      return command(send, 'mremap', `${at} ${length} ${length} ${to}`, nothing);
    },
    resize: (at, pageCount, newPageCount) => {
      const lengths = `${pageCount * pageSizeBytes} ${newPageCount * pageSizeBytes}`;
      return command(send, 'mremap', `${at} ${lengths} 0`, address);
    },
    allowHugePages: () => command(send, 'allow_huge_pages', '', nothing),
    shatter: (at, pageCount) => command(send, 'shatter', `${at} ${pageCount}`, nothing),
    special: (name) => findSpecial(files, pid, name, pageSizeBytes),
    mapDevice: (pageCount, at = 0n) =>
      command(send, 'map_device', `${pageCount * pageSizeBytes} ${at}`, address),
    list: (at, pageCount) => {
      const end = at + BigInt(pageCount * pageSizeBytes);
      return listAreas(files, pid, pageSizeBytes, [at, end]);
    },
    numaMaps: async (folder) => {
      const { errno, values } = await send(`numa_maps ${folder}`);
      if (errno !== 0) throw new Error(`numa_maps cannot be read: errno ${errno}`);
      return values
        .join(' ')
        .split('\t')
        .filter((line) => line !== '');
    },
  };
}

export function ringCalls(send: Send, pageSizeBytes: number): RingCalls {
  return {
    register: (at, pageCount) =>
      command(send, 'register_buffer', `${at} ${pageCount * pageSizeBytes}`, ([ring]) =>
        Number(ring),
      ),
    registerPackets: (at, pageCount) =>
      command(send, 'register_packets', `${at} ${pageCount * pageSizeBytes}`, nothing),
    unregister: (ring) => command(send, 'unregister_buffer', String(ring), nothing),
    packetRing: (blockPages, blockCount) =>
      command(send, 'packet_ring', `${blockPages * pageSizeBytes} ${blockCount}`, address),
  };
}
