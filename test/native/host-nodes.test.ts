/** What is known of a host's nodes, by what its files say, or do not say. */

import { describe, expect, test } from 'vitest';
import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import { ERRNO } from '../../lib/core/errno.ts';
import {
  type HostSources,
  hostMemoryNodes,
  readNodeMemory,
  readTopology,
} from '../../lib/native-backend/host-nodes.ts';
import { NODES_FOLDER } from '../../lib/procfs/node-files.ts';

const KIB = 1024;

/** A text, or the errno with which it is refused. */
type Files = Readonly<Record<string, string | number>>;

const meminfo = (node: number, totalKib: number, freeKib: number): string =>
  `Node ${node} MemTotal:       ${totalKib} kB\nNode ${node} MemFree:        ${freeKib} kB\n`;

/** Two nodes, the second without CPUs. */
const GOOD: Files = {
  [`${NODES_FOLDER}/online`]: '0-1\n',
  [`${NODES_FOLDER}/has_memory`]: '0-1\n',
  [`${NODES_FOLDER}/node0/cpulist`]: '0,2\n',
  [`${NODES_FOLDER}/node1/cpulist`]: '\n',
  [`${NODES_FOLDER}/node0/meminfo`]: meminfo(0, 4000, 300),
  [`${NODES_FOLDER}/node1/meminfo`]: meminfo(1, 2000, 100),
  [`${NODES_FOLDER}/node0/distance`]: '10 24\n',
  [`${NODES_FOLDER}/node1/distance`]: '24 10\n',
  [`${NODES_FOLDER}/possible`]: '0-3\n',
  '/sys/devices/system/cpu/online': '0-3\n',
  '/sys/devices/system/cpu/possible': '0-7\n',
  '/proc/meminfo': 'MemTotal:        8000 kB\nMemFree:          500 kB\n',
  '/proc/stat': 'cpu  1 2 3\ncpu0 1 2\ncpu3 1 2\nintr 5\n',
  '/proc/thread-self/status': 'Name:\tnode\nMems_allowed_list:\t0-1\n',
};

function without(...paths: string[]): Files {
  const isGone = (path: string): boolean => paths.some((gone) => path.startsWith(gone));
  return Object.fromEntries(Object.entries(GOOD).filter(([path]) => !isGone(path)));
}

const refused = (errno: number, syscall: string) => ({ ok: false, errno, syscall }) as const;

/** @param allowed what get_mempolicy answers: nodes, or an errno */
function hostWith(files: Files, allowed: readonly number[] | number = [0, 1]): HostSources {
  return {
    readText: (path) => {
      const found = files[path] ?? ERRNO.ENOENT;
      return typeof found === 'string' ? { ok: true, value: found } : refused(found, 'open');
    },
    readNames: (folder) => {
      const inside = Object.keys(files).filter((path) => path.startsWith(`${folder}/`));
      const names = inside.map((path) => path.slice(folder.length + 1).split('/')[0] as string);
      if (names.length === 0) return refused(ERRNO.ENOENT, 'scandir');
      return { ok: true, value: [...new Set(names)] };
    },
    askAllowed: () =>
      typeof allowed === 'number'
        ? refused(allowed, 'get_mempolicy')
        : { ok: true, value: allowed },
  };
}

function contentOf<T>(result: SyscallResult<T>): T {
  if (!result.ok) throw new Error(`${result.syscall}: ${result.errno}`);
  return result.value;
}

const topologyOf = (files: Files, allowed?: readonly number[] | number) =>
  contentOf(readTopology(hostWith(files, allowed)));

describe('nodes that the kernel tells', () => {
  test('are as its files say', () => {
    const { nodes, ...rest } = topologyOf(GOOD);
    expect(nodes).toMatchObject([
      { id: 0, cpus: [0, 2], memoryBytes: 4000 * KIB, freeBytes: 300 * KIB },
      { id: 1, cpus: [], memoryBytes: 2000 * KIB, freeBytes: 100 * KIB },
    ]);
    const distances = [
      [10, 24],
      [24, 10],
    ];
    const possible = { possibleNodes: [0, 1, 2, 3], possibleCpus: [0, 1, 2, 3, 4, 5, 6, 7] };
    expect(rest).toEqual({ distances, allowedNodes: [0, 1], ...possible });
  });

  test('tell the initiators and the speed of their memory, each class once', () => {
    const access = (node: number, accessClass: number, initiator: number, latency: string) => {
      const folder = `${NODES_FOLDER}/node${node}/access${accessClass}/initiators`;
      return {
        [`${folder}/node${initiator}/cpulist`]: '',
        [`${folder}/read_latency`]: latency,
        [`${folder}/read_bandwidth`]: '900\n',
        [`${folder}/write_latency`]: '0\n',
      };
    };
    const speed = { writeLatencyNs: null, readBandwidthMBps: 900, writeBandwidthMBps: null };
    const { nodes } = topologyOf({
      ...GOOD,
      ...access(0, 0, 0, '80\n'),
      ...access(0, 1, 0, '80\n'),
      ...access(1, 0, 5, '20\n'),
      ...access(1, 1, 0, '300\n'),
    });
    expect(nodes.map((node) => node.access)).toEqual([
      [{ initiators: [0], readLatencyNs: 80, ...speed }],
      [
        { initiators: [5], readLatencyNs: 20, ...speed },
        { initiators: [0], readLatencyNs: 300, ...speed },
      ],
    ]);
    const hostile = topologyOf({ ...GOOD, ...access(0, 0, 0, '-1\n'), ...access(1, 0, 0, 'x') });
    expect(hostile.nodes[0]?.access).toMatchObject([{ readLatencyNs: null }]);
  });

  test.each([undefined, ERRNO.EACCES, ''])('are unknown in what a file keeps back: %s', (text) => {
    const files = ['cpulist', 'meminfo', 'distance'].map((name) => `${NODES_FOLDER}/node1/${name}`);
    const changed = text === undefined ? {} : Object.fromEntries(files.map((path) => [path, text]));
    const { nodes, distances } = topologyOf({ ...without(...files), ...changed });
    // The empty list of CPUs is what a node without CPUs has.
    const cpus = text === '' ? [] : null;
    expect(nodes[1]).toMatchObject({ cpus, memoryBytes: null, freeBytes: null });
    expect(distances).toEqual([
      [10, 24],
      [null, null],
    ]);
    expect(nodes[0]).toMatchObject({ cpus: [0, 2], memoryBytes: 4000 * KIB });
  });

  test.each([
    ['24 0\n', [24, null]],
    ['10 24 31\n', [null, null]],
    ['10\n', [null, null]],
    ['10 x\n', [null, null]],
    ['10 99999\n', [null, null]],
  ])('are at unknown distances where the row is %j', (text, row) => {
    const files = { ...GOOD, [`${NODES_FOLDER}/node0/distance`]: text };
    expect(topologyOf(files).distances[0]).toEqual(row);
  });

  test('have memory that is unknown where the file is cut short', () => {
    const files = {
      ...GOOD,
      [`${NODES_FOLDER}/node0/meminfo`]: 'Node 0 MemTotal:   4000 kB\nNode 0 Mem',
    };
    const known = { memoryBytes: 4000 * KIB, freeBytes: null };
    expect(topologyOf(files).nodes[0]).toMatchObject(known);
    expect(contentOf(readNodeMemory(0, hostWith(files)))).toEqual(known);
  });

  test.each([-1, 2, 1023, 1024, 0.5])('do not include %d', (node) => {
    const answer = readNodeMemory(node, hostWith(GOOD));
    expect(answer).toEqual(refused(ERRNO.EINVAL, 'numa_node_size64'));
  });

  test('may be used as the status says where the call is refused', () => {
    expect(topologyOf(GOOD, ERRNO.EPERM).allowedNodes).toEqual([0, 1]);
    const hidden = without('/proc/thread-self');
    expect(topologyOf(hidden, ERRNO.EPERM).allowedNodes).toEqual([]);
  });

  test('that have come on line are told to who asks again', () => {
    const files: Record<string, string | number> = { ...GOOD };
    const host = hostWith(files);
    expect(contentOf(readTopology(host)).distances).toHaveLength(2);
    // As in a guest whose third node got memory while it ran.
    Object.assign(files, {
      [`${NODES_FOLDER}/online`]: '0-2\n',
      [`${NODES_FOLDER}/node0/distance`]: '10 21 17\n',
      [`${NODES_FOLDER}/node1/distance`]: '21 10 28\n',
      [`${NODES_FOLDER}/node2/distance`]: '17 28 10\n',
      [`${NODES_FOLDER}/node2/cpulist`]: '\n',
      [`${NODES_FOLDER}/node2/meminfo`]: meminfo(2, 524_288, 524_288),
    });
    const { nodes, distances } = contentOf(readTopology(host));
    expect(nodes[2]).toMatchObject({ id: 2, cpus: [], memoryBytes: 512 * 2 ** 20 });
    expect(distances).toEqual([
      [10, 21, 17],
      [21, 10, 28],
      [17, 28, 10],
    ]);
  });

  test('that cannot be read for another reason are an error with the path', () => {
    const path = `${NODES_FOLDER}/online`;
    const answer = readTopology(hostWith({ ...GOOD, [path]: ERRNO.EMFILE }));
    expect(answer).toEqual({ ...refused(ERRNO.EMFILE, 'open'), path });
  });
});

describe('nodes that the kernel does not tell', () => {
  const MACHINE = { id: 0, cpus: [0, 1, 2, 3], memoryBytes: 8000 * KIB, freeBytes: 500 * KIB };

  test.each([
    [
      'no NUMA',
      without(NODES_FOLDER),
      ERRNO.ENOSYS,
      /online: ENOENT; get_mempolicy: ENOSYS\): node 0/,
    ],
    [
      'a closed folder',
      { ...without(NODES_FOLDER), [`${NODES_FOLDER}/online`]: ERRNO.EACCES },
      [0],
      /EACCES/,
    ],
    [
      'no list',
      { ...without(NODES_FOLDER), [`${NODES_FOLDER}/online`]: '0-\n' },
      [0],
      /online says "0-\\n"\)/,
    ],
    [
      'an empty list',
      { ...without(NODES_FOLDER), [`${NODES_FOLDER}/online`]: '\n' },
      [0],
      /says "\\n"/,
    ],
    [
      'numbers too large',
      { ...without(NODES_FOLDER), [`${NODES_FOLDER}/online`]: '0-99999' },
      [0],
      /99999/,
    ],
  ])('are one node with all there is: %s', (_, files, allowed, reason) => {
    const { nodes, distances, allowedNodes, incompleteReason } = topologyOf(
      { ...files, '/proc/thread-self/status': 'Name:\tnode\n' },
      allowed,
    );
    expect(nodes).toMatchObject([MACHINE]);
    expect([distances, allowedNodes]).toEqual([[[10]], [0]]);
    expect(incompleteReason).toMatch(reason);
  });

  test('have the CPUs that /proc counts where sysfs is not there', () => {
    const { nodes } = topologyOf(without('/sys'), [0]);
    expect(nodes).toMatchObject([{ ...MACHINE, cpus: [0, 3] }]);
  });

  test('are one node of which nothing is known where /proc is not there either', () => {
    const { nodes, incompleteReason } = topologyOf({}, ERRNO.ENOSYS);
    expect(nodes).toMatchObject([{ id: 0, cpus: null, memoryBytes: null, freeBytes: null }]);
    expect(incompleteReason).toContain('ENOSYS');
  });

  test('are known by number where the thread may use others than node 0', () => {
    const hidden = without(NODES_FOLDER);
    for (const allowed of [[0, 1], [3], ERRNO.EPERM] as const) {
      const { nodes, distances, incompleteReason } = topologyOf(hidden, allowed);
      const ids = typeof allowed === 'number' ? [0, 1] : allowed;
      const unknown = { cpus: null, memoryBytes: null, freeBytes: null };
      expect(nodes).toMatchObject(ids.map((id) => ({ id, ...unknown })));
      expect(distances.flat()).toEqual(ids.flatMap(() => ids.map(() => null)));
      expect(incompleteReason).toContain('are known by number alone');
    }
  });
});

describe('the number of nodes with memory', () => {
  const count = (files: Files) => hostMemoryNodes(hostWith(files).readText);

  test('is what the kernel says', () => {
    expect(count(GOOD)).toEqual({ count: 2, reason: 'this host has 2 nodes with memory' });
    const one = { ...GOOD, [`${NODES_FOLDER}/has_memory`]: '0\n' };
    expect(count(one)).toEqual({ count: 1, reason: 'this host has one node with memory' });
  });

  test('is that of the nodes to be used where it does not say', () => {
    const { count: two, reason } = count(without(NODES_FOLDER));
    expect([two, reason]).toEqual([2, expect.stringMatching(/ENOENT\), and lets this thread use/)]);
  });

  test.each([
    ['ends', without('/sys', '/proc/thread-self')],
    ['is torn', { ...without('/proc/thread-self'), [`${NODES_FOLDER}/has_memory`]: '0-' }],
    ['is empty', { ...without('/proc/thread-self'), [`${NODES_FOLDER}/has_memory`]: '\n' }],
  ])('is one where all %s', (_, files) => {
    const { count: one, reason } = count(files);
    expect(one).toBe(1);
    expect(reason).toMatch(/^this host does not tell its nodes \(.*\), and counts as one$/);
  });
});
