/**
 * Accesses to memory, and what becomes of a process whose access finds no memory. A program that
 * goes on touching pages is the only thing here that takes time, which is logical: with each tick
 * of the clock the thread looks whether balancing has something for it to do.
 *
 * Source: kernel/sched/core.c, sched_tick(); CONFIG_HZ of Debian.
 */

import type { Access } from '../../backend/backend.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import { stepsOfNumaFault } from '../balancing/numa-page.ts';
import { tickNuma } from '../balancing/task-numa-work.ts';
import type { MachineState } from '../machine.ts';
import { type FaultOutcome, touchPages } from '../memory/fault.ts';
import type { Steps } from '../memory/in-flight.ts';
import { awaitedFolio } from '../memory/object-fault.ts';
import { isMarked } from '../memory/page-entry.ts';
import { stateOf } from '../migrate/migrating-folio.ts';
import type { Thread } from '../tasks/thread.ts';
import { answer } from './answer.ts';
import { pageOf } from './range-argument.ts';
import { readWord, writeWord } from './user-memory.ts';

export interface TouchCall {
  readonly address: bigint;
  readonly pageCount: number;
  readonly access: Access;
}

/**
 * Reads or writes each page. EFAULT where the access is not allowed; ESRCH where no memory was
 * left that the policy allows, which has ended the process.
 */
export function touch(
  machine: MachineState,
  thread: Thread,
  { address, pageCount, access }: TouchCall,
): SyscallResult<undefined> {
  const start = pageOf(address, machine.memory.pageSizeBytes);
  const outcome = touchPages(thread, start, start + pageCount, access);
  return answerOf(machine, thread, outcome);
}

function answerOf(
  machine: MachineState,
  thread: Thread,
  outcome: FaultOutcome,
): SyscallResult<undefined> {
  if (outcome === 'killed') machine.exit(thread.process);
  const errno = { done: 0, fault: ERRNO.EFAULT, killed: ERRNO.ESRCH }[outcome];
  return answer('touch', errno);
}

/** The same, step by step: it waits for pages that are on their way to another node. */
export function* stepsOfTouch(
  machine: MachineState,
  thread: Thread,
  { address, pageCount, access }: TouchCall,
): Steps<SyscallResult<undefined>> {
  const start = pageOf(address, machine.memory.pageSizeBytes);
  for (let page = start; page < start + pageCount; page += 1) {
    yield* stepsToPage(thread, page);
    const outcome = touchPages(thread, page, page + 1, access);
    if (outcome !== 'done') return answerOf(machine, thread, outcome);
  }
  return answer('touch', 0);
}

/** Writes a word; EFAULT. */
export function* stepsOfStore(
  machine: MachineState,
  thread: Thread,
  address: bigint,
  value: bigint,
): Steps<SyscallResult<undefined>> {
  yield* stepsToPage(thread, pageOf(address, machine.memory.pageSizeBytes));
  return answer('store', writeWord(thread, address, value) ? 0 : ERRNO.EFAULT);
}

/** Everything before the access itself that takes time: it sleeps, or moves the page. */
function* stepsToPage(thread: Thread, page: number): Steps<void> {
  const { mm } = thread;
  const { pageSizeBytes } = mm.memory;
  for (;;) {
    const entry = mm.pages.get(page);
    const vma = mm.vmas.lookup(page);
    const awaited = vma === undefined ? null : awaitedFolio(mm, vma, page);
    if (awaited !== null) {
      const { folio, folioId } = awaited;
      const note = 'an access sleeps until the page is there again';
      const source = stateOf(folioId, folio);
      const address = BigInt(page) * BigInt(pageSizeBytes);
      yield { step: 'wait-access', source, address, note, waitsFor: folio };
    } else if (vma !== undefined && isMarked(entry)) yield* stepsOfNumaFault(thread, vma, page);
    else return;
  }
}

const TICK_MS = 4;

interface KeepTouchingCall {
  readonly address: bigint;
  readonly pageCount: number;
  /** `count` adds 1 to the first word of each page. */
  readonly access: Access | 'count';
  readonly milliseconds: number;
}

/** Touches all pages once in each tick; ends with the first access that fails. */
export function keepTouching(
  machine: MachineState,
  thread: Thread,
  call: KeepTouchingCall,
): SyscallResult<undefined> {
  const { clock } = machine.memory;
  const end = clock.nowMs + call.milliseconds;
  while (clock.nowMs < end) {
    const result = touchOnce(machine, thread, call);
    if (!result.ok) return result;
    clock.nowMs += TICK_MS;
    tickNuma(thread, TICK_MS);
  }
  return answer('keep_touching', 0);
}

function touchOnce(
  machine: MachineState,
  thread: Thread,
  { address, pageCount, access }: KeepTouchingCall,
): SyscallResult<undefined> {
  if (access !== 'count') return touch(machine, thread, { address, pageCount, access });
  const size = BigInt(machine.memory.pageSizeBytes);
  for (let index = 0n; index < BigInt(pageCount); index += 1n) {
    const at = address + index * size;
    const word = readWord(thread, at);
    if (word === undefined || !writeWord(thread, at, word + 1n)) {
      return answer('keep_touching', ERRNO.EFAULT);
    }
  }
  return answer('keep_touching', 0);
}
