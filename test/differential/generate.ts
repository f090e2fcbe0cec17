/**
 * Random programs of some kinds. A seed is another program in each.
 *
 * What would make an outcome depend on more than the program is kept out here: interleaving of
 * shared memory (its pattern starts at an inode number).
 */

import { MPOL } from '../../lib/core/uapi.ts';
import { mmap, PLAIN_CALLS, touchAll } from './generate-calls.ts';
import { firstGroup, GROUP_CALLS } from './generate-group-calls.ts';
import { MODES } from './generate-policy.ts';
import { type GroupKind, type Program, SLOT_COUNT, type Step } from './program.ts';
import { Random } from './random.ts';
import type { Feature, ProcessState, Scene } from './scene.ts';

/** `plain`: no groups, and no fork while pages are held. The others: groups of that kind. */
export const KINDS = ['plain', 'v2', 'v1', 'v1-migrate'] as const;
export type Kind = (typeof KINDS)[number];

const STEPS_MIN = 5;
const STEPS_MAX = 29;
const GROUPS_MAX = 3;
const OTHERS_SHARE = 0.35;
const OTHERS_SHARE_IN_GROUPS = 0.5;

/** The same program for the same seed, features and kind, on every machine. */
export function generateProgram(
  seed: number,
  without: ReadonlySet<Feature>,
  kind: Kind = 'plain',
): Program {
  const random = new Random(seed);
  const isHigh = random.chance(0.4) && !without.has('high-region');
  const isSharing = random.chance(0.35);
  const shared = Array.from({ length: SLOT_COUNT }, () => isSharing && random.chance(0.5));
  const isForbidden = (mode: number): boolean =>
    (mode === MPOL.WEIGHTED_INTERLEAVE && without.has('weighted-interleave')) ||
    (shared.includes(true) && (mode === MPOL.INTERLEAVE || mode === MPOL.WEIGHTED_INTERLEAVE));
  const modes = MODES.filter((mode) => !isForbidden(mode));
  const program = { seed, region: isHigh ? 'high' : 'low', shared } as const;
  const scene: Scene = {
    random,
    without,
    modes,
    processes: [{ id: 0, parent: undefined, mapped: new Set(), pins: new Set(), rings: new Set() }],
    processCount: 1,
    pinCount: 0,
    groupCount: 0,
    othersShare: OTHERS_SHARE,
  };
  if (kind === 'plain') return { ...program, steps: generateSteps(scene) };
  scene.groupCount = random.between(1, GROUPS_MAX);
  scene.othersShare = OTHERS_SHARE_IN_GROUPS;
  return { ...program, groups: groupsOf(scene, kind), steps: generateSteps(scene) };
}

function groupsOf({ groupCount: count }: Scene, kind: GroupKind): NonNullable<Program['groups']> {
  return { kind, count };
}

function generateSteps(scene: Scene): Step[] {
  const { random, processes, groupCount } = scene;
  const [first] = processes as [ProcessState];
  const calls = groupCount === 0 ? PLAIN_CALLS : GROUP_CALLS;
  const steps: Step[] = [];
  const count = random.between(STEPS_MIN, STEPS_MAX);
  for (let mappings = random.between(1, 3); mappings > 0; mappings -= 1) {
    const made = mmap(scene, first);
    steps.push({ process: 0, ...made }, ...touchAll(scene, first, made));
  }
  if (groupCount > 0) steps.push(...firstGroup(scene));
  while (steps.length < count) {
    const caller = random.pick(processes);
    const made = random.weighted(calls)(scene, caller);
    steps.push({ process: caller.id, ...made });
    if (made.call === 'mmap') steps.push(...touchAll(scene, caller, made));
  }
  return steps;
}
