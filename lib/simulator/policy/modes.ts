/**
 * What the modes of policies do, a row for each. Which names and numbers they have is core's.
 *
 * Source: mm/mempolicy.c, struct mempolicy_operations mpol_ops, mpol_new(), policy_nodemask() and
 * alloc_pages_mpol().
 */

import type { KernelFacts } from '../../core/kernel-facts.ts';
import {
  POLICY_MODE_NAMES,
  POLICY_MODES,
  type PolicyMode,
  type PolicyModeRow,
} from '../../core/policy-modes.ts';
import { MPOL } from '../../core/uapi.ts';
import { firstNode, maskOf, NO_NODES, type Nodemask } from '../nodes/nodemask.ts';
import { BY_WEIGHT, IN_TURN, type InterleaveRules, type Interleaving } from './interleave.ts';

/** What decides where a search for one page starts, and what it may take. */
export interface PlacedBy {
  /** The policy's; some are there. */
  readonly nodes: Nodemask;
  /** The home node, or that of the CPU that searches. */
  readonly home: number;
  /** Nodes of its cpuset. */
  readonly memsAllowed: Nodemask;
  /** The page's offset. */
  readonly index: number;
}

/** Where a search starts, and what it may take: first, then at last. */
export interface Zones {
  readonly start: number;
  readonly first: Nodemask;
  readonly last: Nodemask;
}

interface ModeOperations {
  /** Older kernels do not have it. */
  isKnown(facts: KernelFacts): boolean;
  /** Of one that may be balanced at all: some kernels refuse that. */
  isBalancedBy(facts: KernelFacts): boolean;
  /** Takes an empty mask: with every flag, without STATIC and RELATIVE_NODES, or never. */
  readonly isEmptyTaken: 'always' | 'without flags' | 'never';
  /** Which of the usable nodes it keeps. */
  keptOf(nodes: Nodemask): Nodemask;
  /** Its nodes follow those of the cpuset. Source: mpol_rebind_nodemask(). */
  readonly isRemapped: boolean;
  zones(by: PlacedBy, rules: InterleaveRules): Zones;
  /** Its nodes take turns. */
  readonly interleaving: Interleaving | null;
  /** A huge page is looked for on the first node alone, before any other. */
  readonly triesStart: boolean;
  /** There is memory on no other nodes. Source: mm/hugetlb.c, policy_mbind_nodemask(). */
  readonly isExclusive: boolean;
}

/** A mode with all that is known of it. */
export type Mode = PolicyModeRow & ModeOperations;

const anywhere = (start: number, { memsAllowed }: PlacedBy): Zones => {
  return { start, first: memsAllowed, last: memsAllowed };
};

/** What most modes do. */
const ORDINARY: ModeOperations = {
  isKnown: () => true,
  isBalancedBy: () => true,
  isEmptyTaken: 'never',
  keptOf: (nodes) => nodes,
  isRemapped: true,
  zones: (by) => anywhere(by.home, by),
  interleaving: null,
  triesStart: true,
  isExclusive: false,
};

const LOCAL: ModeOperations = { ...ORDINARY, isEmptyTaken: 'without flags' };

function inTurns(interleaving: Interleaving): ModeOperations {
  return {
    ...ORDINARY,
    zones: (by, rules) => anywhere(interleaving.nodeAt(by.nodes, by.index, rules), by),
    interleaving,
    triesStart: false,
  };
}

const OPERATIONS: Readonly<Record<PolicyMode, ModeOperations>> = {
  default: { ...LOCAL, isEmptyTaken: 'always' },
  local: LOCAL,
  bind: {
    ...ORDINARY,
    zones: ({ nodes, home, memsAllowed }) => {
      // A mask that the cpuset no longer meets is no restriction at all.
      const met = nodes & memsAllowed;
      const taken = met === NO_NODES ? memsAllowed : met;
      return { start: home, first: taken, last: taken };
    },
    isExclusive: true,
  },
  preferred: {
    ...ORDINARY,
    isEmptyTaken: 'without flags',
    keptOf: (nodes) => maskOf([firstNode(nodes)]),
    isRemapped: false,
    zones: (by) => anywhere(firstNode(by.nodes), by),
  },
  'preferred-many': {
    ...ORDINARY,
    isBalancedBy: ({ preferredManyTakesBalancing }) => preferredManyTakesBalancing,
    isRemapped: false,
    zones: ({ nodes, home, memsAllowed }) => {
      return { start: home, first: nodes & memsAllowed, last: memsAllowed };
    },
    triesStart: false,
  },
  interleave: inTurns(IN_TURN),
  'weighted-interleave': {
    ...inTurns(BY_WEIGHT),
    isKnown: ({ hasWeightedInterleave }) => hasWeightedInterleave,
  },
};

/** By its number, `MPOL_*`. */
export const MODES: ReadonlyMap<number, Mode> = new Map(
  POLICY_MODE_NAMES.map((name) => {
    const row = { ...POLICY_MODES[name], ...OPERATIONS[name] };
    return [row.uapi, row];
  }),
);

/** What an empty mask means to the modes that take one. */
export const LOCAL_MODE: Mode = MODES.get(MPOL.LOCAL) as Mode;
