/** Groups of processes on nodes of their own, for tests in a guest: cgroup versions 2 and 1. */

import { setTimeout as delay } from 'node:timers/promises';
import type { CpusetCalls } from '../../lib/machine/settings.ts';
import type { WorldSettings } from '../contract/world.ts';
import type { Later } from '../support/later.ts';
import type { MachineFiles } from './puppet-files.ts';

const UNIFIED = '/sys/fs/cgroup';
const TRIES = 200;

async function hasCpuset(files: MachineFiles, file: string): Promise<boolean> {
  return (await files.text(`${UNIFIED}/${file}`)).split(/\s/).includes('cpuset');
}

/** The groups that a test makes below `root`; their processes go back there in the end. */
async function withGroups<T>(
  files: MachineFiles,
  root: string,
  body: (create: () => Promise<Later<CpusetCalls>>) => Promise<T>,
  prepare: (folder: string) => Promise<void> = async () => {},
): Promise<T> {
  const folders: string[] = [];
  try {
    return await body(async () => {
      const folder = `${root}/node-numa-${process.pid}-${folders.length}`;
      await files.makeFolder(folder);
      folders.push(folder);
      await prepare(folder);
      return {
        setMems: (nodes) => files.tryWrite(`${folder}/cpuset.mems`, `${nodes}\n`),
        attach: (pid) => files.tryWrite(`${folder}/cgroup.procs`, `${pid}\n`),
        leave: (pid) => files.tryWrite(`${root}/cgroup.procs`, `${pid}\n`),
      };
    });
  } finally {
    for (const folder of folders) {
      for (const pid of (await files.text(`${folder}/cgroup.procs`)).split('\n')) {
        if (pid !== '') await files.tryWrite(`${root}/cgroup.procs`, pid);
      }
      await files.removeFolder(folder);
    }
  }
}

export function withCpusets(files: MachineFiles): WorldSettings['withCpusets'] {
  return async (body) => {
    const wasEnabled = await hasCpuset(files, 'cgroup.subtree_control');
    await files.write(`${UNIFIED}/cgroup.subtree_control`, '+cpuset');
    try {
      return await withGroups(files, UNIFIED, body);
    } finally {
      if (!wasEnabled) await files.write(`${UNIFIED}/cgroup.subtree_control`, '-cpuset');
    }
  };
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isSo()); tries++) {
    if (tries === TRIES) throw new Error('cpusets do not come back from cgroup version 1');
    await delay(50);
  }
}

/**
 * A removed group lives on for a moment, and would keep its hierarchy from ending or another from
 * taking the cpusets over. Kernels without version 1 do not count them here.
 */
async function onlyRootIsLeft(files: MachineFiles): Promise<boolean> {
  const count = /^cpuset\s+\d+\s+(\d+)\s/m.exec(await files.text('/proc/cgroups'))?.[1];
  return count === undefined || count === '1';
}

/** Version 1 has cpusets while it is mounted; with its last group they come back to version 2. */
export function withOldCpusets(files: MachineFiles): WorldSettings['withOldCpusets'] {
  return async (migrates, body) => {
    const root = `/tmp/cpusets-${process.pid}`;
    await files.makeFolder(root);
    await until(() => onlyRootIsLeft(files));
    const mounted = await files.mount('cgroup', root, 'cpuset');
    try {
      if (!mounted.ok) return null;
      const cpus = await files.text(`${root}/cpuset.cpus`);
      return await withGroups(files, root, body, async (folder) => {
        await files.write(`${folder}/cpuset.cpus`, cpus);
        await files.write(`${folder}/cpuset.memory_migrate`, migrates ? '1' : '0');
      });
    } finally {
      if (mounted.ok) {
        await until(() => onlyRootIsLeft(files));
        await files.unmount(root);
        await until(() => hasCpuset(files, 'cgroup.controllers'));
      }
      await files.removeFolder(root);
    }
  };
}
