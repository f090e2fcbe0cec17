/**
 * Calls that only programs with objects have: shared memory, files of tmpfs, huge pages of a pool,
 * transparent huge pages, mappings that move or get another length, populating.
 */

import { MADV } from '../../lib/core/uapi.ts';
import {
  exit,
  fork,
  getMempolicy,
  type Maker,
  mbind,
  migratePages,
  mlock,
  mmap,
  movePages,
  mprotect,
  munlock,
  munmap,
  pin,
  type Span,
  setMempolicy,
  spanIn,
  touch,
  unpin,
} from './generate-calls.ts';
import {
  HUGE_COUNT,
  HUGE_PAGES,
  hugeStart,
  type ObjectSpec,
  SLOT_COUNT,
  SLOT_PAGES,
  SLOT_STRIDE,
} from './program.ts';
import type { Random, Weighted } from './random.ts';
import type { ProcessState, Scene } from './scene.ts';

const OBJECTS_MAX = 3;

export function makeObjects(random: Random): ObjectSpec[] {
  return Array.from({ length: random.between(1, OBJECTS_MAX) }, () => {
    const kind = random.pick(['memfd', 'memfd', 'tmpfs', 'hugetlb'] as const);
    const pages = kind === 'hugetlb' ? HUGE_PAGES * random.between(1, 2) : random.between(2, 12);
    return { kind, pages };
  });
}

/** Mostly one where nothing is. */
function freeSlot(random: Random, count: number, taken: ReadonlySet<number>): number {
  const free = Array.from({ length: count }, (_, slot) => slot).filter((slot) => !taken.has(slot));
  return free.length > 0 && random.chance(0.9) ? random.pick(free) : random.between(0, count - 1);
}

/** Private memory with room for huge pages, mostly whole ones. */
export const mmapHuge: Maker = ({ random }, { huge }) => {
  const slot = freeSlot(random, HUGE_COUNT, huge);
  const count = random.chance(0.6) ? 1 : random.between(1, HUGE_COUNT - slot);
  for (let one = slot; one < slot + count; one += 1) huge.add(one);
  const cut = random.chance(0.15) ? random.between(1, 8) : 0;
  return { call: 'mmap', page: hugeStart(slot), pages: count * HUGE_PAGES - cut };
};

/** Of a pool, whole huge pages of it; of others, some pages of a slot. */
export const mapObject: Maker = (scene, { mapped, huge }) => {
  const { random, objects } = scene;
  const object = random.between(0, objects.length - 1);
  const { kind, pages } = objects[object] as ObjectSpec;
  const isShared = random.chance(0.6);
  if (kind === 'hugetlb') {
    const slot = freeSlot(random, HUGE_COUNT, huge);
    const firstPage = random.chance(0.3) ? pages - HUGE_PAGES : 0;
    const wanted = random.chance(0.3) ? pages - firstPage : HUGE_PAGES;
    const length = Math.min(wanted, (HUGE_COUNT - slot) * HUGE_PAGES);
    for (let one = 0; one < length / HUGE_PAGES; one += 1) huge.add(slot + one);
    return { call: 'mapObject', object, isShared, firstPage, page: hugeStart(slot), pages: length };
  }
  const slot = freeSlot(random, SLOT_COUNT, mapped);
  mapped.add(slot);
  const firstPage = random.chance(0.6) ? 0 : random.between(0, pages - 1);
  // Behind the object's end an access is a fault.
  const length = random.between(1, SLOT_PAGES);
  const page = slot * SLOT_STRIDE + random.between(0, SLOT_PAGES - length);
  return { call: 'mapObject', object, isShared, firstPage, page, pages: length };
};

/** write(2) to an object. A pool's cannot be written. */
const writeObject: Maker = ({ random, objects }) => {
  const object = random.between(0, objects.length - 1);
  const { pages } = objects[object] as ObjectSpec;
  const firstPage = random.between(0, Math.min(pages, SLOT_PAGES) - 1);
  return { call: 'writeObject', object, firstPage, pages: random.between(1, 3) };
};

/** Pages of huge slots, in numbers that lists can have; else as of any program. */
function somewhere(scene: Scene, caller: ProcessState): Span {
  const { random } = scene;
  if (caller.huge.size === 0 || random.chance(0.35)) return spanIn(scene, caller);
  const slot = random.pick([...caller.huge]);
  const start = random.chance(0.5) ? 0 : random.between(1, HUGE_PAGES - 8);
  const few = random.between(1, 8);
  const pages = random.chance(0.5) ? HUGE_PAGES - start : few;
  return { page: hugeStart(slot) + start, pages };
}

/** The same call about other pages. */
function elsewhere(maker: Maker): Maker {
  return (scene, caller) => {
    const made = maker(scene, caller);
    if (!('page' in made && 'pages' in made)) return made;
    return { ...made, ...somewhere(scene, caller) };
  };
}

const mbindElsewhere: Maker = (scene, caller) => {
  const made = mbind(scene, caller);
  const { page, pages } = somewhere(scene, caller);
  if (made.call !== 'mbind' || typeof made.length === 'string') return made;
  return { ...made, page, length: pages * 4096 };
};

/** A few pages of huge ones; each is as good as all. */
const movePagesElsewhere: Maker = (scene, caller) => {
  const made = movePages(scene, caller);
  const { random } = scene;
  if (made.call !== 'movePages' || caller.huge.size === 0 || random.chance(0.3)) return made;
  if (made.ends !== undefined) return made;
  const { page, pages } = somewhere(scene, caller);
  const step = Math.max(1, Math.floor(pages / 4));
  const count = Math.min(made.list.length, Math.ceil(pages / step));
  const list = made.list.slice(0, count).map((_, index) => page + index * step);
  return { ...made, list, nodes: made.nodes?.slice(0, count) ?? null };
};

const getMempolicyElsewhere: Maker = (scene, caller) => {
  const made = getMempolicy(scene, caller);
  if (made.call !== 'getMempolicy' || made.page < 0) return made;
  return { ...made, page: somewhere(scene, caller).page };
};

const pinFew: Maker = (scene, caller) => {
  const made = pin(scene, caller);
  if (made.call !== 'pin') return made;
  const { page, pages } = somewhere(scene, caller);
  return { ...made, page, pages: Math.min(pages, SLOT_PAGES) };
};

const madvise: Maker = (scene, caller) => {
  const advice = scene.random.weighted([
    { weight: 6, value: MADV.HUGEPAGE },
    { weight: 2, value: MADV.NOHUGEPAGE },
    { weight: 4, value: MADV.POPULATE_WRITE },
    { weight: 2, value: MADV.POPULATE_READ },
    { weight: 3, value: MADV.DONTNEED },
    { weight: 1, value: MADV.DONTFORK },
    { weight: 2, value: MADV.REMOVE },
  ]);
  return { call: 'madvise', advice, ...somewhere(scene, caller) };
};

/** To where something may be, which goes then. */
const mremap: Maker = (scene, caller) => {
  const { page, pages } = somewhere(scene, caller);
  const { random } = scene;
  const isHuge = pages > SLOT_STRIDE || random.chance(0.15);
  const slot = random.between(0, (isHuge ? HUGE_COUNT : SLOT_COUNT) - 1);
  if (isHuge) {
    caller.huge.add(slot);
    const shift = random.chance(0.2) ? random.between(1, 4) : page % HUGE_PAGES;
    const length = Math.min(pages, (HUGE_COUNT - slot) * HUGE_PAGES - shift);
    return { call: 'mremap', page, pages: Math.max(1, length), toPage: hugeStart(slot) + shift };
  }
  caller.mapped.add(slot);
  return { call: 'mremap', page, pages, toPage: slot * SLOT_STRIDE + (page % 3) };
};

/** Longer ones that have no room go to where the system likes, out of the program's sight. */
const resize: Maker = (scene, caller) => {
  const { page, pages } = somewhere(scene, caller);
  const { random } = scene;
  const isLonger = random.chance(0.5);
  const newPages = isLonger ? pages + random.between(1, 6) : Math.max(1, pages >> 1);
  return { call: 'resize', page, pages, newPages };
};

export const OBJECT_CALLS: readonly Weighted<Maker>[] = [
  { weight: 20, value: elsewhere(touch) },
  { weight: 7, value: setMempolicy },
  { weight: 15, value: mbindElsewhere },
  { weight: 15, value: movePagesElsewhere },
  { weight: 5, value: migratePages },
  { weight: 5, value: getMempolicyElsewhere },
  { weight: 4, value: mmap },
  { weight: 6, value: mmapHuge },
  { weight: 9, value: mapObject },
  { weight: 3, value: writeObject },
  { weight: 4, value: elsewhere(munmap) },
  { weight: 4, value: elsewhere(mprotect) },
  { weight: 4, value: fork },
  { weight: 1, value: exit },
  { weight: 2, value: pinFew },
  { weight: 1, value: unpin },
  { weight: 3, value: elsewhere(mlock) },
  { weight: 2, value: elsewhere(munlock) },
  { weight: 13, value: madvise },
  { weight: 6, value: mremap },
  { weight: 5, value: resize },
];
