/**
 * What the contract suite needs beside a backend: real processes whose calls a test directs one
 * by one. On the kernel they are puppets (test/puppet), on a simulated machine they are its own.
 *
 * What a process can do is declared in lib/machine; here each answer is a promise.
 */

import type { Backend, PageSpan } from '../../lib/backend/backend.ts';
import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import type { KnownTopology } from '../../lib/backend/topology-snapshot.ts';
import type { VmCounters } from '../../lib/machine/counters.ts';
import type { MachineProcess, MachineThread } from '../../lib/machine/process.ts';
import type { NodeAllocations } from '../../lib/procfs/node-files.ts';
import type { Later } from '../support/later.ts';
import type { WorldSettings } from './world-settings.ts';

export type { WorldSettings, WorldWeights, WriteWeight } from './world-settings.ts';

/** Status entries hold this until the kernel writes them. */
export const UNWRITTEN = -9999;

/** What a kind of world can show; a test that needs more is not part of that world's suite. */
export type Trait =
  /** Mappings at chosen addresses, and unmapping part of one. */
  | 'addresses'
  /** Processes beside each other: children, shared mappings. */
  | 'sharing'
  /** Another user id. */
  | 'setuid'
  | 'mlock'
  /** Mask and status pointers that are NULL or lead nowhere, lengths beyond a number. */
  | 'pointers'
  /** Reading and writing a word of memory. */
  | 'contents'
  /** Memory with an object behind it: shared memory, files, huge pages of a pool. */
  | 'objects'
  /** Advice, moved mappings, and the list of a process's memory areas. */
  | 'areas'
  /** What keeps pages where they are, and rings that own pages. */
  | 'references'
  /** Threads beside the first, and programs executed anew. */
  | 'threads'
  /** Processes in states of their own: ended, in a user namespace; threads of the kernel. */
  | 'states'
  /** Settings of the whole machine, and cpusets. */
  | 'settings'
  /** What the machine counts: of each node's pages, and of what migrations have done. */
  | 'counters'
  /** Files below /proc and /sys. */
  | 'files';

/** With the trait `files`: of a world, as the privileged test itself reads them. */
export type TextFiles = Later<Pick<Backend, 'readText' | 'readNames'>>;

/**
 * One thread, and the process that it is of. Answers of a trait that the world does not have are
 * ENOSYS.
 */
export interface WorldProcess
  extends Omit<Later<MachineThread & MachineProcess>, 'fork' | 'thread'> {
  /** With its user's rights. */
  readonly files: Later<Pick<Backend, 'readText' | 'readNames' | 'pagemap'>>;
  /** The signal that ended it, known from the first call that found it gone: ESRCH. */
  readonly killedBy: number | null;

  /** A child with a copy of the memory and the policy. */
  fork(): Promise<WorldProcess>;
  /** One more thread of the process; what it is told, that thread calls. */
  thread(): Promise<WorldProcess>;
  /** The calling thread, or another one by its number. */
  runOnCpu(cpu: number, tid?: number): Promise<SyscallResult<undefined>>;
  /** The CPUs that the thread may run on, ascending. */
  affinity(): Promise<SyscallResult<number[]>>;
  /** Lets equals look into a process that changed its user. With `setuid`. */
  setDumpable(): Promise<SyscallResult<undefined>>;
  /** Processes start without transparent huge pages, whatever they ask for. */
  allowHugePages(): Promise<SyscallResult<undefined>>;
  /** Makes every page an area of its own; ENOMEM at the limit of areas. */
  shatter(span: PageSpan): Promise<SyscallResult<undefined>>;
}

/** The machine that a world runs on, learned without the calls under test. */
export interface WorldMachine {
  /** Release of the kernel that answers, as uname(2) gives it. */
  readonly kernel: string;
  readonly pageSizeBytes: number;
  /** Nodes with memory that the processes may use, ascending. */
  readonly memoryNodes: readonly number[];
  readonly topology: KnownTopology;
  /** Highest possible node + 1. */
  readonly possibleNodeCount: number;
  /** `MAX_NUMNODES` of the kernel's build. */
  readonly nodesMax: number;
  /** The processes start with CAP_SYS_NICE. */
  readonly isPrivileged: boolean;
  /** The processes start with CAP_SETUID. */
  readonly canChangeUser: boolean;
  /** Tests may exhaust the machine. */
  readonly isExpendable: boolean;
}

export interface World {
  readonly machine: WorldMachine;
  readonly settings?: WorldSettings;
  readonly files?: TextFiles;
  /** Its pid; `null` where none can be seen. With the trait `states`. */
  readonly kernelThread?: number | null;
  /** Of one node, now. With the trait `counters`. */
  nodeCounters?(node: number): Promise<NodeAllocations>;
  /** Of the whole machine, now. With the trait `counters`. */
  vmCounters?(): Promise<VmCounters>;
  /** A fresh process: no policy, no memory of its own, any CPU. */
  spawn(): Promise<WorldProcess>;
  close(): Promise<void>;
}

/** A kind of world, and how to open it. */
export interface WorldSubject {
  readonly name: string;
  readonly traits: ReadonlySet<Trait>;
  open(): Promise<World>;
}
