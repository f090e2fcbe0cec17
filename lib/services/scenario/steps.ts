/**
 * The steps that the processes of any machine can do: one function for each, over what the cast
 * tells of a thread.
 */

import type { MbindRequest, MigratePagesRequest, MovePagesRequest } from '../../backend/backend.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import { NumaError } from '../../core/errors.ts';
import { modeWord } from '../../core/memory-policy.ts';
import { NodeMask } from '../../core/node-mask.ts';
import { nodemaskPair, nodemaskWords } from '../../core/nodemask-words.ts';
import { parsePolicy } from '../../core/policy-text.ts';
import { MPOL_MF, STATUS_UNSET } from '../../core/uapi.ts';
import type { MmapRequest } from '../../machine/memory.ts';
import type { Actor, Cast, CastProcess } from './cast.ts';
import { pageCountOf } from './check-names.ts';
import { answerOf, type StepResult, statusesOf } from './outcome.ts';
import type {
  MapStep,
  ProcessStep,
  SetAffinityStep,
  Step,
  StepWord,
  ThreadStep,
} from './scenario.ts';

type StepOf<W extends StepWord> = Extract<Step, { readonly do: W }>;

/** A move of pages in a row, to one node, or nowhere. */
export interface MoveOfStep extends MovePagesRequest {
  readonly pages: Exclude<MovePagesRequest['pages'], BigUint64Array>;
  readonly nodes: number | null;
}

/** Calls that may move pages. */
export interface MovingCalls {
  mbind(request: MbindRequest): SyscallResult<undefined>;
  movePages(request: MoveOfStep): SyscallResult<number>;
  /** A simulated machine answers at once. */
  migratePages(
    request: MigratePagesRequest,
  ): SyscallResult<number> | Promise<SyscallResult<number>>;
}

/** What the steps work with. */
export interface Scene<Process extends CastProcess = CastProcess> {
  readonly cast: Cast<Process>;
  moving(actor: Actor<Process>): MovingCalls;
  /** Where a thread runs that was sent to a CPU, or was not. */
  placeText(actor: Actor<Process>, cpu: number | undefined): string;
}

/** How some of the steps are done. */
export type Performers<W extends StepWord, S extends Scene> = {
  readonly [K in W]: (scene: S, step: StepOf<K>) => StepResult | Promise<StepResult>;
};

const MOVE_FLAGS = { own: MPOL_MF.MOVE, all: MPOL_MF.MOVE_ALL } as const;

export const COMMON_STEPS: Performers<
  | ('setAffinity' | 'map' | 'unmap' | 'touch' | 'store')
  | ('setPolicy' | 'movePages' | 'migratePages'),
  Scene
> = {
  setAffinity: (scene, step) => runOn(scene, scene.cast.actor(step.by), step),
  map: (scene, step) => {
    const { memory } = scene.cast.actor(step.by).thread;
    return mapped(scene, step, (request) => memory.mmap(request));
  },
  unmap: ({ cast }, step) => {
    const actor = cast.actor(step.by);
    const span = cast.span(step);
    const result = actor.thread.memory.munmap(span);
    const isWhole = span.pageCount === cast.mapping(step.mapping).pageCount;
    if (result.ok && isWhole) cast.dropMapping(step.mapping, actor);
    return { answer: answerOf(result) };
  },
  touch: ({ cast }, step) => {
    const { memory } = cast.actor(step.by).thread;
    return { answer: answerOf(memory.touch(cast.span(step), step.access ?? 'write')) };
  },
  store: ({ cast }, step) => {
    const { memory } = cast.actor(step.by).thread;
    return { answer: answerOf(memory.store(cast.span(step).address, BigInt(step.value))) };
  },
  setPolicy,
  movePages,
  migratePages,
};

/**
 * Does a step. What is thrown where a call has an errno is an answer; other errors name the step.
 * @param where how errors name it
 */
export function performStep<S extends Scene>(
  performers: Partial<Performers<StepWord, S>>,
  scene: S,
  step: Step,
  where: string,
): StepResult | Promise<StepResult> {
  try {
    const perform = performers[step.do] as (scene: S, step: Step) => StepResult;
    return perform(scene, step);
  } catch (error) {
    if (error instanceof NumaError) {
      if (error.errnoName !== undefined) return { answer: error.errnoName };
      throw error.with({ asked: where });
    }
    const { message, code } = error as Error & { readonly code?: string };
    if (code?.startsWith('ERR_') !== true) throw error;
    const type = error instanceof RangeError ? RangeError : TypeError;
    const named = new type(`${where}: ${message}`, { cause: error });
    throw Object.assign(named, { ...(error as object) });
  }
}

export function runOn<Process extends CastProcess>(
  scene: Scene<Process>,
  actor: Actor<Process>,
  place: ProcessStep | ThreadStep | SetAffinityStep,
): StepResult {
  const cpu = scene.cast.cpuOf(place);
  const { backend } = actor.thread;
  const answer = cpu === undefined ? 0 : answerOf(backend.schedSetaffinity([cpu]));
  return { answer, details: scene.placeText(actor, cpu) };
}

/** New memory as the step has it, under its name. */
export function mapped<Process extends CastProcess>(
  { cast }: Scene<Process>,
  step: MapStep,
  map: (request: MmapRequest) => SyscallResult<bigint>,
): StepResult {
  const pageCount = pageCountOf(step, cast.pageSizeBytes);
  const result = map({
    pageCount,
    ...(step.address === undefined ? {} : { address: BigInt(step.address) }),
    ...(step.shared === undefined ? {} : { isShared: step.shared }),
  });
  if (!result.ok) return { answer: answerOf(result) };
  cast.addMapping(step.name, cast.actor(step.by), { address: result.value, pageCount });
  return { answer: 0, details: `at 0x${result.value.toString(16)}` };
}

/** Nodes are passed as they stand: which of them a machine has and allows is the kernel's to
 *  say. */
function setPolicy(scene: Scene, step: StepOf<'setPolicy'>): StepResult {
  const { cast } = scene;
  const actor = cast.actor(step.by);
  const { backend } = actor.thread;
  const policy = parsePolicy(step.policy, 'policy');
  const nodes = maskOf(policy.nodes);
  const stored = {
    mode: modeWord(policy),
    nodemask: nodes.isEmpty ? null : nodemaskWords(nodes),
  };
  if (step.mapping === undefined) return { answer: answerOf(backend.setMempolicy(stored)) };
  const { address, pageCount } = cast.span(step);
  const range = { address, lengthBytes: pageCount * cast.pageSizeBytes };
  const move = step.move === undefined ? 0 : MOVE_FLAGS[step.move];
  const flags = move | (step.strict ? MPOL_MF.STRICT : 0);
  const result = scene.moving(actor).mbind({ ...range, ...stored, flags });
  const node = policy.homeNode === undefined ? undefined : maskOf(policy.homeNode).first;
  if (!result.ok || node === undefined) return { answer: answerOf(result) };
  return { answer: answerOf(backend.setMempolicyHomeNode({ ...range, node, flags: 0 })) };
}

function movePages(scene: Scene, step: StepOf<'movePages'>): StepResult {
  const { cast } = scene;
  const actor = cast.actor(step.by);
  const pages = cast.span(step);
  const status = new Int32Array(pages.pageCount).fill(STATUS_UNSET);
  const flags = step.all ? MPOL_MF.MOVE_ALL : MPOL_MF.MOVE;
  const nodes = step.to ?? null;
  const request = { pid: pidOf(cast, step.of), pages, nodes, flags, status };
  const result = scene.moving(actor).movePages(request);
  return { answer: answerOf(result), statuses: statusesOf(status) };
}

function migratePages(
  scene: Scene,
  step: StepOf<'migratePages'>,
): StepResult | Promise<StepResult> {
  const pid = pidOf(scene.cast, step.of);
  const [from, to] = [step.from, step.to].map((list) => nodemaskWords(NodeMask.parse(list)));
  const masks = nodemaskPair(from ?? null, to ?? null);
  const answer = scene.moving(scene.cast.actor(step.by)).migratePages({ pid, ...masks });
  const told = (result: SyscallResult<number>): StepResult => ({ answer: answerOf(result) });
  return answer instanceof Promise ? answer.then(told) : told(answer);
}

function pidOf(cast: Cast, of: string | undefined): number {
  return of === undefined ? 0 : cast.actor(of).process.pid;
}

function maskOf(nodes: NodeMask | string): NodeMask {
  return typeof nodes === 'string' ? NodeMask.parse(nodes) : nodes;
}
