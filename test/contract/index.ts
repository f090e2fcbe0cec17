/** All behaviour families, for any kind of world (README.md). */

import { afterAll, beforeAll, describe } from 'vitest';
import { affinityContract } from './affinity.contract.ts';
import { automaticWeightsContract } from './automatic-weights.contract.ts';
import { type BackendSubject, worldOfBackend } from './backend-world.ts';
import { balancingContract } from './balancing.contract.ts';
import { balancingCountersContract } from './balancing-counters.contract.ts';
import { balancingMarksContract } from './balancing-marks.contract.ts';
import { checkOrderContract } from './check-order.contract.ts';
import { confinedThreadContract } from './confined-thread.contract.ts';
import { countedInterleaveContract } from './counted-interleave.contract.ts';
import { countedPagesContract } from './counted-pages.contract.ts';
import { cpusetRebindingContract } from './cpuset-rebinding.contract.ts';
import { cpusetsContract } from './cpusets.contract.ts';
import { exhaustionContract } from './exhaustion.contract.ts';
import { fallbackOrderContract } from './fallback-order.contract.ts';
import { firstTouchContract } from './first-touch.contract.ts';
import { homeNodeContract } from './home-node.contract.ts';
import { hugeLimitsContract } from './huge-limits.contract.ts';
import { hugePagePartsContract } from './huge-page-parts.contract.ts';
import { hugePagesContract } from './huge-pages.contract.ts';
import { interleaveContract } from './interleave.contract.ts';
import { joinedMappingsContract } from './joined-mappings.contract.ts';
import { kindsOfMemoryContract } from './kinds-of-memory.contract.ts';
import { lifetimeContract } from './lifetime.contract.ts';
import { longTermPinsContract } from './long-term-pins.contract.ts';
import { mappingContract } from './mapping.contract.ts';
import { mapsContract } from './maps.contract.ts';
import { maskDecodingContract } from './mask-decoding.contract.ts';
import { mergedPagesContract } from './merged-pages.contract.ts';
import { migratePagesContract } from './migrate-pages.contract.ts';
import { misplacedPagesContract } from './misplaced-pages.contract.ts';
import { moveArraysContract } from './move-arrays.contract.ts';
import { movePagesContract } from './move-pages.contract.ts';
import { nodeCountersContract } from './node-counters.contract.ts';
import { nodeFilesContract } from './node-files.contract.ts';
import { nodeListsContract } from './node-lists.contract.ts';
import { nodeQueryContract } from './node-query.contract.ts';
import { nodesAndDistancesContract } from './nodes-and-distances.contract.ts';
import { numaMapsContract } from './numa-maps.contract.ts';
import { objectEdgesContract } from './object-edges.contract.ts';
import { overflowContract } from './overflow.contract.ts';
import { pageStatusContract } from './page-status.contract.ts';
import { pinnedMemoryContract } from './pinned-memory.contract.ts';
import { pinsContract } from './pins.contract.ts';
import { policiesReadBackContract } from './policies-read-back.contract.ts';
import { policyQueryContract } from './policy-query.contract.ts';
import { poolPromisesContract } from './pool-promises.contract.ts';
import { processStatesContract } from './process-states.contract.ts';
import { promotionContract } from './promotion.contract.ts';
import { rangePolicyContract } from './range-policy.contract.ts';
import { remappingContract } from './remapping.contract.ts';
import type { OpenSubject } from './scene.ts';
import { sharedMemoryContract } from './shared-memory.contract.ts';
import { smapsContract } from './smaps.contract.ts';
import { specialMappingsContract } from './special-mappings.contract.ts';
import { taskFilesContract } from './task-files.contract.ts';
import { thereAndBackContract } from './there-and-back.contract.ts';
import { threadPolicyContract } from './thread-policy.contract.ts';
import { threadsContract } from './threads.contract.ts';
import { topologyContract } from './topology.contract.ts';
import { vmaSplitContract } from './vma-split.contract.ts';
import { weightedInterleaveContract } from './weighted-interleave.contract.ts';
import type { World, WorldSubject } from './world.ts';

const PROCESS_FAMILIES: readonly ((subject: OpenSubject) => void)[] = [
  maskDecodingContract,
  threadPolicyContract,
  policyQueryContract,
  nodeQueryContract,
  threadsContract,
  policiesReadBackContract,
  firstTouchContract,
  countedPagesContract,
  confinedThreadContract,
  affinityContract,
  nodeCountersContract,
  fallbackOrderContract,
  overflowContract,
  interleaveContract,
  countedInterleaveContract,
  rangePolicyContract,
  misplacedPagesContract,
  checkOrderContract,
  movePagesContract,
  moveArraysContract,
  pageStatusContract,
  migratePagesContract,
  thereAndBackContract,
  sharedMemoryContract,
  pinsContract,
  hugePagesContract,
  vmaSplitContract,
  joinedMappingsContract,
  numaMapsContract,
  mapsContract,
  smapsContract,
  taskFilesContract,
  nodeFilesContract,
  cpusetsContract,
  cpusetRebindingContract,
  nodeListsContract,
  mergedPagesContract,
  homeNodeContract,
  weightedInterleaveContract,
  automaticWeightsContract,
  specialMappingsContract,
  exhaustionContract,
  processStatesContract,
  longTermPinsContract,
  hugeLimitsContract,
  hugePagePartsContract,
  poolPromisesContract,
  remappingContract,
  objectEdgesContract,
  balancingContract,
  balancingMarksContract,
  balancingCountersContract,
  promotionContract,
  pinnedMemoryContract,
];

export type { BackendSubject } from './backend-world.ts';
export { otherProcessContract } from './other-process.contract.ts';
export { racingProcessContract } from './racing-process.contract.ts';

/** What processes of a machine may rely on. */
export function processContract(subject: WorldSubject): void {
  describe(subject.name, () => {
    let world: World | undefined;
    beforeAll(async () => {
      world = await subject.open();
    });
    afterAll(() => world?.close());
    const open: OpenSubject = { ...subject, world: () => world as World };
    for (const family of PROCESS_FAMILIES) family(open);
  });
}

/** What users of a backend may rely on: its own families, and those of its process. */
export function backendContract(subject: BackendSubject): void {
  describe(subject.name, () => {
    topologyContract(subject);
    nodesAndDistancesContract(subject);
    mappingContract(subject);
    kindsOfMemoryContract(subject);
    lifetimeContract(subject);
  });
  processContract(worldOfBackend(subject));
}
