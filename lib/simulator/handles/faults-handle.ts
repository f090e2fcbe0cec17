/** Faults that tests inject, behind the interface that users have. */

import type { PageSpan } from '../../backend/backend.ts';
import { span as checkSpan } from '../../backend/requests.ts';
import { invalidArgumentType } from '../../core/argument-errors.ts';
import { numaCalls } from '../../core/calls.ts';
import { checkInteger, checkWord } from '../../core/check-arguments.ts';
import { ERRNO } from '../../core/errno.ts';
import { systemError } from '../../core/errors.ts';
import type {
  DeniableCall,
  InjectedFaults,
  RacingWriter,
  StepAction,
} from '../interface/injected-faults.ts';
import {
  MIGRATION_STEPS,
  type MigrationEvent,
  type MigrationStep,
} from '../interface/migration-event.ts';
import type { SimulatedProcess } from '../interface/simulated-process.ts';
import type { MachineState } from '../machine.ts';
import type { Folio } from '../memory/folio.ts';
import { isPage } from '../memory/page-entry.ts';
import { checkNodeIn } from '../nodes/nodemask.ts';
import { pageOf } from '../syscalls/range-argument.ts';
import { isProcess } from './process-handle.ts';

const ERRNO_NAMES = ['EPERM', 'ENOSYS', 'EACCES'] as const;

export class FaultsHandle implements InjectedFaults {
  readonly #machine: MachineState;

  constructor(machine: MachineState) {
    this.#machine = machine;
  }

  nodeFull(node: number, afterPages = 0): () => void {
    const { physical, inFlight } = this.#machine.memory;
    checkInteger(afterPages, 'afterPages', 0);
    checkNodeIn(physical.memoryNodes, node, 'must be a node with memory');
    inFlight.targetLimits.set(node, afterPages);
    return this.#stepped(() => void inFlight.targetLimits.delete(node));
  }

  busy(process: SimulatedProcess, span: PageSpan, tries: number): () => void {
    return this.#onFolios(process, span, tries, 'busyTries');
  }

  writeback(process: SimulatedProcess, span: PageSpan, tries: number): () => void {
    return this.#onFolios(process, span, tries, 'writebackTries');
  }

  deny(call: DeniableCall, errnoName: (typeof ERRNO_NAMES)[number] = 'EPERM'): () => void {
    checkWord(call, 'call', numaCalls);
    checkWord(errnoName, 'errnoName', ERRNO_NAMES);
    this.#machine.deniedCalls.set(call, ERRNO[errnoName]);
    return () => void this.#machine.deniedCalls.delete(call);
  }

  at(step: MigrationStep, action: StepAction, occurrence = 1): () => void {
    checkWord(step, 'step', MIGRATION_STEPS);
    checkInteger(occurrence, 'occurrence', 1);
    if (typeof action !== 'function') throw invalidArgumentType('action', 'a function', action);
    let left = occurrence;
    const end = this.atEachStep((event) => {
      if (event.step !== step) return;
      left -= 1;
      if (left > 0) return;
      end();
      action(event);
    });
    return end;
  }

  atEachStep(action: StepAction): () => void {
    if (typeof action !== 'function') throw invalidArgumentType('action', 'a function', action);
    const { listeners } = this.#machine.memory.inFlight;
    let isActing = false;
    const listener = (event: MigrationEvent): void => {
      // What the action itself has others do is not its business.
      if (isActing) return;
      isActing = true;
      try {
        action(event);
      } finally {
        isActing = false;
      }
    };
    listeners.add(listener);
    return this.#stepped(() => void listeners.delete(listener));
  }

  racingWriter(process: SimulatedProcess, span: PageSpan): RacingWriter {
    checkProcess(process);
    const { address, pageCount } = checkPages(span);
    const size = BigInt(this.#machine.memory.pageSizeBytes);
    const written = new Map<bigint, bigint>();
    const lost = new Set<bigint>();
    let writes = 0;
    // Before a word is written over, too: the next one would hide that it was lost.
    const look = (at: bigint): void => {
      const found = process.memory.load(at);
      if (!found.ok || found.value !== written.get(at)) lost.add(at);
    };
    const end = this.atEachStep(() => {
      const at = address + BigInt(writes % pageCount) * size;
      const value = BigInt(writes + 1);
      writes += 1;
      if (written.has(at)) look(at);
      if (process.memory.store(at, value).ok) written.set(at, value);
    });
    return {
      get writes() {
        return writes;
      },
      lostWrites: () => {
        end();
        for (const at of written.keys()) look(at);
        return [...lost];
      },
      end,
    };
  }

  /** While it lasts, migrations go step by step. */
  #stepped(end: () => void): () => void {
    const endStepping = this.#machine.memory.inFlight.stepBy();
    return () => {
      endStepping();
      end();
    };
  }

  #onFolios(
    process: SimulatedProcess,
    span: PageSpan,
    tries: number,
    member: 'busyTries' | 'writebackTries',
  ): () => void {
    const { pid } = checkProcess(process);
    const { address, pageCount } = checkPages(span);
    checkInteger(tries, 'tries', 1);
    const { memory } = this.#machine;
    const mm = this.#machine.findProcess(pid)?.mm;
    const first = pageOf(address, memory.pageSizeBytes);
    const folios: Folio[] = [];
    for (let page = first; page < first + pageCount; page += 1) {
      if (mm === undefined || !isPage(mm.pages.get(page))) throw notPresent(address, pageCount);
      folios.push(memory.folios.get(mm.folioAt(page)));
    }
    for (const folio of folios) folio[member] = tries;
    return this.#stepped(() => {
      for (const folio of folios) folio[member] = 0;
    });
  }
}

/** A handle of ours: only we make them. */
function checkProcess(value: unknown): SimulatedProcess {
  if (isProcess(value)) return value;
  throw invalidArgumentType('process', 'a process of the machine', value);
}

function checkPages(span: unknown): PageSpan {
  const { address, pageCount } = checkSpan(span, 'span');
  return { address, pageCount: checkInteger(pageCount, 'span.pageCount', 1) };
}

function notPresent(address: bigint, pageCount: number): Error {
  return systemError({
    syscall: 'inject',
    errno: ERRNO.EFAULT,
    asked: `a fault of ${pageCount} present pages`,
    args: { address, pageCount },
    backend: 'simulator',
    explanation: {
      code: 'NUMA_RANGE_UNMAPPED',
      rule: 'part of the range is not present',
      hint: 'touch its pages first',
    },
  });
}
