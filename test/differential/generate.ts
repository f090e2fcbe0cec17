/**
 * Random programs of some kinds. A seed is another program in each.
 *
 * What would make an outcome depend on more than the program is kept out here: interleaving of
 * shared memory and of objects (its pattern starts at an inode number).
 */

import { MPOL } from '../../lib/core/uapi.ts';
import { mmap, PLAIN_CALLS, touchAll } from './generate-calls.ts';
import { firstGroup, GROUP_CALLS } from './generate-group-calls.ts';
import { makeObjects, mapObject, mmapHuge, OBJECT_CALLS } from './generate-object-calls.ts';
import { MODES } from './generate-policy.ts';
import { type GroupKind, type Program, SLOT_COUNT, type Step } from './program.ts';
import { Random } from './random.ts';
import type { Feature, ProcessState, Scene } from './scene.ts';

/** `plain`: no groups, and no fork while pages are held. `objects`: the same, with objects behind
 *  mappings, and huge pages. The others: groups of that kind. */
export const KINDS = ['plain', 'objects', 'v2', 'v1', 'v1-migrate'] as const;
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
    ((shared.includes(true) || kind === 'objects') &&
      (mode === MPOL.INTERLEAVE || mode === MPOL.WEIGHTED_INTERLEAVE));
  const modes = MODES.filter((mode) => !isForbidden(mode));
  const program = { seed, region: isHigh ? 'high' : 'low', shared } as const;
  const scene: Scene = {
    random,
    without,
    modes,
    processes: [
      {
        id: 0,
        parent: undefined,
        mapped: new Set(),
        huge: new Set(),
        pins: new Set(),
        rings: new Set(),
      },
    ],
    processCount: 1,
    pinCount: 0,
    groupCount: 0,
    objects: kind === 'objects' ? makeObjects(random) : [],
    othersShare: OTHERS_SHARE,
  };
  if (kind === 'plain') return { ...program, steps: generateSteps(scene) };
  if (kind === 'objects') {
    return { ...program, objects: scene.objects, steps: generateSteps(scene) };
  }
  scene.groupCount = random.between(1, GROUPS_MAX);
  scene.othersShare = OTHERS_SHARE_IN_GROUPS;
  return { ...program, groups: groupsOf(scene, kind), steps: generateSteps(scene) };
}

function groupsOf({ groupCount: count }: Scene, kind: GroupKind): NonNullable<Program['groups']> {
  return { kind, count };
}

function generateSteps(scene: Scene): Step[] {
  const { random, processes, groupCount, objects } = scene;
  const [first] = processes as [ProcessState];
  const isPlain = groupCount === 0 && objects.length === 0;
  const calls = isPlain ? PLAIN_CALLS : objects.length === 0 ? GROUP_CALLS : OBJECT_CALLS;
  const steps: Step[] = [];
  const count = random.between(STEPS_MIN, STEPS_MAX);
  const most = objects.length === 0 ? 3 : 1;
  for (let mappings = random.between(1, most); mappings > 0; mappings -= 1) {
    const made = mmap(scene, first);
    steps.push({ process: 0, ...made }, ...touchAll(scene, first, made));
  }
  if (groupCount > 0) steps.push(...firstGroup(scene));
  for (const maker of objects.length === 0 ? [] : [mapObject, mmapHuge]) {
    if (random.chance(0.7)) steps.push({ process: 0, ...maker(scene, first) });
  }
  while (steps.length < count) {
    const caller = random.pick(processes);
    const made = random.weighted(calls)(scene, caller);
    steps.push({ process: caller.id, ...made });
    if (made.call === 'mmap') steps.push(...touchAll(scene, caller, made));
  }
  return steps;
}
