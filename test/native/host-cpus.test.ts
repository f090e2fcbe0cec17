/** Packages and last caches of CPUs, by what sysfs says of them, or does not say. */

import { describe, expect, test } from 'vitest';
import { ERRNO } from '../../lib/core/errno.ts';
import { readCpuGroups } from '../../lib/native-backend/host-cpus.ts';

const FOLDER = '/sys/devices/system/cpu';
const MIB = 2 ** 20;

interface Cpu {
  readonly id: string;
  readonly package: string;
  /** Level, size and CPUs of each. */
  readonly caches: readonly (readonly [level: string, size: string, cpus: string])[];
}

function filesOf(cpus: readonly Cpu[]): Record<string, string> {
  const files: Record<string, string> = {};
  cpus.forEach((cpu, number) => {
    const folder = `${FOLDER}/cpu${number}`;
    files[`${folder}/topology/physical_package_id`] = `${cpu.id}\n`;
    files[`${folder}/topology/package_cpus_list`] = `${cpu.package}\n`;
    cpu.caches.forEach(([level, size, shared], index) => {
      files[`${folder}/cache/index${index}/level`] = `${level}\n`;
      files[`${folder}/cache/index${index}/size`] = `${size}\n`;
      files[`${folder}/cache/index${index}/shared_cpu_list`] = `${shared}\n`;
    });
  });
  return files;
}

/** Two packages of two CPUs; the CPUs of the second have no third level. */
const own = (cpu: number) => ['1', '32K', `${cpu}`] as const;
const near = { id: '0', package: '0-1' };
const far = { id: '3', package: '2-3' };
const TWO: readonly Cpu[] = [
  { ...near, caches: [own(0), ['2', '1024K', '0'], ['3', '32768K', '0-1']] },
  { ...near, caches: [own(1), ['2', '1024K', '1'], ['3', '32768K', '0-1']] },
  { ...far, caches: [own(2), ['2', '2M', '2']] },
  { ...far, caches: [own(3), ['2', '2M', '3']] },
];

function groupsOf(files: Record<string, string>, cpus: readonly number[] = [3, 1, 0, 2]) {
  const asked: string[] = [];
  const readText = (path: string) => {
    asked.push(path);
    const value = files[path];
    if (value !== undefined) return { ok: true, value } as const;
    return { ok: false, errno: ERRNO.ENOENT, syscall: 'open' } as const;
  };
  const readNames = (folder: string) => {
    const inside = Object.keys(files).filter((path) => path.startsWith(`${folder}/`));
    const names = inside.map((path) => path.slice(folder.length + 1).split('/')[0] as string);
    return { ok: true as const, value: [...new Set(names)] };
  };
  return { ...readCpuGroups(cpus, { readText, readNames }), asked };
}

describe('CPUs', () => {
  test('are grouped by package, and by the last cache of each', () => {
    const { packages, lastLevelCaches } = groupsOf(filesOf(TWO));
    expect(packages).toEqual([
      { id: 0, cpus: [0, 1] },
      { id: 3, cpus: [2, 3] },
    ]);
    expect(lastLevelCaches).toEqual([
      { level: 3, sizeBytes: 32 * MIB, cpus: [0, 1] },
      { level: 2, sizeBytes: 2 * MIB, cpus: [2] },
      { level: 2, sizeBytes: 2 * MIB, cpus: [3] },
    ]);
  });

  test('that are in a group already are not asked', () => {
    expect(groupsOf(filesOf(TWO)).asked.some((path) => path.includes('/cpu1/'))).toBe(false);
  });

  test('that are offline are in no group', () => {
    const { packages, lastLevelCaches } = groupsOf(filesOf(TWO), [0, 2]);
    expect(packages?.map(({ cpus }) => cpus)).toEqual([[0], [2]]);
    expect(lastLevelCaches?.map(({ cpus }) => cpus)).toEqual([[0], [2]]);
  });

  test.each([
    ['a firmware without packages', 'cpu0/topology/physical_package_id', '-1\n', 'packages'],
    ['a package without its own CPU', 'cpu0/topology/package_cpus_list', '1\n', 'packages'],
    ['a list that is none', 'cpu2/topology/package_cpus_list', '2-\n', 'packages'],
    ['a level that is none', 'cpu2/cache/index0/level', 'L1\n', 'lastLevelCaches'],
    ['a cache of others', 'cpu0/cache/index2/shared_cpu_list', '1\n', 'lastLevelCaches'],
  ] as const)('are in unknown groups after %s', (_, file, text, member) => {
    const told = groupsOf({ ...filesOf(TWO), [`${FOLDER}/${file}`]: text });
    const other = member === 'packages' ? 'lastLevelCaches' : 'packages';
    expect([told[member], told[other]]).toEqual([undefined, expect.any(Array)]);
  });

  test.each(['', '32', '0K', '1T', '-1K'])('have a cache of unknown size after %j', (size) => {
    const files = { ...filesOf(TWO), [`${FOLDER}/cpu0/cache/index2/size`]: size };
    expect(groupsOf(files).lastLevelCaches?.[0]?.sizeBytes).toBeNull();
  });

  test('are in no group where there is no sysfs', () => {
    const { packages, lastLevelCaches } = groupsOf({});
    expect([packages, lastLevelCaches]).toEqual([undefined, undefined]);
  });
});
