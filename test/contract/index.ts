/** All behaviour families, for any kind of world (README.md). */

import { afterAll, beforeAll, describe } from 'vitest';
import { type BackendSubject, worldOfBackend } from './backend-world.ts';
import { balancingContract } from './balancing.contract.ts';
import { checkOrderContract } from './check-order.contract.ts';
import { cpusetRebindingContract } from './cpuset-rebinding.contract.ts';
import { cpusetsContract } from './cpusets.contract.ts';
import { firstTouchContract } from './first-touch.contract.ts';
import { homeNodeContract } from './home-node.contract.ts';
import { hugePagesContract } from './huge-pages.contract.ts';
import { interleaveContract } from './interleave.contract.ts';
import { lifetimeContract } from './lifetime.contract.ts';
import { mappingContract } from './mapping.contract.ts';
import { maskDecodingContract } from './mask-decoding.contract.ts';
import { mergedPagesContract } from './merged-pages.contract.ts';
import { migratePagesContract } from './migrate-pages.contract.ts';
import { misplacedPagesContract } from './misplaced-pages.contract.ts';
import { movePagesContract } from './move-pages.contract.ts';
import { pageStatusContract } from './page-status.contract.ts';
import { pinsContract } from './pins.contract.ts';
import { policyQueryContract } from './policy-query.contract.ts';
import { rangePolicyContract } from './range-policy.contract.ts';
import type { OpenSubject } from './scene.ts';
import { sharedMemoryContract } from './shared-memory.contract.ts';
import { threadPolicyContract } from './thread-policy.contract.ts';
import { topologyContract } from './topology.contract.ts';
import { vmaSplitContract } from './vma-split.contract.ts';
import { weightedInterleaveContract } from './weighted-interleave.contract.ts';
import type { World, WorldSubject } from './world.ts';

const PROCESS_FAMILIES: readonly ((subject: OpenSubject) => void)[] = [
  maskDecodingContract,
  threadPolicyContract,
  policyQueryContract,
  firstTouchContract,
  interleaveContract,
  rangePolicyContract,
  misplacedPagesContract,
  checkOrderContract,
  movePagesContract,
  pageStatusContract,
  migratePagesContract,
  sharedMemoryContract,
  pinsContract,
  hugePagesContract,
  vmaSplitContract,
  cpusetsContract,
  cpusetRebindingContract,
  mergedPagesContract,
  homeNodeContract,
  weightedInterleaveContract,
  balancingContract,
];

export type { BackendSubject } from './backend-world.ts';
export { otherProcessContract } from './other-process.contract.ts';

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
    mappingContract(subject);
    lifetimeContract(subject);
  });
  processContract(worldOfBackend(subject));
}
