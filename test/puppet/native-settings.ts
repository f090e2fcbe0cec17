/**
 * This machine's own settings, for tests in a guest made for them: huge pages, balancing, weights,
 * merging. Each setting is as before when the test is over.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { WorldSettings, WorldWeights, WriteWeight } from '../contract/world.ts';
import { during, ofNodes, type Setting } from '../support/scoped.ts';
import { withCpusets, withOldCpusets } from './native-cpusets.ts';
import { withMovableMemory } from './native-hotplug.ts';
import type { MachineFiles } from './puppet-files.ts';
import { PuppetProcess } from './puppet-process.ts';

const TRANSPARENT = '/sys/kernel/mm/transparent_hugepage/enabled';
const BALANCING = '/proc/sys/kernel/numa_balancing';
const PROMOTE_RATE_LIMIT = '/proc/sys/kernel/numa_balancing_promote_rate_limit_MBps';
const CPU_LISTS = '/proc/sys/vm/percpu_pagelist_high_fraction';
/** This part of a node's memory, at most; the kernel makes it a few hundred pages at least. */
const SHORT_LISTS = '100000';
const SCAN = '/sys/kernel/debug/sched/numa_balancing';
const WEIGHTS = '/sys/kernel/mm/mempolicy/weighted_interleave';
const MERGING = '/sys/kernel/mm/ksm';

function poolFile(node: number): string {
  return `/sys/devices/system/node/node${node}/hugepages/hugepages-2048kB/nr_hugepages`;
}

const MERGE_TRIES = 200;

/** Pages are merged on their second or third visit, so the wait is for visits. */
async function mergedPages(files: MachineFiles, pid: number, pageCount: number): Promise<boolean> {
  for (let tries = 0; tries < MERGE_TRIES; tries++) {
    if (Number(await files.text(`/proc/${pid}/ksm_merging_pages`)) >= pageCount) return true;
    await delay(50);
  }
  return false;
}

async function numberIn(files: MachineFiles, file: string, pattern: RegExp): Promise<number> {
  const found = pattern.exec(await files.text(file))?.[1];
  if (found === undefined) throw new Error(`${file} has no ${pattern}`);
  return Number(found);
}

async function hasAll(files: MachineFiles, paths: readonly string[]): Promise<boolean> {
  for (const path of paths) if (!(await files.has(path))) return false;
  return true;
}

async function mountDebugfs(files: MachineFiles): Promise<void> {
  if (!(await files.has(SCAN))) await files.mount('debugfs', '/sys/kernel/debug');
}

/** The files have these texts while the body runs. */
function withTexts<T>(
  files: MachineFiles,
  texts: readonly (readonly [path: string, text: string])[],
  body: () => Promise<T>,
): Promise<T> {
  const contents: Setting<readonly string[]> = {
    read: async () => {
      const before: string[] = [];
      for (const [path] of texts) before.push((await files.text(path)).trim());
      return before;
    },
    write: async (values) => {
      for (const [index, [path]] of texts.entries()) {
        await files.write(path, values[index] as string);
      }
    },
  };
  const asked = texts.map(([, text]) => text);
  return during(contents, asked, body);
}

/** Ten looks a second instead of one, where debugfs can be had; also at a process whose pages do
 *  not move, which the kernel looks at half as often after each such look. */
async function hastyBalancing(files: MachineFiles): Promise<[path: string, text: string][]> {
  await mountDebugfs(files);
  const names = ['scan_delay_ms', 'scan_period_min_ms', 'scan_period_max_ms'];
  const paths = names.map((name) => `${SCAN}/${name}`);
  return (await hasAll(files, paths)) ? paths.map((path) => [path, '100']) : [];
}

/** `null`: the firmware tells nothing of the node. */
async function firmwareBandwidth(files: MachineFiles, node: number): Promise<number | null> {
  const folder = `/sys/devices/system/node/node${node}/access1/initiators`;
  const read = await files.readText(`${folder}/read_bandwidth`);
  const write = await files.readText(`${folder}/write_bandwidth`);
  return read.ok && write.ok ? Math.min(Number(read.value), Number(write.value)) : null;
}

function weightFiles(files: MachineFiles, memoryNodes: readonly number[]): WorldWeights {
  return {
    names: () => files.names(WEIGHTS),
    read: async (name) => {
      const text = await files.readText(`${WEIGHTS}/${name}`);
      return text.ok ? { ok: true, value: text.value.trim() } : text;
    },
    write: (name, text) => files.tryWrite(`${WEIGHTS}/${name}`, text),
    writeAs: async (process, name, text) => {
      if (!(process instanceof PuppetProcess)) throw new TypeError('only puppets write files');
      return process.writeFile(`${WEIGHTS}/${name}`, text);
    },
    firmwareBandwidths: async () => {
      const bandwidths = new Map<number, number>();
      for (const node of memoryNodes) {
        const bandwidth = await firmwareBandwidth(files, node);
        if (bandwidth !== null) bandwidths.set(node, bandwidth);
      }
      return bandwidths;
    },
  };
}

export function nativeSettings(files: MachineFiles, memoryNodes: readonly number[]): WorldSettings {
  return {
    withHugePool: (pagesPerNode, body) => {
      const texts = memoryNodes.map((node) => [poolFile(node), String(pagesPerNode)] as const);
      return withTexts(files, texts, body);
    },
    withTransparentHugePages: (body, ranges = 'madvise') => {
      const setting: Setting<string> = {
        read: async () => /\[(\w+)\]/.exec(await files.text(TRANSPARENT))?.[1] ?? 'never',
        write: (text) => files.write(TRANSPARENT, text),
      };
      return during(setting, ranges, body);
    },
    withShortCpuLists: (body) => withTexts(files, [[CPU_LISTS, SHORT_LISTS]], body),
    withBalancing: async (body, kind) => {
      const mode = { off: '0', on: '1', tiering: '2' }[kind ?? 'on'];
      return withTexts(files, [...(await hastyBalancing(files)), [BALANCING, mode]], body);
    },
    // total_numa_faults of /proc/PID/sched stays 0 for pages that cannot move, seen on 6.1.
    minorFaults: (pid) => numberIn(files, `/proc/${pid}/stat`, /^.*\)(?: \S+){7} (\d+)/),
    withPromotionLimits: async ({ rateLimitMBps, hotThresholdMs }, body) => {
      await mountDebugfs(files);
      const values = [
        [PROMOTE_RATE_LIMIT, rateLimitMBps],
        [`${SCAN}/hot_threshold_ms`, hotThresholdMs],
      ] as const;
      const wanted = values.flatMap(([path, value]) =>
        value === undefined ? [] : [[path, String(value)] as const],
      );
      const paths = wanted.map(([path]) => path);
      return (await hasAll(files, paths)) ? withTexts(files, wanted, body) : null;
    },
    withInterleaveWeights: (body) => {
      const path = (node: number): string => `${WEIGHTS}/node${node}`;
      const weights = ofNodes(
        memoryNodes,
        (node) => files.text(path(node)),
        (node, text) => files.write(path(node), text),
      );
      const write: WriteWeight = (node, text) => files.tryWrite(path(node), text);
      const own = weightFiles(files, memoryNodes);
      return during(weights, undefined, () => body(write, own));
    },
    withMerging: (body) =>
      withTexts(files, [[`${MERGING}/run`, '1']], () =>
        body((pid, pageCount) => mergedPages(files, pid, pageCount)),
      ),
    withMovableMemory: withMovableMemory(files, memoryNodes),
    withCpusets: withCpusets(files),
    withOldCpusets: withOldCpusets(files),
  };
}
