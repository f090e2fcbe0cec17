/**
 * node-numa/simulator: Linux's NUMA memory manager in process, for tests and for machines without
 * NUMA. docs/simulator.md says what it is and what it is not.
 */

export type { Access, Backend, PageSpan } from '../backend/backend.ts';
export type { SyscallFailure, SyscallResult, SyscallSuccess } from '../backend/syscall-result.ts';
export type { KnownNode, KnownTopology } from '../backend/topology-snapshot.ts';
export { type KernelLine, kernelLines } from '../core/kernels.ts';
export type { MachineDescription, MachineNode } from '../core/machine-description.ts';
export { checkMachineDescription } from '../core/machine-description.ts';
export { MADV } from '../core/uapi.ts';
export type { AreaCalls, MemoryArea } from '../machine/areas.ts';
export type { VmCounters } from '../machine/counters.ts';
export type { MemoryCalls, MmapRequest, Protection } from '../machine/memory.ts';
export type {
  GetMempolicyPointers,
  MaskArgument,
  MaskPointer,
  MovePagesPointers,
  NumaCalls,
  StoredPolicy,
} from '../machine/numa.ts';
export type {
  MachineObject,
  MapObjectRequest,
  ObjectCalls,
  ObjectKind,
} from '../machine/objects.ts';
export type {
  MachineCalls,
  MachineProcess,
  MachineThread,
  ProcessCapability,
} from '../machine/process.ts';
export type { ReferenceCalls } from '../machine/references.ts';
export type {
  BalancingWord,
  CpusetCalls,
  CpusetOptions,
  HugePagesWord,
  WeightFiles,
} from '../machine/settings.ts';
export type { NodeAllocations } from '../procfs/node-files.ts';
export type {
  AccessCount,
  CallCosts,
  CostOptions,
  CostProfile,
  CostProfileName,
  Costs,
  MigrationKind,
  MigrationWork,
} from './interface/costs.ts';
export type {
  DeniableCall,
  InjectedFaults,
  RacingWriter,
  StepAction,
} from './interface/injected-faults.ts';
export type { MachineSettings, SimulatedCpuset } from './interface/machine-settings.ts';
export {
  type FolioState,
  MIGRATION_STEPS,
  type MigrationEvent,
  type MigrationMode,
  type MigrationStep,
} from './interface/migration-event.ts';
export type {
  FolioDetails,
  PageEntry,
  PageState,
  ProcessOptions,
  SimulatedCalls,
  SimulatedProcess,
  SimulatedThread,
  SteppedCall,
  SteppedCalls,
  SteppedCpuset,
  SteppedMove,
} from './interface/simulated-process.ts';
export {
  eventLine,
  type MigrationEventJson,
  type MigrationTrace,
  type MigrationTraceJson,
} from './migrate/migration-trace.ts';
export { costProfiles, presets } from './presets.ts';
export { defaultMachine, Machine, type MachineOptions } from './simulated-machine.ts';
