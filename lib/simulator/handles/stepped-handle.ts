/** Calls of a simulated thread that go on step by step. */

import { requireElements } from '../../backend/requests.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import { isBigUint64Array } from '../../core/call-arguments.ts';
import { checkInteger } from '../../core/check-arguments.ts';
import { MPOL_MF } from '../../core/uapi.ts';
import type { Caller } from '../caller.ts';
import type { SteppedCall, SteppedCalls, SteppedMove } from '../interface/simulated-process.ts';
import type { MachineState } from '../machine.ts';
import type { Steps } from '../memory/in-flight.ts';
import { SuspendedCall } from '../migrate/suspended-call.ts';
import { stepsOfMbind } from '../syscalls/mbind.ts';
import { stepsOfMigratePages } from '../syscalls/migrate-pages.ts';
import { stepsOfMovePages } from '../syscalls/move-pages.ts';
import { decoded } from '../syscalls/policy-calls.ts';
import { stepsOfStore, stepsOfTouch } from '../syscalls/touch.ts';
import type { Thread } from '../tasks/thread.ts';
import { migratePagesCall } from './numa-handle.ts';

/** Pages that one call names, an array of 128 MiB: each is looked at in its turn. */
const LISTED_PAGES_MAX = 2 ** 24;

export function steppedCalls(caller: Caller): SteppedCalls {
  const { machine } = caller;
  return {
    touch: (span, access) => {
      checkInteger(span.pageCount, 'pageCount', 1);
      return begin(caller, 'touch', (own) => stepsOfTouch(machine, own, { ...span, access }));
    },
    store: (address, value) =>
      begin(caller, 'store', (own) => stepsOfStore(machine, own, address, value)),
    movePages: (request) => {
      checkPages(request);
      return begin(caller, 'move_pages', (own) => stepsOfMove(machine, own, request));
    },
    mbind: (request) =>
      begin(caller, 'mbind', (own) => stepsOfMbind(own, decoded(own, 'mbind', request))),
    migratePages: (request) =>
      begin(caller, 'migrate_pages', (own) =>
        stepsOfMigratePages(machine, own, migratePagesCall(own, request)),
      ),
  };
}

/** A call of the machine's administrator: nobody's thread makes it. */
export function beginSteps<T>(
  { memory }: MachineState,
  steps: Steps<SyscallResult<T>>,
): SteppedCall<T> {
  return new SteppedCallHandle(new SuspendedCall(memory.inFlight, steps));
}

/** A thread that has ended, or may not make the call, is told at once. */
function begin<T>(
  caller: Caller,
  name: string,
  stepsOf: (own: Thread) => Steps<SyscallResult<T>>,
): SteppedCall<T> {
  let steps: Steps<SyscallResult<T>> | undefined;
  const refused = caller.call<T>(name, (own) => {
    steps = stepsOf(own);
    return { ok: false, syscall: name, errno: 0 };
  });
  return beginSteps(caller.machine, steps ?? answered(refused));
}

// biome-ignore lint/correctness/useYield: a call that was refused has no steps.
function* answered<T>(result: SyscallResult<T>): Steps<SyscallResult<T>> {
  return result;
}

/** As many as have statuses; without these as many as a caller could have an array of. */
function checkPages({ pages, status }: SteppedMove): void {
  const count = isBigUint64Array(pages) ? pages.length : pages.pageCount;
  if (status !== undefined) requireElements(status, count, 'status');
  checkInteger(count, 'pageCount', 0, LISTED_PAGES_MAX);
}

function stepsOfMove(
  machine: MachineState,
  own: Thread,
  { pid = 0, pages, node, flags = MPOL_MF.MOVE, status }: SteppedMove,
): Steps<SyscallResult<number>> {
  const size = BigInt(machine.memory.pageSizeBytes);
  const isList = isBigUint64Array(pages);
  return stepsOfMovePages(machine, own, {
    pid,
    flags,
    count: isList ? pages.length : pages.pageCount,
    address: (index) => (isList ? pages[index] : pages.address + BigInt(index) * size),
    node: () => node,
    store: (index, value) => {
      if (status !== undefined) status[index] = value;
      return true;
    },
  });
}

class SteppedCallHandle<T> implements SteppedCall<T> {
  readonly #call: SuspendedCall<SyscallResult<T>>;

  constructor(call: SuspendedCall<SyscallResult<T>>) {
    this.#call = call;
  }

  get isEnded(): boolean {
    return this.#call.isEnded;
  }

  get result(): SyscallResult<T> | undefined {
    return this.#call.value;
  }

  step(): ReturnType<SteppedCall<T>['step']> {
    return this.#call.step();
  }

  run(): SyscallResult<T> {
    return this.#call.run();
  }
}
