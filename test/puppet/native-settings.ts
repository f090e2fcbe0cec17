/**
 * This machine's own settings, for tests in a guest made for them: huge pages, balancing, weights,
 * merging. Each setting is as before when the test is over.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { MachineSettings } from '../contract/world.ts';
import { tryWrite, withCpusets, withOldCpusets } from './native-cpusets.ts';

const TRANSPARENT = '/sys/kernel/mm/transparent_hugepage/enabled';
const BALANCING = '/proc/sys/kernel/numa_balancing';
const SCAN = '/sys/kernel/debug/sched/numa_balancing';
const WEIGHTS = '/sys/kernel/mm/mempolicy/weighted_interleave';
const MERGING = '/sys/kernel/mm/ksm';

function poolFile(node: number): string {
  return `/sys/devices/system/node/node${node}/hugepages/hugepages-2048kB/nr_hugepages`;
}

const MERGE_TRIES = 200;

/** Pages are merged on their second or third visit, so the wait is for visits. */
async function mergedPages(pid: number, pageCount: number): Promise<boolean> {
  for (let tries = 0; tries < MERGE_TRIES; tries++) {
    if (Number(readFileSync(`/proc/${pid}/ksm_merging_pages`, 'utf8')) >= pageCount) return true;
    await delay(50);
  }
  return false;
}

/** Ten looks a second instead of one, where debugfs can be had; returns how to undo it. */
function hastenBalancing(): () => void {
  if (!existsSync(SCAN)) spawnSync('mount', ['-t', 'debugfs', 'debugfs', '/sys/kernel/debug']);
  const files = ['scan_delay_ms', 'scan_period_min_ms'].map((name) => `${SCAN}/${name}`);
  if (!files.every((file) => existsSync(file))) return () => {};
  const before = files.map((file) => readFileSync(file, 'utf8'));
  for (const file of files) writeFileSync(file, '100');
  return () => {
    for (const [index, file] of files.entries()) writeFileSync(file, before[index] as string);
  };
}

export function nativeSettings(memoryNodes: readonly number[]): MachineSettings {
  return {
    withHugePool: async (pagesPerNode, body) => {
      const before = memoryNodes.map((node) => readFileSync(poolFile(node), 'utf8').trim());
      for (const node of memoryNodes) writeFileSync(poolFile(node), String(pagesPerNode));
      try {
        return await body();
      } finally {
        for (const [index, node] of memoryNodes.entries()) {
          writeFileSync(poolFile(node), before[index] as string);
        }
      }
    },
    withTransparentHugePages: async (body) => {
      const before = /\[(\w+)\]/.exec(readFileSync(TRANSPARENT, 'utf8'))?.[1] ?? 'never';
      writeFileSync(TRANSPARENT, 'madvise');
      try {
        return await body();
      } finally {
        writeFileSync(TRANSPARENT, before);
      }
    },
    withBalancing: async (body) => {
      const before = readFileSync(BALANCING, 'utf8');
      const calmDown = hastenBalancing();
      writeFileSync(BALANCING, '1');
      try {
        return await body();
      } finally {
        writeFileSync(BALANCING, before);
        calmDown();
      }
    },
    withInterleaveWeights: async (body) => {
      const files = memoryNodes.map((node) => `${WEIGHTS}/node${node}`);
      const before = files.map((file) => readFileSync(file, 'utf8'));
      try {
        return await body(async (node, text) => tryWrite(`${WEIGHTS}/node${node}`, text));
      } finally {
        for (const [index, file] of files.entries()) writeFileSync(file, before[index] as string);
      }
    },
    withMerging: async (body) => {
      const before = readFileSync(`${MERGING}/run`, 'utf8').trim();
      writeFileSync(`${MERGING}/run`, '1');
      try {
        return await body(mergedPages);
      } finally {
        writeFileSync(`${MERGING}/run`, before);
      }
    },
    withCpusets,
    withOldCpusets,
  };
}
