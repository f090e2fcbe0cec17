/** What actors of a random interleaving do: calls that go on in steps, and others at once. */

import { MPOL, MPOL_MF } from '../../../lib/core/uapi.ts';
import { MADV } from '../../../lib/simulator/public.ts';
import type { Weighted } from '../../differential/random.ts';
import { addressOf, maskOf } from './ground.ts';
import {
  type Actor,
  type Held,
  HUGE_PAGES,
  type Interleaving,
  PRIVATE_PAGES,
  SHARED_PAGES,
} from './interleaving.ts';

const ACTORS_MAX = 4;
const NODES = [0, 1, 2] as const;

type Action = (run: Interleaving, actor: Actor) => void;

interface Span {
  readonly page: number;
  readonly pageCount: number;
}

function spanIn({ random, hasHugePage }: Interleaving): Span {
  if (hasHugePage && random.chance(0.2)) {
    const page = HUGE_PAGES + random.pick([0, 3]);
    return { page, pageCount: random.between(1, 4) };
  }
  const isShared = random.chance(0.4);
  const [first, count] = isShared ? [PRIVATE_PAGES, SHARED_PAGES] : [0, PRIVATE_PAGES];
  const start = random.between(0, count - 1);
  return { page: first + start, pageCount: random.between(1, count - start) };
}

const touch: Action = (run, { process }) => {
  const { page, pageCount } = spanIn(run);
  const access = run.random.chance(0.7) ? 'write' : 'read';
  run.begin(process.steps.touch({ address: addressOf(page), pageCount }, access));
};

const store: Action = (run, { id, process }) => {
  const { page } = spanIn(run);
  const half = run.random.chance(0.5) ? 'head' : 'tail';
  run.version += 1n;
  const value = run.version;
  run.begin(process.steps.store(run.wordAddress(page, half), value), (result) => {
    if (result.ok) run.contents.write(id, page, half, value);
  });
};

const movePages: Action = (run, { process }) => {
  const { random } = run;
  const { page, pageCount } = spanIn(run);
  const pages = { address: addressOf(page), pageCount };
  const other = random.chance(0.3) ? random.pick(run.actors).process.pid : 0;
  const flags = random.chance(0.4) ? MPOL_MF.MOVE_ALL : MPOL_MF.MOVE;
  run.begin(process.steps.movePages({ pid: other, pages, node: random.pick(NODES), flags }));
};

const mbind: Action = (run, { process }) => {
  const { random } = run;
  const { page, pageCount } = spanIn(run);
  const { STRICT, MOVE, MOVE_ALL } = MPOL_MF;
  const flags = random.pick([MOVE, MOVE | STRICT, MOVE_ALL, MOVE_ALL | STRICT]);
  const mode = random.pick([MPOL.BIND, MPOL.PREFERRED]);
  const nodemask = maskOf(random.pick(NODES));
  const lengthBytes = pageCount * 4096;
  run.begin(process.steps.mbind({ address: addressOf(page), lengthBytes, mode, nodemask, flags }));
};

const migratePages: Action = (run, { process }) => {
  const { random } = run;
  const { pid } = random.pick(run.actors).process;
  const [from, to] = [maskOf(random.pick(NODES)), maskOf(random.pick(NODES))];
  run.begin(process.steps.migratePages({ pid, from, to }));
};

const changeCpuset: Action = (run) =>
  run.begin(run.group.steps.setMems(run.random.pick(['0-2', '0-1', '1-2', '2', '0'])));

const joinCpuset: Action = (run, { process }) => run.begin(run.group.steps.attach(process.pid));

const fork: Action = (run, actor) => {
  if (run.actors.length >= ACTORS_MAX) return;
  const child = run.add(actor.process.fork());
  run.contents.fork(actor.id, child.id);
};

const exit: Action = (run, actor) => {
  if (actor.id === 0) return;
  run.actors.splice(run.actors.indexOf(actor), 1);
  actor.process.exit();
};

function markUnmapped(actor: Actor, { page, pageCount }: Span): void {
  for (const held of actor.held) {
    if (held.page >= page && held.page < page + pageCount) held.isUnmapped = true;
  }
}

/** Private pages go; what is mapped there next is new. */
const remap: Action = (run, actor) => {
  const span = spanIn(run);
  if (span.page >= PRIVATE_PAGES) return;
  const pages = { address: addressOf(span.page), pageCount: span.pageCount };
  actor.process.memory.munmap(pages);
  run.contents.drop(actor.id, span.page, span.page + span.pageCount);
  markUnmapped(actor, span);
  if (run.random.chance(0.8)) actor.process.memory.mmap(pages);
};

/** One page: advice on several drops those in front of a locked one, and fails. */
const dropPage: Action = (run, actor) => {
  const span = { page: spanIn(run).page, pageCount: 1 };
  if (span.page >= HUGE_PAGES) return;
  const pages = { address: addressOf(span.page), pageCount: span.pageCount };
  if (!actor.process.areas.madvise(pages, MADV.DONTNEED).ok) return;
  run.contents.drop(actor.id, span.page, span.page + span.pageCount);
  markUnmapped(actor, span);
};

function nodeOf({ process }: Actor, page: number): number {
  const status = new Int32Array(1);
  const pages = BigUint64Array.of(addressOf(page));
  process.numa.movePages({ pid: 0, count: 1, pages, nodes: null, status, flags: 0 });
  return status[0] as number;
}

const hold: Action = (run, actor) => {
  const { page } = spanIn(run);
  const isPin = run.random.chance(0.6);
  const { references } = actor.process;
  const span = { address: addressOf(page), pageCount: 1 };
  const result = isPin ? references.registerBuffer(span) : references.splice(span);
  if (!result.ok) return;
  const node = nodeOf(actor, page);
  actor.held.push({ descriptor: result.value, page, isPin, node, isUnmapped: false });
};

const letGo: Action = (run, actor) => {
  const held = actor.held.shift();
  if (held === undefined) return;
  expectStayed(run, actor, held);
  actor.process.references.close(held.descriptor);
};

function expectStayed(run: Interleaving, actor: Actor, held: Held): void {
  const { page, isPin, node } = held;
  // Of private pages a write can make a copy while only a pipe has them.
  const mayChange = page < PRIVATE_PAGES ? !isPin || held.isUnmapped : page >= HUGE_PAGES;
  if (mayChange) return;
  const found = nodeOf(actor, page);
  if (found >= 0 && found !== node) {
    run.failures.push(`page ${page} was held on node ${node}, and is on node ${found}`);
  }
}

const load: Action = (run, actor) => run.expectWords(actor, spanIn(run).page);

const lock: Action = (run, { process }) => {
  const { page, pageCount } = spanIn(run);
  process.memory.mlock({ address: addressOf(page), pageCount });
};

/** Faults last until the next one. */
const injectFault: Action = (run, actor) => {
  const { faults } = run.machine;
  const { random } = run;
  const { page } = spanIn(run);
  if (nodeOf(actor, page) < 0) return;
  const span = { address: addressOf(page), pageCount: 1 };
  if (random.chance(0.5)) faults.busy(actor.process, span, random.between(1, 12));
  else faults.writeback(actor.process, span, random.between(1, 3));
};

/** Splitting the huge page makes hundreds of folios move, which takes its time: now and then. */
const fillNode: Action = (run) => {
  if (run.hasHugePage && !run.random.chance(0.02)) return;
  const end = run.machine.faults.nodeFull(run.random.pick(NODES), run.random.between(0, 3));
  // The next action ends it, or the one after.
  if (run.random.chance(0.5)) end();
};

const ACTIONS: readonly Weighted<Action>[] = [
  { weight: 6, value: touch },
  { weight: 8, value: store },
  { weight: 8, value: movePages },
  { weight: 4, value: mbind },
  { weight: 3, value: migratePages },
  { weight: 1, value: changeCpuset },
  { weight: 1, value: joinCpuset },
];

const AT_ONCE: readonly Weighted<Action>[] = [
  { weight: 2, value: fork },
  { weight: 1, value: exit },
  { weight: 2, value: remap },
  { weight: 2, value: dropPage },
  { weight: 3, value: hold },
  { weight: 3, value: letGo },
  { weight: 1, value: load },
  { weight: 1, value: lock },
  { weight: 2, value: injectFault },
  { weight: 0.3, value: fillNode },
];

export function chooseAction(run: Interleaving): void {
  const isStepped = run.canBegin && run.random.chance(0.65);
  const action = run.random.weighted(isStepped ? ACTIONS : AT_ONCE);
  action(run, run.random.pick(run.actors));
}
