/** Random single calls: most make sense; some break one rule or another. */

import { MADV, MPOL, MPOL_F, MPOL_MF } from '../../lib/core/uapi.ts';
import { generateMask, generateMode } from './generate-policy.ts';
import {
  type Call,
  NULL_PAGE,
  PAGE_SIZE_BYTES,
  SLOT_COUNT,
  SLOT_PAGES,
  SLOT_STRIDE,
  type Step,
  type Target,
} from './program.ts';
import type { Random, Weighted } from './random.ts';
import type { ProcessState, Scene } from './scene.ts';

export const PROCESSES_MAX = 4;

export type Maker = (scene: Scene, caller: ProcessState) => Call;

export interface Span {
  page: number;
  pages: number;
}

/** Pages inside one slot, mostly a mapped one. */
export function spanIn({ random }: Scene, { mapped }: ProcessState): Span {
  const isMapped = mapped.size > 0 && random.chance(0.94);
  const slot = isMapped ? random.pick([...mapped]) : random.between(0, SLOT_COUNT - 1);
  const start = random.chance(0.45) ? 0 : random.between(0, SLOT_PAGES - 1);
  const isWhole = random.chance(0.45);
  const pages = isWhole ? SLOT_PAGES - start : random.between(1, SLOT_PAGES - start);
  return { page: slot * SLOT_STRIDE + start, pages };
}

/** As spanIn, and now and then beyond the slot's end. */
export function spanAcross(scene: Scene, caller: ProcessState): Span {
  const span = spanIn(scene, caller);
  if (scene.random.chance(0.07)) span.pages += scene.random.between(1, SLOT_STRIDE);
  return span;
}

export function mmap({ random }: Scene, { mapped }: ProcessState): Call & Span & { call: 'mmap' } {
  const free = Array.from({ length: SLOT_COUNT }, (_, slot) => slot).filter(
    (slot) => !mapped.has(slot),
  );
  const slot = free.length > 0 && random.chance(0.9) ? random.pick(free) : random.between(0, 3);
  mapped.add(slot);
  const isWhole = random.chance(0.7);
  const start = isWhole ? 0 : random.between(0, SLOT_PAGES - 1);
  // With the page behind the slot a mapping meets that of the next.
  const isJoining = random.chance(0.3);
  const room = (isJoining ? SLOT_STRIDE : SLOT_PAGES) - start;
  const pages = isWhole || isJoining ? room : random.between(1, room);
  return { call: 'mmap', page: slot * SLOT_STRIDE + start, pages };
}

/** Memory where some may be already: beside mappings that there are, or in a gap of one. */
export const mmapBeside: Maker = (scene, caller) => {
  const { page } = spanIn(scene, caller);
  const room = SLOT_STRIDE - (page % SLOT_STRIDE);
  return { call: 'mmap', page, pages: Math.min(room, scene.random.between(1, 4)) };
};

/** Mostly a mapping is filled at once: calls have little to say about pages that are not there. */
export function touchAll({ random }: Scene, { id }: ProcessState, { page, pages }: Span): Step[] {
  if (random.chance(0.3)) return [];
  return [{ process: id, call: 'touch', page, pages, access: 'write' }];
}

export const touch: Maker = (scene, caller) => ({
  call: 'touch',
  ...spanIn(scene, caller),
  access: scene.random.chance(0.8) ? 'write' : 'read',
});

export const mprotect: Maker = (scene, caller) => {
  const accesses = ['read', 'write', 'write'] as const;
  const isNone = !scene.without.has('prot-none') && scene.random.chance(0.3);
  const access = isNone ? 'none' : scene.random.pick(accesses);
  return { call: 'mprotect', ...spanIn(scene, caller), access };
};

export const setMempolicy: Maker = (scene) => {
  const mode = generateMode(scene);
  return { call: 'setMempolicy', mode, mask: generateMask(scene.random, mode) };
};

export const getMempolicy: Maker = (scene, caller) => {
  const { random } = scene;
  const flags = random.weighted([
    { weight: 5, value: 0 },
    { weight: 6, value: MPOL_F.ADDR },
    { weight: 3, value: MPOL_F.ADDR | MPOL_F.NODE },
    { weight: 2, value: MPOL_F.NODE },
    { weight: 1, value: MPOL_F.MEMS_ALLOWED },
    { weight: 1, value: random.between(0, 15) },
  ]);
  const takesPage = (flags & MPOL_F.ADDR) !== 0;
  const page = takesPage !== random.chance(0.06) ? spanAcross(scene, caller).page : NULL_PAGE;
  const maxnode = random.weighted([
    { weight: 12, value: 1025 },
    { weight: 4, value: 65 },
    { weight: 4, value: random.pick([0, 1, 3, 4, 5, 64, 66, 129, 130, 1024, 32769, 32770]) },
  ]);
  return { call: 'getMempolicy', flags, page, maxnode, hasMask: random.chance(0.92) };
};

export const mbind: Maker = (scene, caller) => {
  const { random } = scene;
  const { page, pages } = spanAcross(scene, caller);
  const mode = generateMode(scene);
  const { STRICT, MOVE, MOVE_ALL } = MPOL_MF;
  const flags = random.weighted([
    { weight: 8, value: 0 },
    { weight: 5, value: MOVE },
    { weight: 4, value: MOVE | STRICT },
    { weight: 4, value: STRICT },
    { weight: 3, value: MOVE_ALL },
    { weight: 2, value: MOVE_ALL | STRICT },
    { weight: 1, value: random.between(0, 15) },
    { weight: 0.3, value: 1 << random.between(4, 30) },
  ]);
  const length = random.weighted<number | string>([
    { weight: 30, value: pages * PAGE_SIZE_BYTES },
    { weight: 2, value: pages * PAGE_SIZE_BYTES - random.between(1, PAGE_SIZE_BYTES - 1) },
    { weight: 1, value: 0 },
    { weight: 0.5, value: '0xffffffffffffffff' },
    { weight: 0.5, value: '0xfffffffffffff000' },
  ]);
  const byte = random.chance(0.04) ? random.between(1, PAGE_SIZE_BYTES - 1) : 0;
  const mask = generateMask(random, mode);
  return { call: 'mbind', page, byte, length, mode, mask, flags };
};

function targetOf({ random, processes, othersShare }: Scene, caller: ProcessState): Target {
  const others = processes.filter((process) => process !== caller);
  if (others.length > 0 && random.chance(othersShare)) return random.pick(others).id;
  if (random.chance(0.03)) return 'nobody';
  return random.chance(0.1) ? caller.id : 'self';
}

function pageList(scene: Scene, caller: ProcessState): number[] {
  const { random } = scene;
  const { page, pages } = spanAcross(scene, caller);
  const list = Array.from({ length: pages }, (_, index) => page + index);
  if (random.chance(0.25)) list.push(...pageList(scene, caller));
  if (random.chance(0.1)) list.push(random.pick(list));
  if (random.chance(0.04)) list.splice(random.between(0, list.length), 0, NULL_PAGE);
  if (random.chance(0.1)) list.reverse();
  return list;
}

function targetNodes(random: Random, count: number): number[] {
  if (random.chance(0.5)) return Array.from({ length: count }, () => random.between(0, 3));
  const node = random.between(0, 3);
  const nodes: number[] = Array.from({ length: count }, () => node);
  if (random.chance(0.4)) nodes.fill(random.between(0, 3), random.between(0, count - 1));
  if (random.chance(0.12)) {
    nodes[random.between(0, count - 1)] = random.pick([-1, 4, 9, 63, 64, 1023, 1024, 70_000]);
  }
  return nodes;
}

export const movePages: Maker = (scene, caller) => {
  const { random } = scene;
  const list = random.chance(0.02) ? [] : pageList(scene, caller);
  const nodes = random.chance(0.25) || list.length === 0 ? null : targetNodes(random, list.length);
  const flags = random.weighted([
    { weight: 12, value: MPOL_MF.MOVE },
    { weight: 4, value: MPOL_MF.MOVE_ALL },
    { weight: 2, value: 0 },
    { weight: 1, value: random.between(0, 15) },
  ]);
  const call = { call: 'movePages', list, nodes, flags } as const;
  if (list.length === 0 || random.chance(0.92)) {
    return { ...call, target: targetOf(scene, caller) };
  }
  return { ...call, target: 'self', ends: generateEnds(random, list.length, nodes !== null) };
};

/** One array, or two, that memory ends with before the list does. */
function generateEnds(random: Random, count: number, hasNodes: boolean): Ends {
  const arrays = random.some(['pages', 'status', ...(hasNodes ? ['nodes'] : [])] as const);
  return Object.fromEntries(arrays.map((name) => [name, random.between(0, count - 1)]));
}

type Ends = NonNullable<Extract<Call, { call: 'movePages' }>['ends']>;

export const migratePages: Maker = (scene, caller) => ({
  call: 'migratePages',
  target: targetOf(scene, caller),
  from: generateMask(scene.random, MPOL.BIND),
  to: generateMask(scene.random, MPOL.BIND),
});

/** The child has its parent's mappings and descriptors. */
export function forkChild(scene: Scene, { id: parent, ...caller }: ProcessState): Call {
  const id = scene.processCount++;
  const [mapped, huge, pins, rings] = [
    new Set(caller.mapped),
    new Set(caller.huge),
    new Set(caller.pins),
    new Set(caller.rings),
  ];
  scene.processes.push({ id, parent, mapped, huge, pins, rings });
  return { call: 'fork', child: id };
}

export const fork: Maker = (scene, caller) => {
  if (caller.pins.size > 0 || scene.processCount >= PROCESSES_MAX) return touch(scene, caller);
  return forkChild(scene, caller);
};

export const exit: Maker = (scene, caller) => {
  if (caller.id === 0) return touch(scene, caller);
  scene.processes.splice(scene.processes.indexOf(caller), 1);
  return { call: 'exit' };
};

export const pin: Maker = (scene, caller) => {
  const label = scene.pinCount++;
  caller.pins.add(label);
  return { call: 'pin', pin: label, ...spanIn(scene, caller) };
};

export const unpin: Maker = (scene, caller) => {
  const [label] = caller.pins;
  if (label === undefined) return pin(scene, caller);
  caller.pins.delete(label);
  return { call: 'unpin', pin: label };
};

export const munmap: Maker = (scene, caller) => ({ call: 'munmap', ...spanAcross(scene, caller) });

export const mlock: Maker = (scene, caller) => ({ call: 'mlock', ...spanIn(scene, caller) });

export const munlock: Maker = (scene, caller) => ({ call: 'munlock', ...spanIn(scene, caller) });

export const madvise: Maker = (scene, caller) => {
  const advice = scene.random.weighted([
    { weight: 5, value: MADV.DONTNEED },
    { weight: 4, value: MADV.DONTFORK },
    { weight: 2, value: MADV.DOFORK },
    { weight: 4, value: MADV.REMOVE },
    { weight: 3, value: MADV.WIPEONFORK },
    { weight: 1, value: MADV.KEEPONFORK },
  ]);
  return { call: 'madvise', advice, ...spanIn(scene, caller) };
};

export const dropCapability: Maker = ({ random }) => ({
  call: 'dropCapability',
  capability: random.pick(['CAP_SYS_NICE', 'CAP_SYS_NICE', 'CAP_SYS_PTRACE', 'CAP_SETUID']),
});

export const runOnCpu: Maker = ({ random }) => ({
  call: 'runOnCpu',
  cpu: random.pick([0, 0, 1, 1, 4095]),
});

export const setuid: Maker = ({ random }) => ({
  call: 'setuid',
  uid: random.pick([0, 1000, 1001]),
});

/** The calls of a program without groups. */
export const PLAIN_CALLS: readonly Weighted<Maker>[] = [
  { weight: 18, value: touch },
  { weight: 12, value: setMempolicy },
  { weight: 20, value: mbind },
  { weight: 18, value: movePages },
  { weight: 5, value: migratePages },
  { weight: 9, value: getMempolicy },
  { weight: 4, value: mmap },
  { weight: 6, value: mmapBeside },
  { weight: 6, value: munmap },
  { weight: 8, value: mprotect },
  { weight: 6, value: fork },
  { weight: 1, value: exit },
  { weight: 3, value: pin },
  { weight: 1.5, value: unpin },
  { weight: 4, value: mlock },
  { weight: 4, value: munlock },
  { weight: 6, value: madvise },
  { weight: 0.7, value: runOnCpu },
  { weight: 0.7, value: setuid },
  { weight: 0.7, value: dropCapability },
];
