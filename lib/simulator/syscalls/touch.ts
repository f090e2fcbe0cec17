/** Accesses to memory, and what becomes of a process whose access finds no memory. */

import type { Access } from '../../backend/backend.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import { stepsOfNumaFault } from '../balancing/numa-page.ts';
import type { MachineState } from '../machine.ts';
import { touchPages } from '../memory/fault.ts';
import type { Steps } from '../memory/in-flight.ts';
import { awaitedFolio } from '../memory/object-fault.ts';
import { isMarked } from '../memory/page-entry.ts';
import type { FaultOutcome } from '../memory/toucher.ts';
import { stateOf } from '../migrate/migrating-folio.ts';
import type { Thread } from '../tasks/thread.ts';
import { answer } from './answer.ts';
import { pageOf } from './range-argument.ts';
import { writeWord } from './user-memory.ts';

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
