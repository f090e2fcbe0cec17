/** The nodes of devices, in a sysfs of files and links that is made for it, and in this host's. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../lib/backend/backend.ts';
import { ERRNO } from '../../lib/core/errno.ts';
import { NodeMask, type Numa, openNuma } from '../../lib/index.ts';
import { openNativeBackend } from '../../lib/native-backend/native-backend.ts';
import { readTextSync } from '../../lib/native-backend/system-files.ts';
import { Machine, presets } from '../../lib/simulator/public.ts';
import { thrownBy } from '../core/thrown.ts';

const PCI = 'sys/devices/pci0000:00/0000:00';
const ANY = '0'.repeat(32);
const FILES: Readonly<Record<string, string>> = {
  [`${PCI}:01.0/numa_node`]: '1\n',
  [`${PCI}:01.0/net/eth0/uevent`]: 'INTERFACE=eth0\n',
  [`${PCI}:02.0/numa_node`]: '2\n',
  [`${PCI}:02.0/virtio1/uevent`]: '',
  [`${PCI}:02.0/virtio1/block/vda/uevent`]: '',
  [`${PCI}:02.0/virtio1/block/vda/vda1/uevent`]: '',
  [`${PCI}:03.0/numa_node`]: '-1\n',
  [`${PCI}:03.0/net/eth1/uevent`]: '',
  [`${PCI}:04.0/numa_node`]: 'rubbish',
  'sys/devices/virtual/net/lo/uevent': '',
  'sys/devices/virtual/block/dm-0/uevent': '',
  'proc/net/route': [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
    'eth0\t0000000A\t00000000\t0001\t0\t0\t100\t000000FF\t0\t0\t0',
    'eth1\t0007000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
    'eth1\t0008000A\t00000000\t0201\t0\t0\t0\t00FFFFFF\t0\t0\t0',
    'no route at all',
  ].join('\n'),
  'proc/net/fib_trie': 'Main:\n     |-- 10.0.0.9\n        /32 host LOCAL\n',
  'proc/net/ipv6_route': [
    `fd${'0'.repeat(30)} 40 ${ANY} 00 ${ANY} 00000100 00000001 00000000 00000001     eth0`,
    `fd${'0'.repeat(28)}07 80 ${ANY} 00 ${ANY} 00000000 00000001 00000000 80200001       lo`,
  ].join('\n'),
};

const LINKS: Readonly<Record<string, string>> = {
  'sys/bus/pci/devices/0000:00:01.0': `${PCI}:01.0`,
  'sys/bus/pci/devices/0000:00:03.0': `${PCI}:03.0`,
  'sys/bus/pci/devices/0000:00:04.0': `${PCI}:04.0`,
  [`${PCI}:01.0/net/eth0/device`]: `${PCI}:01.0`,
  [`${PCI}:03.0/net/eth1/device`]: `${PCI}:03.0`,
  [`${PCI}:02.0/virtio1/block/vda/device`]: `${PCI}:02.0/virtio1`,
  'sys/class/net/eth0': `${PCI}:01.0/net/eth0`,
  'sys/class/net/eth1': `${PCI}:03.0/net/eth1`,
  'sys/class/net/lo': 'sys/devices/virtual/net/lo',
  'sys/class/block/vda': `${PCI}:02.0/virtio1/block/vda`,
  'sys/class/block/vda1': `${PCI}:02.0/virtio1/block/vda/vda1`,
  'sys/class/block/dm-0': 'sys/devices/virtual/block/dm-0',
  'sys/dev/block/254:1': `${PCI}:02.0/virtio1/block/vda/vda1`,
};

const root = mkdtempSync(join(tmpdir(), 'node-numa-sysfs-'));
const DEVICES: Readonly<Record<string, number>> = { '/on/vda1': 1, '/on/nothing': 9 };

/** A host with these files; the rest of it is a simulated machine's. */
function hostWithFiles(): Numa {
  const { backend } = new Machine(presets.fourNodes).self;
  const own: Partial<Backend> = {
    identity: { ...backend.identity, kind: 'native' },
    readTextSync: (path) => readTextSync(join(root, '.') + path),
    stat: (path) => {
      const minor = DEVICES[path];
      if (minor !== undefined) return { ok: true, value: { major: 254, minor } };
      if (path === '/on/tmpfs') return { ok: true, value: { major: 0, minor: 45 } };
      return { ok: false, errno: ERRNO.ENOENT, syscall: 'stat' };
    },
  };
  const proxy = new Proxy(backend, {
    get(target, name) {
      if (name in own) return own[name as keyof Backend];
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return openNuma({ backend: proxy });
}

beforeAll(() => {
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  for (const [path, target] of Object.entries(LINKS)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    symlinkSync(join(root, target), join(root, path));
  }
});

afterAll(() => rmSync(root, { recursive: true }));

describe('devices of a host', () => {
  const numa = hostWithFiles();

  test.each([
    ['netdev:eth0', 1],
    ['pci:0:1.0', 1],
    ['block:vda', 2],
    ['block:vda1', 2],
    ['file:/on/vda1', 2],
    ['ip:10.1.2.3', 1],
    ['ip:10.0.8.1', 1],
    ['ip:fd00::1', 1],
    ['ip:fe80::1%eth0', 1],
  ])('%s is near node %d', (text, node) => {
    expect(numa.nodesOf(text)).toEqual(NodeMask.of(node));
  });

  test('stand for the other nodes behind "!"', () => {
    expect(`${numa.nodesOf('!netdev:eth0')}`).toBe('0,2-3');
  });

  test('are taken wherever nodes are', async () => {
    using buffer = numa.allocate(4096);
    buffer.touch();
    expect((await buffer.migrate({ to: 'block:vda' })).after).toEqual({ 2: 1 });
  });

  test.each([
    ['netdev:eth9', 'ERR_OUT_OF_RANGE', 'there is no such network device'],
    ['block:sdz', 'ERR_OUT_OF_RANGE', 'there is no such block device'],
    ['pci:ff:1f.7', 'ERR_OUT_OF_RANGE', 'there is no such PCI device'],
    ['file:/not/there', 'ERR_OUT_OF_RANGE', 'cannot be looked at (ENOENT)'],
    ['ip:11.0.0.1', 'ERR_OUT_OF_RANGE', 'there is no route'],
    ['ip:10.0.0.256', 'ERR_INVALID_ARG_VALUE', 'no address after "ip:"'],
    ['netdev:lo', 'NUMA_UNSUPPORTED', 'on no bus that has a node'],
    ['ip:127.0.0.1', 'NUMA_UNSUPPORTED', 'on no bus that has a node'],
    ['ip:10.0.0.9', 'NUMA_UNSUPPORTED', 'on no bus that has a node'],
    ['ip:fd00::7', 'NUMA_UNSUPPORTED', 'on no bus that has a node'],
    ['ip:10.0.7.1', 'NUMA_UNSUPPORTED', 'does not know the node of this network device'],
    ['block:dm-0', 'NUMA_UNSUPPORTED', 'on no bus that has a node'],
    ['pci:0:3.0', 'NUMA_UNSUPPORTED', 'does not know the node of this PCI device'],
    ['pci:0:4.0', 'NUMA_UNSUPPORTED', 'does not know the node of this PCI device'],
    ['file:/on/tmpfs', 'NUMA_UNSUPPORTED', 'on no block device'],
    ['file:/on/nothing', 'NUMA_UNSUPPORTED', 'on no block device'],
  ])('%s is %s', (text, code, message) => {
    const error = thrownBy(() => numa.nodesOf(text));
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(message)]);
  });
});

test('a simulated machine has none, and says so', () => {
  const { code, message } = thrownBy(() =>
    openNuma({ machine: new Machine(presets.fourNodes) }).nodesOf('netdev:eth0'),
  );
  expect(code).toBe('NUMA_UNSUPPORTED');
  expect(message).toContain('a simulated machine has no devices');
});

describe('devices of this host', () => {
  const numa = openNuma({ backend: 'native' });

  test.each(['netdev:lo', 'ip:127.0.0.1', 'ip:::1'])('%s is near to none', (text) => {
    expect(thrownBy(() => numa.nodesOf(text)).code).toBe('NUMA_UNSUPPORTED');
  });

  test('of its buses are as sysfs has them', () => {
    const address = '0000:00:00.0';
    const told = readTextSync(`/sys/bus/pci/devices/${address}/numa_node`);
    if (!told.ok) {
      expect(thrownBy(() => numa.nodesOf(`pci:${address}`)).code).toBe('ERR_OUT_OF_RANGE');
    } else if (told.value === '-1\n') {
      expect(thrownBy(() => numa.nodesOf('pci:0:0.0')).code).toBe('NUMA_UNSUPPORTED');
    } else {
      expect(`${numa.nodesOf('pci:0:0.0')}\n`).toBe(told.value);
    }
  });

  test('are numbered as the table of mounts has it', () => {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
    const [, numbers = ''] = /^\d+ \d+ (\d+:\d+) \S+ \/proc /m.exec(mounts) ?? [];
    const opened = openNativeBackend();
    const told = opened.ok ? opened.backend.stat('/proc') : opened;
    expect(told).toEqual({
      ok: true,
      value: { major: Number(numbers.split(':')[0]), minor: Number(numbers.split(':')[1]) },
    });
  });
});
