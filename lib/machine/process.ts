/**
 * What a process of a machine can do, beside its backend: a simulated one at once, one of a kernel
 * by somebody whom it asks. Its threads have the calls in groups, by concept.
 */

import type { SyscallResult } from '../backend/syscall-result.ts';
import type { AreaCalls } from './areas.ts';
import type { MemoryCalls } from './memory.ts';
import type { NumaCalls } from './numa.ts';
import type { ObjectCalls } from './objects.ts';
import type { ReferenceCalls } from './references.ts';

/** Privileges that the calls ask for. */
export type ProcessCapability = 'CAP_SETUID' | 'CAP_SYS_NICE' | 'CAP_SYS_PTRACE';

export interface MachineCalls {
  /** Mappings at chosen addresses, accesses, words of memory. */
  readonly memory: MemoryCalls;
  /** Advice, moved mappings, numa_maps. */
  readonly areas: AreaCalls;
  /** Shared memory, files, huge pages of a pool. */
  readonly objects: ObjectCalls;
  /** What keeps pages where they are: pipes, pins; rings of a driver. */
  readonly references: ReferenceCalls;
  /** The NUMA calls with any pointer and length. */
  readonly numa: NumaCalls;
}

export interface MachineThread extends MachineCalls {
  /** A further thread, with the policy and the CPUs of this one. */
  thread(): MachineThread;
  /** A child with a copy of the memory, and the policy of this thread. */
  fork(): MachineProcess;
  /** A child that has ended, and that nobody has waited for; the value is its pid. ENOMEM. */
  forkEnded(): SyscallResult<number>;
  /** Starts the program anew: the policy stays, memory and the other threads are gone, and this is
   *  the main thread. Handles of mappings name nothing then. Source: execve(2). */
  exec(): SyscallResult<undefined>;
}

/** The calls are those of its main thread. */
export interface MachineProcess extends MachineCalls {
  readonly pid: number;
  /** A further thread, with the policy and the CPUs of the main thread. */
  thread(): MachineThread;
  /** A child with a copy of the memory, whose pages both share until one of them writes. */
  fork(): MachineProcess;
  /** Ends it; its memory is free again. Idempotent. */
  exit(): void;
  /** Becomes another user, without privileges. EPERM: not root's. Source: setuid(2). */
  setuid(uid: number): SyscallResult<undefined>;
  /** Gives one privilege up, for good; the others stay. Source: capset(2). */
  dropCapability(name: ProcessCapability): SyscallResult<undefined>;
  /** A user namespace of its own: no privilege over the machine is left. EINVAL: several threads.
   *  Source: unshare(2), CLONE_NEWUSER. */
  unshareUser(): SyscallResult<undefined>;
}
