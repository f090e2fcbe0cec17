/**
 * This machine's own settings, for tests in a guest made for them: huge pages, balancing, weights,
 * merging. Each setting is as before when the test is over.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { MachineSettings, WeightFiles, WriteWeight } from '../contract/world-settings.ts';
import { tryWrite, withCpusets, withOldCpusets } from './native-cpusets.ts';
import { withMovableMemory } from './native-hotplug.ts';
import { PuppetProcess } from './puppet-process.ts';

const TRANSPARENT = '/sys/kernel/mm/transparent_hugepage/enabled';
const BALANCING = '/proc/sys/kernel/numa_balancing';
const PROMOTE_RATE_LIMIT = '/proc/sys/kernel/numa_balancing_promote_rate_limit_MBps';
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

function numberIn(file: string, pattern: RegExp): number {
  const found = pattern.exec(readFileSync(file, 'utf8'))?.[1];
  if (found === undefined) throw new Error(`${file} has no ${pattern}`);
  return Number(found);
}

function mountDebugfs(): void {
  if (!existsSync(SCAN)) spawnSync('mount', ['-t', 'debugfs', 'debugfs', '/sys/kernel/debug']);
}

/** Ten looks a second instead of one, where debugfs can be had; returns how to undo it. */
function hastenBalancing(): () => void {
  mountDebugfs();
  const files = ['scan_delay_ms', 'scan_period_min_ms'].map((name) => `${SCAN}/${name}`);
  if (!files.every((file) => existsSync(file))) return () => {};
  const before = files.map((file) => readFileSync(file, 'utf8'));
  for (const file of files) writeFileSync(file, '100');
  return () => {
    for (const [index, file] of files.entries()) writeFileSync(file, before[index] as string);
  };
}

/** `null`: the firmware tells nothing of the node. */
function firmwareBandwidth(node: number): number | null {
  const folder = `/sys/devices/system/node/node${node}/access1/initiators`;
  const files = ['read_bandwidth', 'write_bandwidth'].map((name) => `${folder}/${name}`);
  if (!files.every((file) => existsSync(file))) return null;
  return Math.min(...files.map((file) => Number(readFileSync(file, 'utf8'))));
}

function weightFiles(memoryNodes: readonly number[]): WeightFiles {
  return {
    names: async () => readdirSync(WEIGHTS),
    read: async (name) => readFileSync(`${WEIGHTS}/${name}`, 'utf8').trim(),
    write: async (name, text) => tryWrite(`${WEIGHTS}/${name}`, text),
    writeAs: async (process, name, text) => {
      if (!(process instanceof PuppetProcess)) throw new TypeError('only puppets write files');
      return process.writeFile(`${WEIGHTS}/${name}`, text);
    },
    firmwareBandwidths: async () => {
      const pairs = memoryNodes.map((node) => [node, firmwareBandwidth(node)] as const);
      return new Map(pairs.filter((pair): pair is [number, number] => pair[1] !== null));
    },
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
    withTransparentHugePages: async (body, ranges = 'madvise') => {
      const before = /\[(\w+)\]/.exec(readFileSync(TRANSPARENT, 'utf8'))?.[1] ?? 'never';
      writeFileSync(TRANSPARENT, ranges);
      try {
        return await body();
      } finally {
        writeFileSync(TRANSPARENT, before);
      }
    },
    withBalancing: async (body, kind) => {
      const before = readFileSync(BALANCING, 'utf8');
      const calmDown = hastenBalancing();
      writeFileSync(BALANCING, kind === 'tiering' ? '2' : '1');
      try {
        return await body();
      } finally {
        writeFileSync(BALANCING, before);
        calmDown();
      }
    },
    balancingFaults: async (pid) =>
      numberIn(`/proc/${pid}/sched`, /^total_numa_faults\s*:\s*(\d+)/m),
    withPromotionLimits: async ({ rateLimitMBps, hotThresholdMs }, body) => {
      mountDebugfs();
      const values = [
        [PROMOTE_RATE_LIMIT, rateLimitMBps],
        [`${SCAN}/hot_threshold_ms`, hotThresholdMs],
      ] as const;
      const wanted = values.filter(([, value]) => value !== undefined);
      if (!wanted.every(([file]) => existsSync(file))) return null;
      const before = wanted.map(([file]) => readFileSync(file, 'utf8'));
      try {
        for (const [file, value] of wanted) writeFileSync(file, String(value));
        return await body();
      } finally {
        for (const [index, [file]] of wanted.entries()) {
          writeFileSync(file, before[index] as string);
        }
      }
    },
    withInterleaveWeights: async (body) => {
      const files = memoryNodes.map((node) => `${WEIGHTS}/node${node}`);
      const before = files.map((file) => readFileSync(file, 'utf8'));
      try {
        const write: WriteWeight = async (node, text) => tryWrite(`${WEIGHTS}/node${node}`, text);
        return await body(write, weightFiles(memoryNodes));
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
    withMovableMemory: withMovableMemory(memoryNodes),
    withCpusets,
    withOldCpusets,
  };
}
