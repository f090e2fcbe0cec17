/**
 * A scenario as data: a machine, and what its processes do, one step after the other.
 * docs/scenarios.md explains the members; step-table.ts has the rules of each, and read-scenario.ts
 * checks them.
 */

import type { KernelLine } from '../../core/kernels.ts';
import type { MachineDescription } from '../../core/machine-description.ts';
import type { ObjectKind } from '../../machine/objects.ts';
import type { ProcessCapability } from '../../machine/process.ts';
import type { BalancingWord, HugePagesWord } from '../../machine/settings.ts';
import type { DeniableCall } from '../../simulator/interface/injected-faults.ts';
import type { MigrationStep } from '../../simulator/interface/migration-event.ts';

export interface Scenario {
  readonly $schema?: string;
  readonly format: 1;
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  /** A preset's name, or a description. */
  readonly machine: string | MachineDescription;
  /** Default: the newest. */
  readonly kernel?: KernelLine;
  /** Default 4096. */
  readonly pageSizeBytes?: number;
  /** Transparent huge pages. Default `never`. */
  readonly hugePages?: HugePagesWord;
  /** The kernel that did what the `expect` steps say, where one was recorded. */
  readonly recorded?: string;
  /** The page that `--step` has pictures of. Default: the first of the first mapping. */
  readonly watch?: { readonly mapping: string; readonly page?: number };
  readonly steps: readonly Step[];
}

/** Who does it: a process (its main thread) or a thread, by name. Default: the first process. */
interface StepActor {
  readonly by?: string;
}

/** Pages of a mapping. Default: all. */
interface StepPages {
  readonly mapping: string;
  readonly firstPage?: number;
  readonly pageCount?: number;
}

/** A CPU to run on, or a node with CPUs, whose first is meant. */
interface StepPlace {
  readonly cpu?: number;
  readonly node?: number;
}

/** An injected fault ends with `endFault`, if it has a name. */
interface StepFault {
  readonly name?: string;
}

export interface ProcessStep extends StepPlace {
  readonly do: 'process';
  readonly name: string;
  readonly uid?: number;
  readonly capabilities?: readonly ProcessCapability[];
}

export interface ThreadStep extends StepActor, StepPlace {
  readonly do: 'thread';
  readonly name: string;
}

export interface ForkStep extends StepActor {
  readonly do: 'fork';
  readonly name: string;
}

export interface ExitStep extends StepActor {
  readonly do: 'exit';
}

export interface SetAffinityStep extends StepActor, StepPlace {
  readonly do: 'setAffinity';
}

export interface MapStep extends StepActor {
  readonly do: 'map';
  readonly name: string;
  readonly pageCount?: number;
  readonly lengthBytes?: number;
  readonly shared?: boolean;
  /** What is mapped in place of anonymous memory. */
  readonly file?: ObjectKind;
  /** `0x7f0000000000`. Default: where the system likes. */
  readonly address?: string;
}

export interface UnmapStep extends StepActor, StepPages {
  readonly do: 'unmap';
}

export interface TouchStep extends StepActor, StepPages {
  readonly do: 'touch';
  /** Default `write`. */
  readonly access?: 'read' | 'write';
}

export interface KeepTouchingStep extends StepActor, StepPages {
  readonly do: 'keepTouching';
  readonly access?: 'read' | 'write';
  readonly milliseconds: number;
}

export interface StoreStep extends StepActor {
  readonly do: 'store';
  readonly mapping: string;
  readonly firstPage?: number;
  readonly value: number;
}

export interface MadviseStep extends StepActor, StepPages {
  readonly do: 'madvise';
  /** A name of MADV. */
  readonly advice: string;
}

export interface SetPolicyStep extends StepActor, Partial<StepPages> {
  readonly do: 'setPolicy';
  readonly policy: string;
  readonly move?: 'own' | 'all';
  readonly strict?: boolean;
}

export interface MovePagesStep extends StepActor, StepPages {
  readonly do: 'movePages';
  /** Whose memory. Default: the caller's. */
  readonly of?: string;
  /** Default: nowhere; the call tells where they are. */
  readonly to?: number;
  /** Also what others share: MPOL_MF_MOVE_ALL. */
  readonly all?: boolean;
}

export interface MigratePagesStep extends StepActor {
  readonly do: 'migratePages';
  readonly of?: string;
  readonly from: string;
  readonly to: string;
}

export interface PinStep extends StepActor, StepPages {
  readonly do: 'pin';
  readonly name?: string;
  /** Default `long-term`. */
  readonly how?: 'long-term' | 'pipe';
}

export interface UnpinStep {
  readonly do: 'unpin';
  readonly pin: string;
}

export interface SetStep {
  readonly do: 'set';
  readonly balancing?: BalancingWord;
  readonly hugePages?: HugePagesWord;
}

export interface HugePoolStep {
  readonly do: 'hugePool';
  readonly node: number;
  readonly pageCount: number;
}

export interface InterleaveWeightStep {
  readonly do: 'interleaveWeight';
  readonly node: number;
  readonly weight: number;
}

export interface CpusetStep {
  readonly do: 'cpuset';
  readonly name: string;
  readonly nodes: string;
  readonly version?: 1 | 2;
  readonly migrates?: boolean;
}

export interface SetMemsStep {
  readonly do: 'setMems';
  readonly cpuset: string;
  readonly nodes: string;
}

export interface AttachStep extends StepActor {
  readonly do: 'attach';
  readonly cpuset: string;
}

export interface NodeFullStep extends StepFault {
  readonly do: 'nodeFull';
  readonly node: number;
  readonly afterPages?: number;
}

export interface BusyStep extends StepActor, StepPages, StepFault {
  readonly do: 'busy' | 'writeback';
  readonly tries: number;
}

export interface DenyStep extends StepFault {
  readonly do: 'deny';
  readonly call: DeniableCall;
  readonly errno?: 'EPERM' | 'ENOSYS' | 'EACCES';
}

export interface EndFaultStep {
  readonly do: 'endFault';
  readonly fault: string;
}

/** Done behind a step of a migration that a later step of the scenario begins. */
export interface MeanwhileStep {
  readonly do: 'meanwhile';
  readonly behind: MigrationStep;
  /** Behind which of these. Default 1. */
  readonly occurrence?: number;
  readonly steps: readonly Step[];
}

export interface ExpectStep extends StepActor, Partial<StepPages> {
  readonly do: 'expect';
  /** Of the step before: what the call returned, or the name of its errno. */
  readonly answer?: number | string;
  /** Of the `movePages` before: pages by node, and by name of errno. */
  readonly statuses?: Readonly<Record<string, number>>;
  /** Of `mapping`. */
  readonly byNode?: Readonly<Record<string, number>>;
  readonly notPresent?: number;
  readonly zeroPage?: number;
  /** The word at the beginning of the first page. */
  readonly value?: number;
  /** Of `mapping`, or of the thread. */
  readonly policy?: string;
}

export type Step =
  | ProcessStep
  | ThreadStep
  | ForkStep
  | ExitStep
  | SetAffinityStep
  | MapStep
  | UnmapStep
  | TouchStep
  | KeepTouchingStep
  | StoreStep
  | MadviseStep
  | SetPolicyStep
  | MovePagesStep
  | MigratePagesStep
  | PinStep
  | UnpinStep
  | SetStep
  | HugePoolStep
  | InterleaveWeightStep
  | CpusetStep
  | SetMemsStep
  | AttachStep
  | NodeFullStep
  | BusyStep
  | DenyStep
  | EndFaultStep
  | MeanwhileStep
  | ExpectStep;

export type StepWord = Step['do'];
