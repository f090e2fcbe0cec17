/**
 * node-numa: NUMA memory placement and page migration.
 */

export type * from './backend/backend.ts';
export type { Mapping, MappingHandle } from './backend/mapping.ts';
export type { SyscallFailure, SyscallResult, SyscallSuccess } from './backend/syscall-result.ts';
export type {
  CpuPackage,
  DeviceNumber,
  LastLevelCache,
  MemoryAccess,
  MemorySpeed,
  NodeMemory,
  NodeSnapshot,
  TopologySnapshot,
} from './backend/topology-snapshot.ts';
export type {
  ArgumentError,
  ArgumentErrorCode,
  ArgumentErrorFields,
} from './core/argument-errors.ts';
export type { NumaCall } from './core/calls.ts';
export { type CpuExpression, type CpuId, CpuMask } from './core/cpu-mask.ts';
export { AbortError, NumaError, type NumaErrorCode, type NumaErrorFields } from './core/errors.ts';
export type { IdSet, IdSetContext } from './core/id-set.ts';
export type { MappingKind } from './core/mapping-kind.ts';
export {
  bind,
  defaultPolicy,
  type HomeNodePolicyOptions,
  interleave,
  local,
  MemoryPolicy,
  type PolicyFlag,
  type PolicyOptions,
  preferred,
  preferredMany,
  weightedInterleave,
} from './core/memory-policy.ts';
export type {
  AnyMigrationReport,
  MappingMigration,
  MappingsMigrationReport,
  MigratedPages,
  MigrationOutcome,
  MigrationProgress,
  MigrationReport,
  NodePages,
  PageStatus,
  PageStatusWord,
  PlacementReport,
  SelectedPages,
} from './core/migration-report.ts';
export { type NodeExpression, type NodeId, NodeMask } from './core/node-mask.ts';
export type { NodeNumbers } from './core/node-numbers.ts';
export type { PolicyMode } from './core/policy-modes.ts';
export type {
  AllocateOptions,
  HugePagesChoice,
  PopulatedAllocateOptions,
} from './facade/buffer/allocate.ts';
export type { BalancingExemption } from './facade/buffer/balancing-exemption.ts';
export type { DistributionReport, Shares } from './facade/buffer/distribute.ts';
export type { MapOptions } from './facade/buffer/map-descriptor.ts';
export type { MapFileOptions } from './facade/buffer/map-file.ts';
export { MappedBuffer } from './facade/buffer/mapped-buffer.ts';
export { MemoryView, type ViewEdges } from './facade/buffer/memory-view.ts';
export type { MoveConcurrency, MovePromise, MoveWay } from './facade/buffer/move-ways.ts';
export type { PageNodes, PlaceOptions } from './facade/buffer/place-pages.ts';
export type { RangePlan } from './facade/buffer/plan-move.ts';
export type {
  PopulateOptions,
  PopulateProgress,
  PopulateReport,
} from './facade/buffer/populate.ts';
export type { RangeMemory } from './facade/buffer/range-memory.ts';
export type {
  MigrateOptions,
  MoveSelection,
  OnFull,
  PageStatusOptions,
  PlanMoveOptions,
  ResidencyOptions,
  TouchOptions,
} from './facade/buffer/range-options.ts';
export { type SharedAllocateOptions, SharedBuffer } from './facade/buffer/shared-buffer.ts';
export type { ViewableMemory, WasmMemory } from './facade/buffer/viewed-memory.ts';
export type {
  CallCapability,
  Capabilities,
  Capability,
  CapabilityCause,
  Confinement,
  Remedy,
  Rung,
  VerbCapability,
} from './facade/capabilities/capability.ts';
export type { Surroundings, SurroundingsKind } from './facade/capabilities/surroundings.ts';
export type {
  BalancingCounters,
  BalancingMode,
  BalancingScan,
  BalancingState,
} from './facade/host/balancing.ts';
export type { MachineWeights } from './facade/host/interleave-weights.ts';
export type { HugePagePool, NodeStatistics } from './facade/host/node-statistics.ts';
export type { MemoryPerformance, NearnessMeasure } from './facade/memory-performance.ts';
export { type BackendInfo, Numa } from './facade/numa.ts';
export { type OpenNumaOptions, openNuma } from './facade/open-numa.ts';
export type { HugePagesFound } from './facade/pages/huge-pages.ts';
export type { RangeOptions } from './facade/pages/page-range.ts';
export type { PlacedRun, Residency } from './facade/pages/residency.ts';
export type { PlacedChild, PlacedWorker } from './facade/placement/launcher.ts';
export type { NodePoolOptions, PoolBinding } from './facade/placement/node-placements.ts';
export {
  type NodePiscina,
  type PiscinaClass,
  type PiscinaLike,
  PiscinaPools,
  type PiscinaPoolsOptions,
  type PiscinaRunOptions,
} from './facade/placement/piscina-pools.ts';
export type { Placement, PlacementOutcome } from './facade/placement/placement.ts';
export {
  type PoolRunOptions,
  type PoolWorker,
  WorkerPool,
} from './facade/placement/worker-pool.ts';
export type { SetPolicyOptions } from './facade/policy/range-policy.ts';
export type { MappingFilter, MappingFilters } from './facade/process/mapping-filter.ts';
export type { MappingsProgress } from './facade/process/mappings-move.ts';
export type { ProcessMigrationReport } from './facade/process/migrate-at-once.ts';
export type {
  MappingSelection,
  MigrationPlan,
  PlannedMapping,
  PlanOptions,
  PlanWarning,
} from './facade/process/migration-plan.ts';
export type { SetAffinityOptions, ThreadAffinity } from './facade/process/process-affinity.ts';
export type { NodeBytes, ProcessMapping } from './facade/process/process-mappings.ts';
export {
  type LookOptions,
  type MigrateMappingsOptions,
  ProcessMemory,
  type ProcessMigrateOptions,
} from './facade/process/process-memory.ts';
export type { KindResidency, ProcessResidency } from './facade/process/process-residency.ts';
export type { ProcessSnapshot, SnapshotOptions } from './facade/process/process-snapshot.ts';
export { type ProcessThread, remoteShareOf } from './facade/process/process-threads.ts';
export {
  OwnedReplicas,
  type PublishOptions,
  type ReplicaResidency,
} from './facade/replicas/owned-replicas.ts';
export { type Halves, Replica } from './facade/replicas/replica.ts';
export type {
  ReplicaArray,
  ReplicaArrayName,
  ReplicaArrays,
} from './facade/replicas/replica-arrays.ts';
export {
  type ReplicaArrayNameOf,
  type ReplicaCopy,
  Replicas,
  type ReplicasHandle,
} from './facade/replicas/replicas.ts';
export type { ReplicateOptions } from './facade/replicas/replicate.ts';
export type { ReplicaSource } from './facade/replicas/source-bytes.ts';
export { type Summarizable, summarize } from './facade/summarize.ts';
export type { ThreadBinding, ThreadBindOptions } from './facade/thread/bind-thread.ts';
export { ThreadMemory } from './facade/thread/thread-memory.ts';
export {
  type NearestFirstOptions,
  Topology,
  type TopologyCache,
  type TopologyNode,
  type TopologyPackage,
} from './facade/topology.ts';
export type { BackendChoice, BackendOptions, NativeBinding } from './open-backend.ts';
export type { NodeAllocations } from './procfs/node-files.ts';
