/** A program under way: its processes and groups, and the questions that follow its steps. */

import type { PageSpan } from '../../lib/backend/backend.ts';
import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import { MPOL_F } from '../../lib/core/uapi.ts';
import type { MachineObject } from '../../lib/machine/objects.ts';
import type { CpusetCalls } from '../../lib/machine/settings.ts';
import type { WorldProcess } from '../contract/world.ts';
import { UNWRITTEN } from '../contract/world.ts';
import type { Later } from '../support/later.ts';
import { pagesText, type StepOutcome } from './outcome.ts';
import {
  addressOf,
  HUGE_COUNT,
  HUGE_PAGES,
  hugeStart,
  nodesOf,
  type Program,
  REGION_PAGES,
  regionPages,
  type Step,
  type Target,
} from './program.ts';

const NOBODY_PID = 99_999_999;
export const SKIPPED: StepOutcome = { isSkipped: true };

export interface Living {
  readonly process: WorldProcess;
  readonly parent: number | undefined;
}

/** A program under way. */
export class Run {
  readonly program: Program;
  readonly groups: readonly Later<CpusetCalls>[];
  readonly living = new Map<number, Living>();
  readonly pids = new Map<number, number>();
  readonly pins = new Map<number, Promise<SyscallResult<number>>>();
  readonly objects: MachineObject[] = [];

  constructor(program: Program, groups: readonly Later<CpusetCalls>[], first: WorldProcess) {
    this.program = program;
    this.groups = groups;
    this.add(0, first, undefined);
  }

  add(id: number, process: WorldProcess, parent: number | undefined): void {
    this.living.set(id, { process, parent });
    this.pids.set(id, process.pid);
  }

  get region(): PageSpan {
    return { address: this.address(0), pageCount: regionPages(this.program) };
  }

  address(page: number): bigint {
    return addressOf(this.program, page);
  }

  span({ page, pages }: { readonly page: number; readonly pages: number }): PageSpan {
    return { address: this.address(page), pageCount: pages };
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

/** Those whose memory a step is about. Of others it may change what they share: seen later. */
export function concernedBy(run: Run, step: Step): number[] {
  if (step.call === 'joinGroup' || step.call === 'setMems') return [...run.living.keys()];
  const others = [
    ...(step.call === 'fork' ? [step.child] : []),
    ...('target' in step && typeof step.target === 'number' ? [step.target] : []),
  ];
  return [...new Set([step.process, ...others])].filter((id) => run.living.has(id));
}

export type Answer = Promise<StepOutcome>;

export async function plain(result: Promise<SyscallResult<unknown>>): Answer {
  const answer = await result;
  return { errno: answer.ok ? 0 : answer.errno };
}

export async function counted(result: Promise<SyscallResult<number>>): Answer {
  const answer = await result;
  return answer.ok ? { errno: 0, value: answer.value } : { errno: answer.errno };
}

const SMALL_LOOKED = Array.from({ length: REGION_PAGES }, (_, page) => page);
/** Some pages of each place for a huge one: its ends, and between. */
const HUGE_LOOKED = Array.from({ length: HUGE_COUNT }, (_, slot) => hugeStart(slot)).flatMap(
  (start) => [0, 1, 5, HUGE_PAGES / 2, HUGE_PAGES - 1].map((page) => start + page),
);

/** One query tells where the pages of a region are. */
export async function pagesOf(run: Run, process: WorldProcess): Promise<string> {
  const looked = run.program.objects === undefined ? [] : HUGE_LOOKED;
  const status = new Int32Array(REGION_PAGES + looked.length).fill(UNWRITTEN);
  const pages =
    looked.length === 0
      ? { address: run.address(0), pageCount: REGION_PAGES }
      : BigUint64Array.from([...SMALL_LOOKED, ...looked], (page) => run.address(page));
  const result = await process.numa.movePages({ pid: 0, pages, nodes: null, flags: 0, status });
  return result.ok ? pagesText(status) : `errno ${result.errno}`;
}

/** Runs a step, then sees where the pages went. */
export async function placed(run: Run, answer: Answer, whose: WorldProcess | undefined): Answer {
  if (whose === undefined) return answer;
  const [outcome, pages] = await Promise.all([answer, pagesOf(run, whose)]);
  return { ...outcome, pages };
}

const READ_BACK_MAXNODE = 1025;

/** Runs a step, then sees where the pages of all processes went. */
export async function placedAll(run: Run, answer: Answer): Answer {
  const all = [...run.living].sort(([a], [b]) => a - b);
  const pages = all.map(([, { process }]) => pagesOf(run, process));
  return { ...(await answer), pages: (await Promise.all(pages)).join('/') };
}

/** Whether the mapping stayed where it was: elsewhere is anywhere. */
export async function resized(result: Promise<SyscallResult<bigint>>, from: bigint): Answer {
  const answer = await result;
  return answer.ok ? { errno: 0, value: Number(answer.value !== from) } : { errno: answer.errno };
}

/** Runs a step that sets a policy, then reads the policy back: of a range, or of the thread. */
export async function readBack(answer: Answer, process: WorldProcess, address?: bigint): Answer {
  const request = address === undefined ? { flags: 0 } : { flags: MPOL_F.ADDR, address };
  const [outcome, { mode, words }] = await Promise.all([
    answer,
    process.numa.getMempolicy({ ...request, maxnode: READ_BACK_MAXNODE }),
  ]);
  return { ...outcome, mode, nodes: nodesOf(words) };
}

export type StepOf<Name extends Step['call']> = Extract<Step, { call: Name }>;
