/**
 * The node that a device is near to, as sysfs tells it.
 *
 * Source: Documentation/ABI/testing/sysfs-bus-pci, numa_node; affinity of numactl(8). Devices
 * without a place of their own on a bus (loopback, bridges, stacked disks) are near to none.
 */

import { isIP } from 'node:net';
import type { Backend } from '../../backend/backend.ts';
import { invalidArgumentValue, outOfRange } from '../../core/argument-errors.ts';
import type { DeviceName } from '../../core/device-expression.ts';
import { errnoName } from '../../core/errno.ts';
import { NumaError } from '../../core/errors.ts';
import type { NodeId } from '../../core/node-mask.ts';
import { deviceOfAddress, ROUTE_FILES } from '../../procfs/routes.ts';

/** Folders between a device of a class and the one of the bus that it is on, at most. */
const PARENTS_MAX = 8;

interface Asked {
  readonly backend: Backend;
  readonly argument: string;
  /** As the caller wrote it. */
  readonly text: string;
}

/**
 * @throws TypeError ERR_INVALID_ARG_VALUE for what is no address, RangeError ERR_OUT_OF_RANGE for a
 *   device that is not there, NumaError NUMA_UNSUPPORTED where its node is not told
 */
export function nodeOfDevice(
  backend: Backend,
  { kind, name }: DeviceName,
  argument: string,
): NodeId {
  const asked = { backend, argument, text: `${kind}:${name}` };
  if (backend.identity.kind === 'simulator') {
    throw new NumaError('a simulated machine has no devices', {
      ...{ code: 'NUMA_UNSUPPORTED', argument, backend: 'simulator' },
      hint: "name nodes, or for devices of this host use openNuma({ backend: 'native' })",
    });
  }
  switch (kind) {
    case 'netdev':
      return nodeOfNetworkDevice(asked, name);
    case 'block':
      return nodeBelow(asked, `/sys/class/block/${name}`, 'block device');
    case 'pci':
      return nodeIn(asked, [`/sys/bus/pci/devices/${name}`], 'PCI device');
    case 'file':
      return nodeOfFile(asked, name);
    case 'ip':
      return nodeOfNetworkDevice(asked, deviceOf(asked, name));
  }
}

function nodeOfNetworkDevice(asked: Asked, name: string): NodeId {
  return nodeBelow(asked, `/sys/class/net/${name}`, 'network device');
}

/** A partition is a folder of its disk, and has no link to a device itself. */
function nodeBelow(asked: Asked, folder: string, what: string): NodeId {
  if (!asked.backend.readTextSync(`${folder}/uevent`).ok) {
    throw outOfRange(asked.argument, `there is no such ${what}`, asked.text);
  }
  const starts = [`${folder}/device`, `${folder}/../device`];
  const ups = Array.from({ length: PARENTS_MAX }, (_, count) => '/..'.repeat(count));
  return nodeIn(
    asked,
    starts.flatMap((start) => ups.map((up) => `${start}${up}`)),
    what,
  );
}

/** The first of these folders that tells: parents are looked into from the nearest on. */
function nodeIn(
  { backend, argument, text }: Asked,
  folders: readonly string[],
  what: string,
): NodeId {
  for (const folder of folders) {
    const told = backend.readTextSync(`${folder}/numa_node`);
    if (!told.ok) continue;
    if (/^\d{1,4}\n?$/.test(told.value)) return Number(told.value);
    throw untold(`the kernel does not know the node of this ${what}`, argument, text, backend);
  }
  if (what === 'PCI device') throw outOfRange(argument, `there is no such ${what}`, text);
  throw untold(`this ${what} is on no bus that has a node`, argument, text, backend);
}

function nodeOfFile(asked: Asked, path: string): NodeId {
  const { backend, argument, text } = asked;
  const device = backend.stat(path);
  if (!device.ok) {
    throw outOfRange(argument, `the file cannot be looked at (${errnoName(device.errno)})`, text);
  }
  const { major, minor } = device.value;
  const folder = `/sys/dev/block/${major}:${minor}`;
  if (major !== 0 && backend.readTextSync(`${folder}/uevent`).ok) {
    return nodeBelow(asked, folder, 'block device');
  }
  throw untold('the file system is on no block device', argument, text, backend);
}

function deviceOf({ backend, argument, text }: Asked, address: string): string {
  const [plain = '', zone] = address.split('%');
  const family = isIP(plain);
  if (family === 0) throw invalidArgumentValue(argument, 'has no address after "ip:"', text);
  if (zone !== undefined) return zone;
  const read = (path: string): string => {
    const file = backend.readTextSync(path);
    return file.ok ? file.value : '';
  };
  const files = family === 4 ? [ROUTE_FILES.ipv4, ROUTE_FILES.ipv4Own] : [ROUTE_FILES.ipv6];
  const [routes = '', own = ''] = files.map(read);
  const device = deviceOfAddress(plain, { routes, own });
  if (device !== null) return device;
  throw outOfRange(argument, 'there is no route to this address', text);
}

function untold(rule: string, argument: string, text: string, { identity }: Backend): NumaError {
  return new NumaError(rule, {
    ...{ code: 'NUMA_UNSUPPORTED', argument, args: { device: text }, backend: identity.kind },
    hint: 'name the nodes themselves',
  });
}
