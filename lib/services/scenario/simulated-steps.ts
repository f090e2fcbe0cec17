/**
 * The steps of processes, as a simulated machine does them: one function for each.
 */

import type { PageSpan } from '../../backend/backend.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import { nodemaskPair } from '../../core/nodemask-words.ts';
import { MADV, MPOL_MF, STATUS_UNSET } from '../../core/uapi.ts';
import type { SteppedCall } from '../../simulator/interface/stepped-calls.ts';
import type { Actor, Cast } from './cast.ts';
import { pageCountOf } from './check-names.ts';
import { answerOf, type StepResult, statusesOf } from './outcome.ts';
import { nodeWords, policyCall } from './policy-arguments.ts';
import type {
  ForkStep,
  MapStep,
  MigratePagesStep,
  MovePagesStep,
  PinStep,
  ProcessStep,
  SetAffinityStep,
  SetPolicyStep,
  Step,
  StepWord,
  ThreadStep,
  UnmapStep,
} from './scenario.ts';

/** What the steps work with. */
export interface Scene {
  readonly cast: Cast;
  /** Makes a call that may move pages: at once, or step by step where others act meanwhile. */
  move<T>(stepped: () => SteppedCall<T>, atOnce: () => SyscallResult<T>): SyscallResult<T>;
}

/** How some of the steps are done. */
export type Performers<W extends StepWord> = {
  readonly [K in W]: (scene: Scene, step: Extract<Step, { readonly do: K }>) => StepResult;
};

const DONE: SyscallResult<undefined> = { ok: true, value: undefined };

export const PROCESS_PERFORMERS: Performers<
  'process' | 'thread' | 'fork' | 'exit' | 'setAffinity'
> = {
  process: beginProcess,
  thread: beginThread,
  fork,
  exit: ({ cast }, { by }) => {
    cast.actor(by).process.exit();
    return { answer: 0 };
  },
  setAffinity: ({ cast }, step) => runOn(cast, cast.actor(step.by), step),
};

export const MEMORY_PERFORMERS: Performers<
  'map' | 'unmap' | 'touch' | 'keepTouching' | 'store' | 'madvise'
> = {
  map,
  unmap,
  touch: ({ cast }, step) => {
    const { memory } = cast.actor(step.by).thread;
    return { answer: answerOf(memory.touch(cast.span(step), step.access ?? 'write')) };
  },
  keepTouching: ({ cast }, step) => {
    const { memory } = cast.actor(step.by).thread;
    const { access = 'write', milliseconds } = step;
    return { answer: answerOf(memory.keepTouching(cast.span(step), access, milliseconds)) };
  },
  store: ({ cast }, step) => {
    const { address } = cast.span(step);
    return {
      answer: answerOf(cast.actor(step.by).thread.memory.store(address, BigInt(step.value))),
    };
  },
  madvise: ({ cast }, step) => {
    const { areas } = cast.actor(step.by).thread;
    const advice = MADV[step.advice as keyof typeof MADV];
    return { answer: answerOf(areas.madvise(cast.span(step), advice)) };
  },
};

export const PLACEMENT_PERFORMERS: Performers<
  'setPolicy' | 'movePages' | 'migratePages' | 'pin' | 'unpin'
> = {
  setPolicy,
  movePages,
  migratePages,
  pin,
  unpin: ({ cast }, step) => ({ answer: answerOf(cast.pins.get(step.pin)?.() ?? DONE) }),
};

function beginProcess({ cast }: Scene, step: ProcessStep): StepResult {
  const { name, uid, capabilities } = step;
  const process = cast.machine.process({
    ...(uid === undefined ? {} : { uid }),
    ...(capabilities === undefined ? {} : { capabilities }),
  });
  process.name = name;
  cast.addProcess(name, process);
  const started = runOn(cast, cast.actor(name), step);
  return { ...started, details: `pid ${process.pid}, ${started.details}` };
}

function beginThread({ cast }: Scene, step: ThreadStep): StepResult {
  const maker = cast.actor(step.by);
  const thread = maker.thread.thread();
  cast.addThread(step.name, maker, thread);
  const started = runOn(cast, cast.actor(step.name), step);
  return { ...started, details: `tid ${thread.tid}, ${started.details}` };
}

function fork({ cast }: Scene, { name, by }: ForkStep): StepResult {
  const parent = cast.actor(by);
  const child = parent.thread.fork();
  child.name = name;
  cast.addProcess(name, child, parent.processName);
  return { answer: 0, details: `pid ${child.pid}` };
}

function runOn(
  cast: Cast,
  { thread }: Actor,
  place: ProcessStep | ThreadStep | SetAffinityStep,
): StepResult {
  const cpu = cast.cpuOf(place);
  const result = cpu === undefined ? DONE : thread.backend.schedSetaffinity([cpu]);
  const node = cast.machine.description.nodes.find(({ cpus }) => cpus.includes(thread.cpu));
  return { answer: answerOf(result), details: `on CPU ${thread.cpu} of node ${node?.id}` };
}

function map({ cast }: Scene, step: MapStep): StepResult {
  const actor = cast.actor(step.by);
  const { memory, objects } = actor.thread;
  const pageCount = pageCountOf(step, cast.machine.pageSizeBytes);
  const request = {
    pageCount,
    ...(step.address === undefined ? {} : { address: BigInt(step.address) }),
    ...(step.shared === undefined ? {} : { isShared: step.shared }),
  };
  let result: SyscallResult<bigint>;
  if (step.file === undefined) result = memory.mmap(request);
  else {
    const object = objects.create(step.file, pageCount, step.name);
    result = object.ok ? objects.map(object.value, request) : object;
  }
  if (!result.ok) return { answer: answerOf(result) };
  cast.addMapping(step.name, actor, { address: result.value, pageCount });
  return { answer: 0, details: `at 0x${result.value.toString(16)}` };
}

function unmap({ cast }: Scene, step: UnmapStep): StepResult {
  const actor = cast.actor(step.by);
  const span = cast.span(step);
  const result = actor.thread.memory.munmap(span);
  const isWhole = span.pageCount === cast.mapping(step.mapping).pageCount;
  if (result.ok && isWhole) cast.dropMapping(step.mapping, actor);
  return { answer: answerOf(result) };
}

function setPolicy(scene: Scene, step: SetPolicyStep): StepResult {
  const { cast } = scene;
  const { thread } = cast.actor(step.by);
  const { homeNode, flags, ...policy } = policyCall(step);
  if (step.mapping === undefined) {
    return { answer: answerOf(thread.backend.setMempolicy(policy)) };
  }
  const { address, pageCount } = cast.span(step);
  const range = { address, lengthBytes: pageCount * cast.machine.pageSizeBytes };
  const request = { ...range, ...policy, flags };
  const result = scene.move(
    () => thread.steps.mbind(request),
    () => thread.backend.mbind(request),
  );
  if (!result.ok || homeNode === undefined) return { answer: answerOf(result) };
  const home = thread.backend.setMempolicyHomeNode({ ...range, node: homeNode, flags: 0 });
  return { answer: answerOf(home) };
}

function movePages(scene: Scene, step: MovePagesStep): StepResult {
  const { cast } = scene;
  const { thread } = cast.actor(step.by);
  const pages: PageSpan = cast.span(step);
  const status = new Int32Array(pages.pageCount).fill(STATUS_UNSET);
  const pid = step.of === undefined ? 0 : cast.actor(step.of).process.pid;
  const request = { pid, pages, flags: step.all ? MPOL_MF.MOVE_ALL : MPOL_MF.MOVE, status };
  const { to } = step;
  const atOnce = (nodes: number | null): SyscallResult<number> =>
    thread.backend.movePagesSync({ ...request, nodes });
  const result =
    to === undefined
      ? atOnce(null)
      : scene.move(
          () => thread.steps.movePages({ ...request, node: to }),
          () => atOnce(to),
        );
  return { answer: answerOf(result), statuses: statusesOf(status) };
}

function migratePages(scene: Scene, step: MigratePagesStep): StepResult {
  const { cast } = scene;
  const { thread } = cast.actor(step.by);
  const pid = step.of === undefined ? 0 : cast.actor(step.of).process.pid;
  const { maxnode, from, to } = nodemaskPair(nodeWords(step.from), nodeWords(step.to));
  const mask = (words: BigUint64Array | null) => (words === null ? null : { words, maxnode });
  const request = { pid, from: mask(from), to: mask(to) };
  const result = scene.move(
    () => thread.steps.migratePages(request),
    () => thread.numa.migratePages(request),
  );
  return { answer: answerOf(result) };
}

function pin({ cast }: Scene, step: PinStep): StepResult {
  const { thread } = cast.actor(step.by);
  const span = cast.span(step);
  if (step.how === 'pipe') {
    const pipe = thread.references.splice(span);
    if (pipe.ok) cast.keepPin(step.name, () => thread.references.close(pipe.value));
    return { answer: pipe.ok ? 0 : answerOf(pipe) };
  }
  const release = thread.pin(span);
  cast.keepPin(step.name, () => {
    release();
    return DONE;
  });
  return { answer: 0 };
}
