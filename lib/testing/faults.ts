/**
 * What goes wrong on real machines now and then, on demand, for tests: each fault ends with
 * `end()`, with `using`, or with the FaultFixtures that it came from.
 */

import type { PageSpan } from '../backend/backend.ts';
import { invalidArgumentType, outOfRange } from '../core/argument-errors.ts';
import { assert } from '../core/assert.ts';
import {
  checkAddress,
  checkInteger,
  checkOptions,
  reading,
  readMembers,
} from '../core/check-arguments.ts';
import { errnoName } from '../core/errno.ts';
import type {
  Costs,
  DeniableCall,
  Machine,
  MigrationStep,
  RacingWriter,
  SimulatedCpuset,
  SimulatedProcess,
  SyscallResult,
} from '../simulator/public.ts';

/** Something that is wrong until it ends. */
export interface Fault extends Disposable {
  /** Idempotent. */
  end(): void;
}

/** Which pages of a buffer; by default all. */
export interface PageChoice {
  /** From 0 on. Default 0. */
  readonly firstPage?: number;
  /** Default: to the end. */
  readonly pageCount?: number;
}

export interface CpusetChange extends Fault {
  /** Whether the step was reached, and the cpuset changed. */
  readonly hasHappened: boolean;
}

export interface RacingWriterFault extends Fault, RacingWriter {}

export interface SlowLink extends Fault {
  /** What the machine counts meanwhile. */
  readonly costs: Costs;
}

export class FaultFixtures implements Disposable {
  readonly #machine: Machine;
  readonly #process: SimulatedProcess;
  readonly #faults: Fault[] = [];

  /** @param process whose pages and calls are meant; default: the one of `openNuma({ machine })` */
  constructor(machine: Machine, process: SimulatedProcess = machine.self) {
    this.#machine = machine;
    this.#process = process;
  }

  /** Migrations find a node full once they have taken so many base pages of it; 0: at once. */
  nodeFull(node: number, afterPages = 0): Fault {
    return this.#keep(this.#machine.faults.nodeFull(node, afterPages));
  }

  /** A device, as RDMA and io_uring have it, keeps pages where they are. */
  pinnedPages(pages: PageSpan, choice?: PageChoice): Fault {
    return this.#keep(this.#process.mainThread.pin(this.#part(pages, choice)));
  }

  /** Somebody has a reference to present pages for so many tries; a migration makes 10. */
  busyPages(pages: PageSpan, tries: number, choice?: PageChoice): Fault {
    const part = this.#part(pages, choice);
    return this.#keep(this.#machine.faults.busy(this.#process, part, tries));
  }

  /** A seccomp filter refuses a call of all processes; EPERM, as container engines have it. */
  deniedCall(call: DeniableCall, errno?: 'EPERM' | 'ENOSYS' | 'EACCES'): Fault {
    return this.#keep(this.#machine.faults.deny(call, errno));
  }

  /**
   * Right behind a step of a migration the process is left with these nodes. It joins a cpuset with
   * all nodes for that now, and goes back to the root with the end of the fault.
   * @param nodes a list as cpuset.mems has it: `0-1,3`
   * @param occurrence behind which of these steps, from 1 on; default the first
   * @throws RangeError ERR_OUT_OF_RANGE for nodes that no cpuset can have
   */
  shrinkCpusetAt(step: MigrationStep, nodes: string, occurrence?: number): CpusetChange {
    const { faults } = this.#machine;
    const trial = this.#cpuset().setMems(nodes);
    if (!trial.ok) throw outOfRange('nodes', `cpuset.mems: ${errnoName(trial.errno)}`, nodes);
    const cpuset = this.#cpuset();
    const memory = this.#machine.topology().nodes.filter(({ memoryBytes }) => memoryBytes > 0);
    expectDone(cpuset.setMems(memory.map(({ id }) => id).join()));
    expectDone(cpuset.attach(this.#process.pid));
    let hasHappened = false;
    const stop = faults.at(
      step,
      () => {
        hasHappened = true;
        expectDone(cpuset.setMems(nodes));
      },
      occurrence,
    );
    const fault = this.#keep(() => {
      stop();
      cpuset.empty();
    });
    return withMembers(fault, { hasHappened: () => hasHappened });
  }

  /** The process writes a word behind each step of a migration, to one page after the other. */
  racingWriter(pages: PageSpan, choice?: PageChoice): RacingWriterFault {
    const part = this.#part(pages, choice);
    const writer = this.#machine.faults.racingWriter(this.#process, part);
    const fault = this.#keep(() => writer.end());
    const lostWrites = (): readonly bigint[] => writer.lostWrites();
    return withMembers({ ...fault, lostWrites }, { writes: () => writer.writes });
  }

  /**
   * The link between two nodes is slower by a factor, in the virtual cost of the machine.
   * @param costs default: counting starts anew
   */
  slowLink(
    nodeA: number,
    nodeB: number,
    factor: number,
    costs: Costs = this.#machine.startCosts(),
  ): SlowLink {
    const isCosts = reading(costs, 'costs', () => typeof costs?.slowLink === 'function');
    if (!isCosts) throw invalidArgumentType('costs', 'what startCosts() gives', costs);
    costs.slowLink(nodeA, nodeB, factor);
    return { ...this.#keep(() => costs.slowLink(nodeA, nodeB, 1)), costs };
  }

  /** Ends all faults that have not ended, the last one first. Idempotent. */
  end(): void {
    for (let fault = this.#faults.pop(); fault !== undefined; fault = this.#faults.pop()) {
      fault.end();
    }
  }

  [Symbol.dispose](): void {
    this.end();
  }

  #keep(stop: () => void): Fault {
    let isOver = false;
    const end = (): void => {
      // Another fault of the same kind may have begun since.
      if (!isOver) stop();
      isOver = true;
    };
    const fault = { end, [Symbol.dispose]: end };
    this.#faults.push(fault);
    return fault;
  }

  #part(pages: PageSpan, choice: PageChoice | undefined): PageSpan {
    const names = ['address', 'pageCount'] as const;
    const given = readMembers<PageSpan>(pages, 'pages', names, 'a MappedBuffer or a PageSpan');
    const address = checkAddress(given.address, 'pages.address');
    const total = checkInteger(given.pageCount, 'pages.pageCount', 1);
    const { firstPage = 0, pageCount } = checkOptions(choice, 'choice', ['firstPage', 'pageCount']);
    checkInteger(firstPage, 'choice.firstPage', 0, total - 1);
    const rest = total - firstPage;
    if (pageCount !== undefined) checkInteger(pageCount, 'choice.pageCount', 1, rest);
    const offsetBytes = BigInt(firstPage) * BigInt(this.#machine.pageSizeBytes);
    return { address: address + offsetBytes, pageCount: pageCount ?? rest };
  }

  #cpuset(): SimulatedCpuset {
    const made = this.#machine.settings.cpuset();
    return expectDone(made);
  }
}

/** A step of a fixture that nothing can be in the way of. */
function expectDone<T>(result: SyscallResult<T>): T {
  const why = result.ok ? '' : `${result.syscall}: ${errnoName(result.errno)}`;
  assert(result.ok, `a fixture can be made: ${why}`);
  return result.value;
}

type Read<T> = { readonly [Name in keyof T]: () => T[Name] };

/** Adds members whose values change. */
function withMembers<F extends object, M extends object>(target: F, members: Read<M>): F & M {
  for (const [name, get] of Object.entries(members)) {
    Object.defineProperty(target, name, { get: get as () => unknown, enumerable: true });
  }
  return target as F & M;
}
