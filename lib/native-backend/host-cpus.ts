/**
 * Which of this host's CPUs are in one package, and which share their last cache, as sysfs tells.
 * One CPU of each group is asked: the others are in the list that it shares.
 *
 * Source: Documentation/ABI/stable/sysfs-devices-system-cpu; drivers/base/topology.c,
 * drivers/base/cacheinfo.c.
 */

import type { SyscallResult } from '../backend/syscall-result.ts';
import type { CpuPackage, LastLevelCache, TopologySnapshot } from '../backend/topology-snapshot.ts';
import { CPU_ID_MAX } from '../core/uapi.ts';
import { KIB_BYTES } from '../core/units.ts';
import { parseCount, parseList } from '../procfs/node-files.ts';

const CPUS_FOLDER = '/sys/devices/system/cpu';
/** The units of a cache's size. */
const UNIT_BYTES: Readonly<Record<string, number>> = {
  K: KIB_BYTES,
  M: KIB_BYTES ** 2,
  G: KIB_BYTES ** 3,
};

interface CpuFiles {
  readonly readText: (path: string) => SyscallResult<string>;
  readonly readNames: (path: string) => SyscallResult<string[]>;
}

type CpuGroups = Pick<TopologySnapshot, 'packages' | 'lastLevelCaches'>;

/** What is not told of each CPU is left out for all: half a list would be taken for the whole. */
export function readCpuGroups(cpus: readonly number[], files: CpuFiles): CpuGroups {
  const online = [...cpus].sort((a, b) => a - b);
  const packages = groupsOf(online, (cpu) => readPackage(cpu, files));
  const lastLevelCaches = groupsOf(online, (cpu) => readLastLevelCache(cpu, files));
  return {
    ...(packages === null ? {} : { packages }),
    ...(lastLevelCaches === null ? {} : { lastLevelCaches }),
  };
}

function groupsOf<T extends { readonly cpus: readonly number[] }>(
  online: readonly number[],
  read: (cpu: number) => T | null,
): T[] | null {
  const groups: T[] = [];
  const grouped = new Set<number>();
  for (const cpu of online) {
    if (grouped.has(cpu)) continue;
    const group = read(cpu);
    if (group === null) return null;
    const cpus = group.cpus.filter((one) => online.includes(one));
    groups.push({ ...group, cpus });
    for (const one of cpus) grouped.add(one);
  }
  return groups.length === 0 ? null : groups;
}

/** The kernel's number is -1 where the firmware tells none. */
function readPackage(cpu: number, { readText }: CpuFiles): CpuPackage | null {
  const folder = `${CPUS_FOLDER}/cpu${cpu}/topology`;
  const number = readText(`${folder}/physical_package_id`);
  const id = number.ok ? parseCount(number.value) : null;
  const list = readText(`${folder}/package_cpus_list`);
  const cpus = list.ok ? parseList(list.value, CPU_ID_MAX) : null;
  return id === null || !cpus?.includes(cpu) ? null : { id, cpus };
}

function readLastLevelCache(cpu: number, { readText, readNames }: CpuFiles): LastLevelCache | null {
  let last: LastLevelCache | null = null;
  const folder = `${CPUS_FOLDER}/cpu${cpu}/cache`;
  const names = readNames(folder);
  for (const index of names.ok ? names.value.filter((name) => /^index\d+$/.test(name)) : []) {
    const read = (name: string): string => {
      const text = readText(`${folder}/${index}/${name}`);
      return text.ok ? text.value : '';
    };
    const level = parseCount(read('level'));
    if (level === null) return null;
    if (last !== null && level <= last.level) continue;
    const cpus = parseList(read('shared_cpu_list'), CPU_ID_MAX);
    if (!cpus?.includes(cpu)) return null;
    last = { level, sizeBytes: parseSize(read('size')), cpus };
  }
  return last;
}

/** `32768K`; 0 stands for unknown. */
function parseSize(text: string): number | null {
  const [, number = '', unit = ''] = /^(\d{1,12})([KMG])\n?$/.exec(text) ?? [];
  return Number(number) * (UNIT_BYTES[unit] ?? 0) || null;
}
