/** Settings of a machine that the contract suite changes, each for the length of a test. */

import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import type { CpusetCalls, WeightFiles } from '../../lib/machine/settings.ts';
import type { Later } from '../support/later.ts';
import type { WorldProcess } from './world.ts';

/** Answers as write(2) does. */
export type WriteWeight = (node: number, text: string) => Promise<SyscallResult<undefined>>;

/** The files of the weights: one for each node, and on some kernels one for all. */
export interface WorldWeights extends Later<Pick<WeightFiles, 'names' | 'read'>> {
  write(name: string, text: string): Promise<SyscallResult<undefined>>;
  /** The same by that process, with its user's rights. */
  writeAs(process: WorldProcess, name: string, text: string): Promise<SyscallResult<undefined>>;
  firmwareBandwidths(): Promise<WeightFiles['firmwareBandwidths']>;
}

/** With the trait `settings`; only tests that need an expendable machine use it. */
export interface WorldSettings {
  /** Until the end of the test, whose `body` it runs. */
  withHugePool<T>(pagesPerNode: number, body: () => Promise<T>): Promise<T>;
  /** For ranges that ask for them, or (`always`) for every range. */
  withTransparentHugePages<T>(body: () => Promise<T>, ranges?: 'madvise' | 'always'): Promise<T>;
  /** CPUs keep few free pages in lists of their own, where nobody else can have them. */
  withShortCpuLists<T>(body: () => Promise<T>): Promise<T>;
  /** With automatic NUMA balancing on; `tiering`: only between fast memory and slow; `off`: not
   *  yet, but processes that begin now are looked at as soon as it is. */
  withBalancing<T>(body: () => Promise<T>, kind?: 'tiering' | 'off'): Promise<T>;
  /** Faults of a process that read nothing from a disk: one for each mark of balancing that it
   *  touches, beside few others (none in the simulator). */
  minorFaults(pid: number): Promise<number>;
  /**
   * With limits of its own to what tiering promotes: MiB in a second to one node, and how soon
   * after its mark a hot page is touched. `null`: no limit can be set here.
   */
  withPromotionLimits<T>(
    limits: { readonly rateLimitMBps?: number; readonly hotThresholdMs?: number },
    body: () => Promise<T>,
  ): Promise<T | null>;
  /** `write` puts a text into the file of a node's interleave weight. */
  withInterleaveWeights<T>(
    body: (write: WriteWeight, files: WorldWeights) => Promise<T>,
  ): Promise<T>;
  /** Equal pages of willing processes are merged; `merged` waits for that many of a process. */
  withMerging<T>(
    body: (merged: (pid: number, pageCount: number) => Promise<boolean>) => Promise<T>,
  ): Promise<T>;
  /** Part of a node is a movable zone, which new pages take first; `null`: none can be made. */
  withMovableMemory<T>(body: (node: number) => Promise<T>): Promise<T | null>;
  withCpusets<T>(body: (create: () => Promise<Later<CpusetCalls>>) => Promise<T>): Promise<T>;
  /** cgroup version 1, where pages follow a group only if it `migrates`; `null`: not to be had. */
  withOldCpusets<T>(
    migrates: boolean,
    body: (create: () => Promise<Later<CpusetCalls>>) => Promise<T>,
  ): Promise<T | null>;
}
