/**
 * A random interleaving: several calls of several processes that go on in turns, one step at a
 * time, and between their steps accesses, pins, forks, unmaps and faults. A seed decides all of it.
 */

import type { SyscallResult } from '../../../lib/backend/syscall-result.ts';
import {
  type KernelLine,
  kernelLines,
  Machine,
  type MachineDescription,
  type SimulatedCpuset,
  type SimulatedProcess,
  type SteppedCall,
} from '../../../lib/simulator/public.ts';
import { PAGE_SIZE_BYTES } from '../../differential/program.ts';
import { Random } from '../../differential/random.ts';
import { Contents, type Half } from './contents.ts';
import { addressOf } from './ground.ts';
import { chooseAction } from './interleaved-actions.ts';

const TICKS = 160;
const CALLS_MAX = 5;
/** Far more than any seed takes, also where huge pages move in pieces: calls that wait for each
 *  other would go on for ever. */
const EVENTS_MAX = 500_000;
/** Private pages, then those of one shared mapping, then a huge page. */
export const PRIVATE_PAGES = 6;
export const SHARED_PAGES = 4;
export const SMALL_PAGES: number = PRIVATE_PAGES + SHARED_PAGES;
export const HUGE_PAGES = 512;

const MACHINE: MachineDescription = {
  name: 'interleaving',
  description: 'Three nodes, with room for some huge pages.',
  nodes: [0, 1, 2].map((id) => ({ id, memoryMiB: 64, cpus: [id] })),
  distances: [
    [10, 20, 30],
    [20, 10, 20],
    [30, 20, 10],
  ],
};

function isShared(page: number): boolean {
  return page >= PRIVATE_PAGES && page < SMALL_PAGES;
}

/** A process and what it holds. */
export interface Actor {
  readonly id: number;
  readonly process: SimulatedProcess;
  /** Descriptors of pins and pipes. */
  readonly held: Held[];
}

export interface Held {
  readonly descriptor: number;
  readonly page: number;
  /** A long-term pin: the page must stay on its node as long as it is mapped. */
  readonly isPin: boolean;
  readonly node: number;
  isUnmapped: boolean;
}

interface Begun {
  readonly call: SteppedCall<unknown>;
  readonly whenDone: (result: SyscallResult<unknown>) => void;
}

export class Interleaving {
  readonly random: Random;
  readonly machine: Machine;
  readonly contents: Contents = new Contents(isShared);
  readonly actors: Actor[] = [];
  readonly hasHugePage: boolean;
  readonly group: SimulatedCpuset;
  readonly failures: string[] = [];
  eventCount = 0;
  version = 0n;
  nextActor = 0;
  readonly #begun: Begun[] = [];
  readonly #freeAtStart: number;

  constructor(seed: number, kernel?: KernelLine) {
    this.random = new Random(seed);
    this.machine = new Machine(MACHINE, { kernel: kernel ?? this.random.pick(kernelLines) });
    this.#freeAtStart = this.#freeBytes();
    this.hasHugePage = this.random.chance(0.1);
    const group = this.machine.settings.cpuset();
    if (!group.ok) throw new Error('no cpuset');
    this.group = group.value;
    this.group.setMems('0-2');
    const first = this.machine.process();
    this.add(first);
    first.memory.mmap({ address: addressOf(0), pageCount: PRIVATE_PAGES });
    const shared = { address: addressOf(PRIVATE_PAGES), pageCount: SHARED_PAGES };
    first.memory.mmap({ ...shared, isShared: true });
    if (!this.hasHugePage) return;
    this.machine.hugePages = 'always';
    first.memory.mmap({ address: addressOf(HUGE_PAGES), pageCount: HUGE_PAGES });
  }

  add(process: SimulatedProcess): Actor {
    const actor = { id: this.nextActor, process, held: [] };
    this.nextActor += 1;
    this.actors.push(actor);
    return actor;
  }

  wordAddress(page: number, half: Half): bigint {
    return addressOf(page) + (half === 'head' ? 0n : BigInt(PAGE_SIZE_BYTES - 8));
  }

  get canBegin(): boolean {
    return this.#begun.length < CALLS_MAX;
  }

  begin<T>(call: SteppedCall<T>, whenDone: (result: SyscallResult<T>) => void = () => {}): void {
    this.#begun.push({ call, whenDone: whenDone as Begun['whenDone'] });
  }

  /** Runs to the end, or to the first thing that is wrong. */
  run(): readonly string[] {
    for (let tick = 0; tick < TICKS && this.failures.length === 0; tick += 1) {
      if (this.#begun.length > 0 && this.random.chance(0.8)) this.#stepOne();
      else chooseAction(this);
      this.#check(`tick ${tick}`);
    }
    while (this.#begun.length > 0 && this.failures.length === 0) {
      this.#stepOne();
      this.#check('the end');
    }
    if (this.failures.length === 0) this.#finish();
    return this.failures;
  }

  #stepOne(): void {
    const index = this.random.between(0, this.#begun.length - 1);
    const { call } = this.#begun[index] as Begun;
    if (call.step() !== undefined) this.eventCount += 1;
    if (this.eventCount > EVENTS_MAX) this.failures.push('calls wait for each other');
    this.#settle();
  }

  /** Calls may also have been brought to their end by others that had to wait for them. */
  #settle(): void {
    for (const begun of [...this.#begun]) {
      const { result } = begun.call;
      if (result === undefined) continue;
      this.#begun.splice(this.#begun.indexOf(begun), 1);
      begun.whenDone(result);
    }
  }

  #check(when: string): void {
    this.#settle();
    const breaches = this.machine.invariantBreaches();
    if (breaches.length > 0) this.failures.push(`${when}: ${breaches.join('; ')}`);
  }

  /** Every word is what was written last, and all memory comes back. */
  #finish(): void {
    for (const actor of this.actors) {
      for (let page = 0; page < SMALL_PAGES; page += 1) this.expectWords(actor, page);
      if (this.hasHugePage) this.expectWords(actor, HUGE_PAGES + 3);
    }
    for (const { process } of [...this.actors].reverse()) process.exit();
    this.#check('all have ended');
    const missing = this.#freeAtStart - this.#freeBytes();
    if (missing !== 0) this.failures.push(`${missing} bytes are not free again`);
  }

  expectWords(actor: Actor, page: number): void {
    for (const half of ['head', 'tail'] as const) {
      const found = actor.process.memory.load(this.wordAddress(page, half));
      const expected = this.contents.read(actor.id, page, half);
      if (!found.ok || found.value === expected) continue;
      const what = `${half} of page ${page} of process ${actor.id}`;
      this.failures.push(`${what} is ${found.value}, not ${expected}`);
    }
  }

  #freeBytes(): number {
    return this.machine.topology().nodes.reduce((sum, { freeBytes }) => sum + freeBytes, 0);
  }
}

/** What went wrong with one seed; the empty list is right. */
export function interleave(
  seed: number,
  kernel?: KernelLine,
): { readonly failures: readonly string[]; readonly eventCount: number } {
  const interleaving = new Interleaving(seed, kernel);
  const failures = interleaving.run();
  return { failures, eventCount: interleaving.eventCount };
}
