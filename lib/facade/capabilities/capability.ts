/**
 * What the system lets this process do, as data: for each NUMA call and each of its flags and modes
 * whether it works, or why not and what would help.
 */

import type { NumaCall } from '../../core/calls.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * Why something does not work:
 * - `seccomp`: a filter refuses the call before the kernel sees it
 * - `capability`: the kernel asks for a privilege, CAP_SYS_NICE
 * - `kernel`: this kernel is older than it, or was built without it
 * - `cpuset`: nodes outside the task's cpuset
 * - `procfs`: a file of /proc is missing or closed
 * - `unknown`: refused, and nothing tells by whom
 */
export type CapabilityCause = 'seccomp' | 'capability' | 'kernel' | 'cpuset' | 'procfs' | 'unknown';

/** What would make it work. */
export interface Remedy {
  /** Exact text: a command line, a line of a unit or of a manifest. */
  readonly action: string;
  /** What that changes, and what it costs. */
  readonly effect: string;
}

/** One call, flag, mode or file. The last four members are there where it does not work. */
export interface Capability {
  /** The kernel's name: `move_pages`, `MPOL_MF_MOVE_ALL`, `/proc/self/numa_maps`. */
  readonly name: string;
  readonly works: boolean;
  /** False: not asked of the kernel itself, but told from another call or from its release. */
  readonly isProbed: boolean;
  readonly cause?: CapabilityCause;
  /** What was answered: `EPERM`, `ENOSYS`. */
  readonly errnoName?: string;
  /** A sentence that says how the cause was told. */
  readonly reason?: string;
  /** The narrowest first. */
  readonly remedies?: readonly Remedy[];
}

/** A call with its flags and modes. */
export interface CallCapability extends Capability {
  readonly name: NumaCall;
  readonly parts: readonly Capability[];
}

/** One way of doing what a verb does. */
export interface Rung {
  /** The kernel's name of the means: `move_pages`, `/proc/self/numa_maps`. */
  readonly by: string;
  readonly works: boolean;
  /** What this way cannot do that the first one can. */
  readonly lost?: string;
}

/** A verb of this package, with the ways in which it is done, best first. */
export interface VerbCapability {
  /** As it is written: `buffer.residency()`. */
  readonly verb: string;
  /** The way that would be taken now; absent where there is none. */
  readonly by?: string;
  readonly lost?: string;
  readonly rungs: readonly Rung[];
  /** What a caller can do now where no way is open. */
  readonly instead?: string;
}

/** Answer of `numa.capabilities()`. Deeply frozen. */
export interface Capabilities {
  /** `native`, `simulator`, or a third party's kind. */
  readonly backend: string;
  /** Release of the kernel that answers. */
  readonly kernel: string;
  /** What confines this process. */
  readonly confinement: Confinement;
  readonly calls: Readonly<Record<NumaCall, CallCapability>>;
  /** Files of /proc that verbs read. */
  readonly files: readonly Capability[];
  /** All nodes with memory may be used. */
  readonly allNodes: Capability;
  readonly verbs: readonly VerbCapability[];
}

/** `null` where /proc/self/status does not tell. */
export interface Confinement {
  readonly seccomp: 'none' | 'strict' | 'filter' | null;
  readonly hasNoNewPrivileges: boolean | null;
  /** Effective user id, 0 for root. */
  readonly userId: number | null;
  /** In this process's user namespace; the kernel wants it in the initial one. */
  readonly hasSysNice: boolean | null;
  readonly hasSysPtrace: boolean | null;
  /** A container engine or a service manager, where one is recognised. */
  readonly surroundings: Surroundings;
}
