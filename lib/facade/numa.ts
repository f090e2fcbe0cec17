/**
 * One machine's memory through one backend: the object that `openNuma()` returns.
 */

import type { Backend } from '../backend/backend.ts';
import type { MappingHandle } from '../backend/mapping.ts';
import { checkInteger, readMembers } from '../core/check-arguments.ts';
import type { NodeId } from '../core/node-mask.ts';
import type { NodeNumbers } from '../core/node-numbers.ts';
import { NODE_ID_MAX, PID_MAX } from '../core/uapi.ts';
import {
  type AllocateOptions,
  allocate,
  type PopulatedAllocateOptions,
} from './buffer/allocate.ts';
import { type MapOptions, mapDescriptor } from './buffer/map-descriptor.ts';
import { type MapFileOptions, mapFile } from './buffer/map-file.ts';
import { MappedBuffer } from './buffer/mapped-buffer.ts';
import { type MemoryView, viewOf } from './buffer/memory-view.ts';
import type { SharedAllocateOptions, SharedBuffer } from './buffer/shared-buffer.ts';
import type { ViewableMemory } from './buffer/viewed-memory.ts';
import { capabilitiesOf } from './capabilities/capabilities.ts';
import type { Capabilities } from './capabilities/capability.ts';
import type { Context } from './context.ts';
import { type BalancingState, readBalancing } from './host/balancing.ts';
import {
  type MachineWeights,
  readInterleaveWeights,
  setInterleaveWeights,
} from './host/interleave-weights.ts';
import { type NodeStatistics, readNodeStatistics } from './host/node-statistics.ts';
import { Starter } from './placement/starter.ts';
import { readProcessIds } from './process/process-files.ts';
import { ProcessMemory } from './process/process-memory.ts';
import type { OwnedReplicas } from './replicas/owned-replicas.ts';
import type { ReplicaArray, ReplicaArrayName, ReplicaArrays } from './replicas/replica-arrays.ts';
import { attachReplicas, type Replicas, type ReplicasHandle } from './replicas/replicas.ts';
import { type ReplicateOptions, replicate } from './replicas/replicate.ts';
import type { ReplicaSource } from './replicas/source-bytes.ts';

/** Which backend answers, and why it was chosen. */
export interface BackendInfo {
  /** `native`, `simulator`, or a third party's kind. */
  readonly kind: string;
  /** Why this backend: part of every result that is shown to people. */
  readonly reason: string;
  /** Release of the kernel that answers. */
  readonly kernel: string;
  /** The libnuma in use; `null` where none is. */
  readonly libnuma: string | null;
}

/** @internal The backend of a Numa, for `node-numa/syscalls`. */
export let backendOf: (numa: Numa) => Backend;

/** @internal Whether it is one itself, and no object that only inherits from one. */
export let isNuma: (value: unknown) => value is Numa;

export class Numa extends Starter {
  static {
    backendOf = (numa) => numa.#context.backend;
    isNuma = (value): value is Numa =>
      typeof value === 'object' && value !== null && #context in value;
  }

  readonly backend: BackendInfo;
  readonly #context: Context;

  /** @internal Use `openNuma()`. */
  constructor(context: Context, reason: string) {
    super(context);
    this.#context = context;
    this.backend = Object.freeze({ ...context.backend.identity, reason });
  }

  /** Base page size in bytes; 4096 on most machines, 16 or 64 kB on some. */
  get pageSizeBytes(): number {
    return this.#backend.pageSizeBytes;
  }

  /**
   * Maps memory, rounded up to whole pages; no page is touched. Private anonymous memory unless the
   * options say otherwise. With `populate` a promise of it: all pages are there then, and where one
   * cannot be had, or the signal aborts, nothing of it is left.
   * @param lengthBytes at least 1; `bytes.byteLength` is this length as asked, but for whole pages
   *   of a pool
   * @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, RangeError ERR_OUT_OF_RANGE,
   *   NumaError NUMA_OUT_OF_MEMORY (of a pool: names its file and what is free), NUMA_UNSUPPORTED
   *   (no such huge pages), and what `setPolicy` throws;
   *   with `populate` rejects with these, and what `buffer.populate()` rejects with
   * Source: mmap(2), mbind(2), madvise(2), memfd_create(2).
   */
  allocate(lengthBytes: number, options: SharedAllocateOptions): SharedBuffer;
  allocate(lengthBytes: number, options: PopulatedAllocateOptions): Promise<MappedBuffer>;
  allocate(lengthBytes: number, options?: AllocateOptions): MappedBuffer;
  allocate(
    lengthBytes: number,
    options?: AllocateOptions | PopulatedAllocateOptions | SharedAllocateOptions,
  ): MappedBuffer | Promise<MappedBuffer> | SharedBuffer {
    return allocate(this.#context, lengthBytes, options);
  }

  /**
   * Maps shared memory by a descriptor: that of another process's `buffer.descriptor`, which a
   * child inherits through `stdio`, or of any regular file. Without a change of the descriptor,
   * which stays the caller's: the buffer has one of its own.
   * @param fd open for reading and writing, unless `visibility` is `private`
   * @throws TypeError, RangeError ERR_OUT_OF_RANGE; NumaError NUMA_INVALID_ARGUMENT for what is no
   *   file (a socket, a folder), that is not open, or that ends before the range;
   *   NUMA_NOT_PERMITTED for one that may only be read; NUMA_OUT_OF_MEMORY
   * Source: mmap(2), fstat(2).
   */
  map(fd: number, options?: MapOptions): MappedBuffer {
    return mapDescriptor(this.#context, fd, options);
  }

  /**
   * Maps a file, all of it unless the options say otherwise: its pages are those of the page cache,
   * which are placed, located and moved as any. Whoever makes the file shorter ends nothing here:
   * `buffer.isTruncated()` tells.
   * @throws TypeError, RangeError ERR_OUT_OF_RANGE; NumaError NUMA_INVALID_ARGUMENT for no such
   *   file, a folder, an empty file, a range beyond its end; NUMA_NOT_PERMITTED; NUMA_OUT_OF_MEMORY
   * Source: openat(2), mmap(2).
   */
  mapFile(path: string, options?: MapFileOptions): MappedBuffer {
    return mapFile(this.#context, path, options);
  }

  /**
   * Makes this thread one more owner of memory that another thread of this process allocated.
   * @param handle the other thread's `buffer.handle`, posted here
   * @throws TypeError ERR_INVALID_ARG_TYPE; NumaError NUMA_RELEASED once the last owner released it
   */
  attach(handle: MappingHandle): MappedBuffer {
    const names = ['id', 'generation'] as const;
    const members = readMembers<MappingHandle>(handle, 'handle', names, "a buffer's handle");
    const id = checkInteger(members.id, 'handle.id', 0);
    const generation = checkInteger(members.generation, 'handle.generation', 0);
    const attached = this.#backend.attach({ id, generation });
    const asked = `mapping ${id}, generation ${generation}`;
    return new MappedBuffer(
      this.#context,
      this.#context.unwrap(attached, asked, { id, generation }),
    );
  }

  /**
   * The same verbs for memory that the engine or others have mapped: the whole pages inside of it.
   * Nothing of it is touched, moved or copied by that. The view ends where the buffer is detached,
   * transferred, or changes its length.
   * @param memory an ArrayBuffer, a SharedArrayBuffer, a typed array, a Buffer, a DataView or a
   *   WebAssembly.Memory
   * @throws TypeError ERR_INVALID_ARG_TYPE; RangeError ERR_OUT_OF_RANGE for one that is detached,
   *   or so small that it has no page for itself
   */
  view(memory: ViewableMemory): MemoryView {
    return viewOf(this.#context, memory);
  }

  /**
   * A copy of the same bytes on each node, for what is read much and changed seldom: threads read
   * the copy of their own node (`replicas.local().read()`), and `publish()` changes all of them at
   * once. Each copy takes the bytes twice. Memory of the engine's own, made and looked at on its
   * node, in steps of 8 MiB between which JavaScript goes on.
   * @param source bytes, left alone until the promise is settled; readers get arrays of its kind
   * @throws TypeError, RangeError ERR_OUT_OF_RANGE for nodes that have no memory for this thread;
   *   the signal's reason; NumaError NUMA_OUT_OF_MEMORY (a full node, with `report`), NUMA_RELEASED
   *   (the source, meanwhile), NUMA_NOT_PERMITTED, NUMA_POLICY_NOT_MET: no copy is left then
   * Source: mbind(2), move_pages(2).
   */
  replicate<Source extends ReplicaSource>(
    source: Source,
    options?: ReplicateOptions,
  ): Promise<OwnedReplicas<ReplicaArray<Source>>> {
    return replicate(this.#context, source, options);
  }

  /**
   * Replicas that another thread of this process has made, to read them here.
   * @param handle its `replicas.handle`, posted here
   * @throws TypeError ERR_INVALID_ARG_TYPE; NumaError NUMA_RELEASED
   */
  attachReplicas<Name extends ReplicaArrayName>(
    handle: ReplicasHandle<Name>,
  ): Replicas<ReplicaArrays[Name]> {
    return attachReplicas(this.#context, handle);
  }

  /**
   * The memory of a process of the machine that answers: this host's, or the simulated one's.
   * @param pid default: the calling process
   * @throws TypeError ERR_INVALID_ARG_TYPE, RangeError ERR_OUT_OF_RANGE
   */
  process(pid: number = this.#backend.pid): ProcessMemory {
    return new ProcessMemory(this.#context, checkInteger(pid, 'pid', 1, PID_MAX));
  }

  /**
   * The processes of the machine that answers, ascending: those that we may see.
   * @throws NumaError NUMA_UNSUPPORTED (no /proc)
   * Source: proc(5).
   */
  processIds(): Promise<number[]> {
    return readProcessIds(this.#backend);
  }

  /**
   * What the system lets this process do: each NUMA call and flag asked once, without side
   * effects, with the cause and the remedy where it does not work, and the way that each verb would
   * take now. Never rejects: a refusal is an answer. Later calls give the same object.
   * Source: the calls' own pages; proc_pid_status(5) for seccomp and capabilities.
   */
  capabilities(): Promise<Capabilities> {
    return capabilitiesOf(this.#context);
  }

  /**
   * Free memory of a node now, in bytes; `null` where its file cannot be read.
   * @throws RangeError ERR_OUT_OF_RANGE for what is no node number, NumaError
   *   NUMA_INVALID_ARGUMENT for a node that is not online
   * Source: numa_node_size64 of numa(3).
   */
  freeMemory(node: NodeId): number | null {
    checkInteger(node, 'node', 0, NODE_ID_MAX);
    return this.#context.unwrap(this.#backend.nodeMemory(node), `memory of node ${node}`, { node })
      .freeBytes;
  }

  /**
   * What each node of the topology has given out and has left now: numastat's figures, pools of
   * huge pages included.
   * @throws NumaError NUMA_INVALID_ARGUMENT for a node that has gone offline
   * Source: numastat(8).
   */
  nodeStatistics(): Promise<NodeStatistics[]> {
    return readNodeStatistics(this.#context);
  }

  /**
   * How many pages in a row each node takes under `weightedInterleave()`. Never rejects: what
   * cannot be read is `null`.
   * Source: /sys/kernel/mm/mempolicy/weighted_interleave, Linux 6.9.
   */
  interleaveWeights(): Promise<MachineWeights> {
    return readInterleaveWeights(this.#context);
  }

  /**
   * Sets them, for all processes of the machine, as root; nodes that are not named keep theirs.
   * Pages stay where they are. Resolves with what holds then.
   * @param weights from 1 to 255 by node, or `automatic`: the kernel makes them of the bandwidths
   *   that the firmware tells, Linux 6.16
   * @throws TypeError, RangeError ERR_OUT_OF_RANGE naming the nodes with weights; NumaError
   *   NUMA_NOT_PERMITTED, NUMA_UNSUPPORTED
   */
  setInterleaveWeights(weights: NodeNumbers | 'automatic'): Promise<MachineWeights> {
    return setInterleaveWeights(this.#context, weights);
  }

  /**
   * Whether the kernel moves pages by itself, and what it has moved. Never rejects: what cannot be
   * read is `null`.
   * Source: kernel.numa_balancing; /proc/vmstat.
   */
  balancing(): Promise<BalancingState> {
    return readBalancing(this.#context);
  }

  get #backend(): Backend {
    return this.#context.backend;
  }
}
