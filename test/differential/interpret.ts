/**
 * Runs a program in a world. Steps are sent without waiting for the answers of those before,
 * except where an answer is needed to go on (fork); the world keeps their order.
 */

import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import { MPOL_F } from '../../lib/core/uapi.ts';
import type { World, WorldProcess } from '../contract/world.ts';
import { type Outcome, pagesText, type StepOutcome, UNWRITTEN } from './outcome.ts';
import {
  addressOf,
  isShared,
  maskArgument,
  nodesOf,
  type Program,
  REGION_PAGES,
  type Step,
  type Target,
} from './program.ts';

const NOBODY_PID = 99_999_999;
const SKIPPED: StepOutcome = { isSkipped: true };

interface Living {
  readonly process: WorldProcess;
  readonly parent: number | undefined;
}

/** A program under way. */
class Run {
  readonly program: Program;
  readonly living = new Map<number, Living>();
  readonly pids = new Map<number, number>();
  readonly pins = new Map<number, Promise<SyscallResult<number>>>();

  constructor(program: Program, first: WorldProcess) {
    this.program = program;
    this.add(0, first, undefined);
  }

  add(id: number, process: WorldProcess, parent: number | undefined): void {
    this.living.set(id, { process, parent });
    this.pids.set(id, process.pid);
  }

  address(page: number): bigint {
    return addressOf(this.program, page);
  }

  pidOf(target: Target): number {
    if (target === 'self') return 0;
    return target === 'nobody' ? NOBODY_PID : (this.pids.get(target) ?? NOBODY_PID);
  }

  /** Children first: they would end with their parent, some time. */
  async end(id: number): Promise<void> {
    for (const [child, { parent }] of [...this.living]) if (parent === id) await this.end(child);
    const process = this.living.get(id)?.process;
    this.living.delete(id);
    await process?.exit();
  }
}

type Answer = Promise<StepOutcome>;

async function plain(result: Promise<SyscallResult<unknown>>): Answer {
  const answer = await result;
  return { errno: answer.ok ? 0 : answer.errno };
}

async function counted(result: Promise<SyscallResult<number>>): Answer {
  const answer = await result;
  return answer.ok ? { errno: 0, value: answer.value } : { errno: answer.errno };
}

/** One query tells where all pages of a region are. */
async function pagesOf(run: Run, process: WorldProcess): Promise<string> {
  const status = new Int32Array(REGION_PAGES).fill(UNWRITTEN);
  const pages = { address: run.address(0), pageCount: REGION_PAGES };
  const result = await process.movePages({ pid: 0, pages, nodes: null, flags: 0, status });
  return result.ok ? pagesText(status) : `errno ${result.errno}`;
}

/** Runs a step, then sees where the pages went. */
async function placed(run: Run, answer: Answer, whose: WorldProcess | undefined): Answer {
  if (whose === undefined) return answer;
  const [outcome, pages] = await Promise.all([answer, pagesOf(run, whose)]);
  return { ...outcome, pages };
}

const READ_BACK_MAXNODE = 1025;

/** Runs a step that sets a policy, then reads the policy back: of a range, or of the thread. */
async function readBack(answer: Answer, process: WorldProcess, address?: bigint): Answer {
  const request = address === undefined ? { flags: 0 } : { flags: MPOL_F.ADDR, address };
  const [outcome, { mode, words }] = await Promise.all([
    answer,
    process.pointers.getMempolicy({ ...request, maxnode: READ_BACK_MAXNODE }),
  ]);
  return { ...outcome, mode, nodes: nodesOf(words) };
}

type StepOf<Name extends Step['call']> = Extract<Step, { call: Name }>;

async function getMempolicy(run: Run, process: WorldProcess, step: StepOf<'getMempolicy'>): Answer {
  const address = run.address(step.page);
  const asksNode = step.flags === (MPOL_F.NODE | MPOL_F.ADDR) && !isShared(run.program, step.page);
  const status = new Int32Array(1).fill(UNWRITTEN);
  const pages = { address, pageCount: 1 };
  const [, stored] = await Promise.all([
    asksNode ? process.movePages({ pid: 0, pages, nodes: null, flags: 0, status }) : undefined,
    process.pointers.getMempolicy({
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

async function movePages(run: Run, process: WorldProcess, step: StepOf<'movePages'>): Answer {
  const status = new Int32Array(step.list.length).fill(UNWRITTEN);
  const answer = await counted(
    process.movePages({
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
    process.mbind({
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
    run.add(step.child, await process.fork(), step.process);
    return { errno: 0 };
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
      const shared = isShared(run.program, step.page);
      const { page, pages } = step;
      return plain(process.mmap({ address: run.address(page), pageCount: pages, shared }));
    }
    case 'munmap':
      return plain(process.munmap(run.address(step.page), step.pages));
    case 'mlock':
      return placed(run, plain(process.mlock(run.address(step.page), step.pages)), process);
    case 'mprotect':
      return plain(process.mprotect(run.address(step.page), step.pages, step.access));
    case 'touch': {
      const answer = plain(process.touch(run.address(step.page), step.pages, step.access));
      return placed(run, answer, process);
    }
    case 'pin': {
      const pin = process.pin(run.address(step.page), step.pages);
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
  run.pins.delete(step.pin);
  return plain(process.unpin(pin.value));
}

function policyStep(run: Run, process: WorldProcess, step: Step): Answer | undefined {
  switch (step.call) {
    case 'setMempolicy': {
      const nodemask = maskArgument(step.mask);
      return readBack(plain(process.setMempolicy({ mode: step.mode, nodemask })), process);
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
      const answer = counted(process.migratePages({ pid: run.pidOf(step.target), from, to }));
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
  const answer = memoryStep(run, process, step) ?? policyStep(run, process, step);
  if (answer !== undefined) return { answer };
  switch (step.call) {
    case 'fork':
      return { answer: Promise.resolve(await fork(run, process, step)) };
    case 'unpin':
      return { answer: Promise.resolve(await unpin(run, process, step)) };
    case 'exit':
      await run.end(step.process);
      return { answer: Promise.resolve({ errno: 0 }) };
    case 'runOnCpu':
      return { answer: plain(process.runOnCpu(step.cpu)) };
    case 'setuid':
      return { answer: plain(process.setuid(step.uid)) };
    default:
      throw new Error(`no such call: ${step.call}`);
  }
}

/** Runs a program in a process of its own, and ends what it started. */
export async function runProgram(world: Pick<World, 'spawn'>, program: Program): Promise<Outcome> {
  const run = new Run(program, await world.spawn());
  const answers: Answer[] = [];
  for (const step of program.steps) answers.push((await startStep(run, step)).answer);
  const last = [...run.living].map(
    async ([id, { process }]) => [String(id), await pagesOf(run, process)] as const,
  );
  const outcome = {
    steps: await Promise.all(answers),
    last: Object.fromEntries(await Promise.all(last)),
  };
  await run.end(0);
  return outcome;
}
