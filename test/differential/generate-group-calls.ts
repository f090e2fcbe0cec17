/**
 * Random calls of programs with groups: processes enter and leave them, their nodes change, and
 * pages are held by pipes and by rings, which children inherit.
 */

import {
  dropCapability,
  exit as exitAnyhow,
  forkChild,
  getMempolicy,
  type Maker,
  madvise,
  mbind,
  migratePages,
  mlock,
  mmap,
  mmapBeside,
  movePages,
  mprotect,
  munlock,
  munmap,
  PROCESSES_MAX,
  pin,
  runOnCpu,
  setMempolicy,
  setuid,
  spanIn,
  touch,
  unpin,
} from './generate-calls.ts';
import type { Call, Step } from './program.ts';
import type { Random, Weighted } from './random.ts';
import type { ProcessState, Scene } from './scene.ts';

const NODES = [0, 1, 2, 3];
/** What cpuset.mems does not take, or takes in its own way. */
const ODD_LISTS = ['9', '0-9', '5000', 'x', '1-', '0-N', '1,,2', '0-3:1/2'];

function nodeList(random: Random): string {
  if (random.chance(0.05)) return random.pick(ODD_LISTS);
  if (random.chance(0.05)) return '';
  return random.some(NODES).join(',');
}

const setMems: Maker = ({ random, groupCount }) => ({
  call: 'setMems',
  group: random.between(0, groupCount - 1),
  nodes: nodeList(random),
});

const joinGroup: Maker = ({ random, processes, groupCount }) => ({
  call: 'joinGroup',
  group: random.chance(0.2) ? 'root' : random.between(0, groupCount - 1),
  target: random.pick(processes).id,
});

/** Unlike in a program without groups, whatever the parent holds. */
const fork: Maker = (scene, caller) =>
  scene.processCount >= PROCESSES_MAX ? touch(scene, caller) : forkChild(scene, caller);

const register: Maker = (scene, caller) => {
  const label = scene.pinCount++;
  caller.rings.add(label);
  return { call: 'register', pin: label, ...spanIn(scene, caller) };
};

/** The ring gives its pages up, whoever else has it. */
const unregister: Maker = (scene, caller) => {
  const [label] = caller.rings;
  if (label === undefined) return register(scene, caller);
  for (const { rings } of scene.processes) rings.delete(label);
  return { call: 'unregister', pin: label };
};

/** The last process of a ring gives its pages up first: the kernel would do it some time later. */
const exit: Maker = (scene, caller) => {
  if (scene.processes.some(({ parent }) => parent === caller.id)) return touch(scene, caller);
  return caller.rings.size > 0 ? unregister(scene, caller) : exitAnyhow(scene, caller);
};

export const GROUP_CALLS: readonly Weighted<Maker>[] = [
  { weight: 16, value: touch },
  { weight: 9, value: setMempolicy },
  { weight: 13, value: mbind },
  { weight: 13, value: movePages },
  { weight: 7, value: migratePages },
  { weight: 8, value: getMempolicy },
  { weight: 9, value: setMems },
  { weight: 8, value: joinGroup },
  { weight: 7, value: fork },
  { weight: 3, value: exit },
  { weight: 3, value: pin },
  { weight: 4, value: unpin },
  { weight: 3, value: register },
  { weight: 4, value: unregister },
  { weight: 5, value: madvise },
  { weight: 3, value: mmap },
  { weight: 3, value: mmapBeside },
  { weight: 4, value: munmap },
  { weight: 4, value: mprotect },
  { weight: 2, value: mlock },
  { weight: 2, value: munlock },
  { weight: 0.7, value: dropCapability },
  { weight: 0.7, value: runOnCpu },
  { weight: 1, value: setuid },
];

/** Mostly the first process is in a group, and has a child there, before anything else happens. */
export function firstGroup(scene: Scene): Step[] {
  const { random, processes } = scene;
  const calls: Call[] = [];
  if (random.chance(0.7)) {
    calls.push({ call: 'setMems', group: 0, nodes: nodeList(random) });
    calls.push({ call: 'joinGroup', group: 0, target: 0 });
  }
  if (random.chance(0.5)) calls.push(forkChild(scene, processes[0] as ProcessState));
  return calls.map((call) => ({ process: 0, ...call }));
}
