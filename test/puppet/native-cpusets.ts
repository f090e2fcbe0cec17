/** Groups of processes on nodes of their own, for tests in a guest: cgroup versions 2 and 1. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import type { Cpuset, MachineSettings } from '../contract/world.ts';

const UNIFIED = '/sys/fs/cgroup';
const TRIES = 200;

/** One write(2), as the kernel's files want it. */
export function tryWrite(path: string, text: string): SyscallResult<undefined> {
  try {
    writeFileSync(path, text);
    return { ok: true, value: undefined };
  } catch (error) {
    const errno = -((error as NodeJS.ErrnoException).errno ?? 0);
    return { ok: false, errno, syscall: 'write' };
  }
}

function hasCpuset(file: string): boolean {
  return readFileSync(`${UNIFIED}/${file}`, 'utf8').split(/\s/).includes('cpuset');
}

/** The groups that a test makes below `root`; their processes go back there in the end. */
async function withGroups<T>(
  root: string,
  body: (create: () => Promise<Cpuset>) => Promise<T>,
  prepare: (folder: string) => void = () => {},
): Promise<T> {
  const folders: string[] = [];
  try {
    return await body(async () => {
      const folder = `${root}/node-numa-${process.pid}-${folders.length}`;
      mkdirSync(folder);
      folders.push(folder);
      prepare(folder);
      return {
        setMems: async (nodes) => tryWrite(`${folder}/cpuset.mems`, `${nodes}\n`),
        attach: async (pid) => tryWrite(`${folder}/cgroup.procs`, `${pid}\n`),
        leave: async (pid) => tryWrite(`${root}/cgroup.procs`, `${pid}\n`),
      };
    });
  } finally {
    for (const folder of folders) {
      for (const pid of readFileSync(`${folder}/cgroup.procs`, 'utf8').split('\n')) {
        if (pid !== '') tryWrite(`${root}/cgroup.procs`, pid);
      }
      rmdirSync(folder);
    }
  }
}

export const withCpusets: MachineSettings['withCpusets'] = async (body) => {
  const wasEnabled = hasCpuset('cgroup.subtree_control');
  writeFileSync(`${UNIFIED}/cgroup.subtree_control`, '+cpuset');
  try {
    return await withGroups(UNIFIED, body);
  } finally {
    if (!wasEnabled) writeFileSync(`${UNIFIED}/cgroup.subtree_control`, '-cpuset');
  }
};

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries++) {
    if (tries === TRIES) throw new Error('cpusets do not come back from cgroup version 1');
    await delay(50);
  }
}

/**
 * A removed group lives on for a moment, and would keep its hierarchy from ending or another from
 * taking the cpusets over. Kernels without version 1 do not count them here.
 */
function onlyRootIsLeft(): boolean {
  const count = /^cpuset\s+\d+\s+(\d+)\s/m.exec(readFileSync('/proc/cgroups', 'utf8'))?.[1];
  return count === undefined || count === '1';
}

/** Version 1 has cpusets while it is mounted; with its last group they come back to version 2. */
export const withOldCpusets: MachineSettings['withOldCpusets'] = async (migrates, body) => {
  const root = mkdtempSync(join(tmpdir(), 'cpusets-'));
  await until(onlyRootIsLeft);
  const { status } = spawnSync('mount', ['-t', 'cgroup', '-o', 'cpuset', 'cpuset', root]);
  try {
    if (status !== 0) return null;
    const cpus = readFileSync(`${root}/cpuset.cpus`, 'utf8');
    return await withGroups(root, body, (folder) => {
      writeFileSync(`${folder}/cpuset.cpus`, cpus);
      writeFileSync(`${folder}/cpuset.memory_migrate`, migrates ? '1' : '0');
    });
  } finally {
    if (status === 0) {
      await until(onlyRootIsLeft);
      spawnSync('umount', [root]);
      await until(() => hasCpuset('cgroup.controllers'));
    }
    rmdirSync(root);
  }
};
