/**
 * Runs a program in a world. Steps are sent without waiting for the answers of those before,
 * except where an answer is needed to go on (fork); the world keeps their order.
 */

import { MPOL_F } from '../../lib/core/uapi.ts';
import type { CpusetCalls } from '../../lib/machine/settings.ts';
import type { World, WorldProcess, WorldSettings } from '../contract/world.ts';
import { UNWRITTEN } from '../contract/world.ts';
import type { Later } from '../support/later.ts';
import { groupStep, unregister } from './interpret-groups.ts';
import {
  type HugePageSettings,
  makeObjects,
  objectStep,
  withHugePages,
} from './interpret-objects.ts';
import type { Outcome } from './outcome.ts';
import {
  isShared,
  maskArgument,
  nodesOf,
  type Program,
  type Step,
  type Target,
} from './program.ts';
import {
  type Answer,
  concernedBy,
  counted,
  type Living,
  pagesOf,
  placed,
  plain,
  Run,
  readBack,
  SKIPPED,
  type StepOf,
} from './run.ts';
import { UNCHANGED, type Watch } from './watch.ts';

async function getMempolicy(run: Run, process: WorldProcess, step: StepOf<'getMempolicy'>): Answer {
  const address = run.address(step.page);
  const asksNode = step.flags === (MPOL_F.NODE | MPOL_F.ADDR) && !isShared(run.program, step.page);
  const status = new Int32Array(1).fill(UNWRITTEN);
  const pages = { address, pageCount: 1 };
  const [, stored] = await Promise.all([
    asksNode ? process.numa.movePages({ pid: 0, pages, nodes: null, flags: 0, status }) : undefined,
    process.numa.getMempolicy({
      flags: step.flags,
      address,
      maxnode: step.maxnode,
      ...(step.hasMask ? {} : { mask: 0n }),
    }),
  ]);
  const { result, mode, words } = stored;
  return {
    errno: result.ok ? 0 : result.errno,
    mode,
    wordCount: words.length,
    nodes: nodesOf(words),
    ...(asksNode ? { before: status[0] as number } : {}),
  };
}

/** With arrays that end before the list does. */
async function moveCut(run: Run, process: WorldProcess, step: StepOf<'movePages'>): Answer {
  const { list, nodes, flags, ends = {} } = step;
  const count = list.length;
  const status = new Int32Array(ends.status ?? count).fill(UNWRITTEN);
  const pages = BigUint64Array.from(list, (page) => run.address(page)).slice(
    0,
    ends.pages ?? count,
  );
  const answer = await counted(
    process.numa.movePages({
      count,
      pages,
      nodes: nodes === null ? null : Int32Array.from(nodes).slice(0, ends.nodes ?? count),
      status,
      flags,
    }),
  );
  return { ...answer, status: [...status] };
}

async function movePages(run: Run, process: WorldProcess, step: StepOf<'movePages'>): Answer {
  if (step.ends !== undefined) return moveCut(run, process, step);
  const status = new Int32Array(step.list.length).fill(UNWRITTEN);
  const answer = await counted(
    process.numa.movePages({
      pid: run.pidOf(step.target),
      pages: BigUint64Array.from(step.list, (page) => run.address(page)),
      nodes: step.nodes === null ? null : Int32Array.from(step.nodes),
      flags: step.flags,
      status,
    }),
  );
  return { ...answer, status: [...status] };
}

function mbind(run: Run, process: WorldProcess, step: StepOf<'mbind'>): Answer {
  const { length, mode, mask, flags } = step;
  return plain(
    process.numa.mbind({
      address: run.address(step.page) + BigInt(step.byte),
      lengthBytes: typeof length === 'string' ? BigInt(length) : length,
      mode,
      nodemask: maskArgument(mask),
      flags,
    }),
  );
}

async function fork(run: Run, process: WorldProcess, step: StepOf<'fork'>): Answer {
  try {
    const child = await process.fork();
    run.add(step.child, child, step.process);
    const answer = Promise.resolve({ errno: 0 });
    // What is pinned has been copied.
    return run.groups.length > 0 ? await placed(run, answer, child) : await answer;
  } catch {
    return SKIPPED;
  }
}

/** The process whose pages a call may have moved. */
function targetProcess(run: Run, process: WorldProcess, target: Target): WorldProcess | undefined {
  if (target === 'self') return process;
  return target === 'nobody' ? undefined : run.living.get(target)?.process;
}

function memoryStep(run: Run, process: WorldProcess, step: Step): Answer | undefined {
  switch (step.call) {
    case 'mmap': {
      const request = { ...run.span(step), isShared: isShared(run.program, step.page) };
      return plain(process.memory.mmap(request));
    }
    case 'munmap':
      return plain(process.memory.munmap(run.span(step)));
    case 'mlock':
      return placed(run, plain(process.memory.mlock(run.span(step))), process);
    case 'munlock':
      return plain(process.memory.munlock(run.span(step)));
    case 'mprotect':
      return plain(process.memory.mprotect(run.span(step), step.access));
    case 'touch': {
      const answer = plain(process.memory.touch(run.span(step), step.access));
      return placed(run, answer, process);
    }
    case 'pin': {
      const pin = process.references.splice(run.span(step));
      run.pins.set(step.pin, pin);
      return plain(pin);
    }
    default:
      return undefined;
  }
}

async function unpin(run: Run, process: WorldProcess, step: StepOf<'unpin'>): Answer {
  const pin = await run.pins.get(step.pin);
  if (pin?.ok !== true) return SKIPPED;
  return plain(process.references.close(pin.value));
}

function policyStep(run: Run, process: WorldProcess, step: Step): Answer | undefined {
  switch (step.call) {
    case 'setMempolicy': {
      const nodemask = maskArgument(step.mask);
      return readBack(plain(process.numa.setMempolicy({ mode: step.mode, nodemask })), process);
    }
    case 'getMempolicy':
      return getMempolicy(run, process, step);
    case 'mbind': {
      const answer = readBack(mbind(run, process, step), process, run.address(step.page));
      return step.flags === 0 ? answer : placed(run, answer, process);
    }
    case 'movePages': {
      const answer = movePages(run, process, step);
      const whose = targetProcess(run, process, step.target);
      return step.nodes === null ? answer : placed(run, answer, whose);
    }
    case 'migratePages': {
      const from = maskArgument(step.from);
      const to = maskArgument(step.to);
      const answer = counted(process.numa.migratePages({ pid: run.pidOf(step.target), from, to }));
      return placed(run, answer, targetProcess(run, process, step.target));
    }
    default:
      return undefined;
  }
}

/** Starts a step; the promise of its answer, or one to wait for before the next step. */
async function startStep(run: Run, step: Step): Promise<{ answer: Answer }> {
  const process = run.living.get(step.process)?.process;
  if (process === undefined) return { answer: Promise.resolve(SKIPPED) };
  const answer =
    memoryStep(run, process, step) ??
    objectStep(run, process, step) ??
    policyStep(run, process, step) ??
    groupStep(run, process, step);
  if (answer !== undefined) return { answer };
  switch (step.call) {
    case 'fork':
      return { answer: Promise.resolve(await fork(run, process, step)) };
    case 'unpin':
      return { answer: Promise.resolve(await unpin(run, process, step)) };
    case 'unregister':
      return { answer: Promise.resolve(await unregister(run, process, step)) };
    case 'exit':
      await run.end(step.process);
      return { answer: Promise.resolve({ errno: 0 }) };
    case 'runOnCpu':
      return { answer: plain(process.runOnCpu(step.cpu)) };
    case 'setuid':
      return { answer: plain(process.setuid(step.uid)) };
    case 'dropCapability':
      return { answer: plain(process.dropCapability(step.capability)) };
    default:
      throw new Error(`no such call: ${step.call}`);
  }
}

/** Runs a step, then sees what it has changed. */
async function watched(run: Run, step: Step, answer: Answer, watch: Watch): Answer {
  const asked = concernedBy(run, step).map(async (id) => {
    const { process } = run.living.get(id) as Living;
    return [String(id), await watch(process, run.region)] as const;
  });
  const outcome = await answer;
  const changed = (await Promise.all(asked)).filter(([, text]) => text !== UNCHANGED);
  return changed.length === 0 ? outcome : { ...outcome, watched: Object.fromEntries(changed) };
}

/** Where a process's pages are in the end, and what was not seen of it yet. */
async function lastOf(run: Run, process: WorldProcess, watch: Watch): Promise<string> {
  const [pages, text] = await Promise.all([pagesOf(run, process), watch(process, run.region)]);
  return text === UNCHANGED ? pages : `${pages} ${text}`;
}

/** What a program needs of a world; settings only for groups. */
export interface ProgramWorld extends Pick<World, 'spawn'> {
  readonly settings?: Pick<WorldSettings, 'withCpusets' | 'withOldCpusets'> & HugePageSettings;
  /** Absent: nobody looks at areas and CPUs. */
  readonly watch?: Watch;
}

async function runInGroups(
  world: ProgramWorld,
  program: Program,
  groups: readonly Later<CpusetCalls>[],
): Promise<Outcome> {
  const { watch = async () => UNCHANGED } = world;
  const run = new Run(program, groups, await world.spawn());
  await makeObjects(run);
  const answers: Answer[] = [];
  for (const step of program.steps) {
    const { answer } = await startStep(run, step);
    answers.push(watched(run, step, answer, watch));
  }
  const last = [...run.living].map(
    async ([id, { process }]) => [String(id), await lastOf(run, process, watch)] as const,
  );
  const outcome = {
    steps: await Promise.all(answers),
    last: Object.fromEntries(await Promise.all(last)),
  };
  await run.end(0);
  return outcome;
}

/** Runs a program in a process of its own, and ends what it started. */
export async function runProgram(world: ProgramWorld, program: Program): Promise<Outcome> {
  const { groups, seed } = program;
  if (program.objects !== undefined) {
    if (world.settings === undefined) throw new Error(`seed ${seed}: no huge pages in this world`);
    return withHugePages(world.settings, () => runInGroups(world, program, []));
  }
  if (groups === undefined) return runInGroups(world, program, []);
  const body = async (create: () => Promise<Later<CpusetCalls>>): Promise<Outcome> => {
    const made: Later<CpusetCalls>[] = [];
    while (made.length < groups.count) made.push(await create());
    return runInGroups(world, program, made);
  };
  const { withCpusets, withOldCpusets } = world.settings ?? {};
  const outcome =
    groups.kind === 'v2'
      ? await withCpusets?.(body)
      : await withOldCpusets?.(groups.kind === 'v1-migrate', body);
  if (!outcome) throw new Error(`seed ${seed}: no groups ${groups.kind} in this world`);
  return outcome;
}
