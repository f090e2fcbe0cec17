/**
 * Machines to begin with: those of machines/, which the build puts in here. A machine of your own
 * is the same data with other numbers.
 */

import cxlTier from '../../machines/cxl-tier.json' with { type: 'json' };
import eightNodes from '../../machines/eight-nodes.json' with { type: 'json' };
import fourNodes from '../../machines/four-nodes.json' with { type: 'json' };
import fourNodesSingleCpu from '../../machines/four-nodes-single-cpu.json' with { type: 'json' };
import fourNodesTwoCpus from '../../machines/four-nodes-two-cpus.json' with { type: 'json' };
import hmatTiers from '../../machines/hmat-tiers.json' with { type: 'json' };
import memorylessNode from '../../machines/memoryless-node.json' with { type: 'json' };
import smallNode from '../../machines/small-node.json' with { type: 'json' };
import sparseIds from '../../machines/sparse-ids.json' with { type: 'json' };
import subNumaClusters from '../../machines/sub-numa-clusters.json' with { type: 'json' };
import twoNodes from '../../machines/two-nodes.json' with { type: 'json' };
import twoSockets from '../../machines/two-sockets.json' with { type: 'json' };
import { deepFreeze } from '../core/deep-freeze.ts';
import type { MachineDescription } from '../core/machine-description.ts';
import { COST_PROFILES } from './cost/cost-profile.ts';
import type { CostProfile, CostProfileName } from './interface/costs.ts';

/** Descriptions for `new Machine()`, by name: `presets.fourNodes` is machines/four-nodes.json. */
export const presets: {
  readonly fourNodes: MachineDescription;
  readonly twoNodes: MachineDescription;
  readonly twoSockets: MachineDescription;
  readonly eightNodes: MachineDescription;
  readonly subNumaClusters: MachineDescription;
  readonly cxlTier: MachineDescription;
  readonly hmatTiers: MachineDescription;
  readonly sparseIds: MachineDescription;
  readonly memorylessNode: MachineDescription;
  readonly smallNode: MachineDescription;
  readonly fourNodesTwoCpus: MachineDescription;
  readonly fourNodesSingleCpu: MachineDescription;
} = deepFreeze({
  fourNodes,
  twoNodes,
  twoSockets,
  eightNodes,
  subNumaClusters,
  cxlTier,
  hmatTiers,
  sparseIds,
  memorylessNode,
  smallNode,
  fourNodesTwoCpus,
  fourNodesSingleCpu,
});

/** Profiles for `startCosts`, by name; one of your own is the same data with other numbers. */
export const costProfiles: Readonly<Record<CostProfileName, CostProfile>> =
  deepFreeze(COST_PROFILES);
