/**
 * Machines for one test each: fresh before it, and looked at after it, whether all of its counts
 * add up and whether a call was left half way.
 */

import { invalidArgumentType } from '../core/argument-errors.ts';
import { checkBoolean, checkOptions } from '../core/check-arguments.ts';
import type { Numa } from '../facade/numa.ts';
import { openNuma } from '../facade/open-numa.ts';
import { Machine, type MachineDescription, type MachineOptions } from '../simulator/public.ts';
import { FaultFixtures } from './faults.ts';

export interface MachineFixtureOptions extends MachineOptions {
  /** A preset or a description of one's own. Default `presets.fourNodes`. */
  readonly description?: MachineDescription;
  /** Memory that `numa` mapped and that was not released fails the test. Default: it may stay, and
   *  is gone with the machine. */
  readonly mustRelease?: boolean;
}

/** What a test gets. */
export interface MachineScene {
  readonly machine: Machine;
  /** `openNuma({ machine })`. */
  readonly numa: Numa;
  /** Faults of this machine; they end with the test. */
  readonly faults: FaultFixtures;
}

type Fixture<D, T> = (dependencies: D, use: (value: T) => Promise<void>) => Promise<void>;

/** For `test.extend<MachineScene>()` of vitest; what a test does not name is not made. */
export interface NumaFixtures {
  readonly machine: Fixture<object, Machine>;
  readonly numa: Fixture<Pick<MachineScene, 'machine'>, Numa>;
  readonly faults: Fixture<Pick<MachineScene, 'machine'>, FaultFixtures>;
}

const OPTION_NAMES = ['description', 'kernel', 'pageSizeBytes', 'mustRelease'] as const;

/** All of the user's half of an address space of 48 bits. */
const ADDRESS_SPACE_BYTES = 2 ** 47;

/**
 * Fixtures for tests that are declared with them.
 * @throws TypeError, RangeError for wrong options, as `new Machine()`
 */
export function numaFixtures(options?: MachineFixtureOptions): NumaFixtures {
  // A wrong option is told where it is written, not once for each test.
  new WatchedMachine(options);
  return {
    // biome-ignore lint/correctness/noEmptyPattern: vitest reads the dependencies here.
    machine: async ({}, use) => {
      const watched = new WatchedMachine(options);
      await use(watched.machine);
      watched.check();
    },
    numa: async ({ machine }, use) => use(openNuma({ machine })),
    faults: async ({ machine }, use) => {
      const faults = new FaultFixtures(machine);
      await use(faults);
      faults.end();
    },
  };
}

/**
 * Calls a function with a fresh machine, and gives what it gives; for test runners without
 * fixtures.
 * @throws what the function throws; an Error where the machine is not in order after it; TypeError,
 *   RangeError for wrong options, as `new Machine()`
 */
export async function withMachine<T>(
  options: MachineFixtureOptions,
  body: (scene: MachineScene) => T | Promise<T>,
): Promise<T> {
  const watched = new WatchedMachine(options);
  if (typeof body !== 'function') throw invalidArgumentType('body', 'a function', body);
  const { machine } = watched;
  const faults = new FaultFixtures(machine);
  let value: T;
  try {
    value = await body({ machine, numa: openNuma({ machine }), faults });
  } finally {
    faults.end();
  }
  watched.check();
  return value;
}

class WatchedMachine {
  readonly machine: Machine;
  readonly #mappedAtFirst: number | null;

  constructor(options: MachineFixtureOptions | undefined) {
    const known = checkOptions(options, 'options', OPTION_NAMES);
    const { description, mustRelease, ...machineOptions } = known;
    const isWatched = checkBoolean(mustRelease, 'options.mustRelease');
    this.machine = new Machine(description, machineOptions);
    this.#mappedAtFirst = isWatched ? mappedPages(this.machine) : null;
  }

  /** @throws Error with all that is not in order */
  check(): void {
    const { machine } = this;
    const breaches = machine.invariantBreaches();
    const unended = machine.unendedCallCount;
    if (unended > 0) breaches.push(`${unended} calls were left half way: run() them to their end`);
    const left = this.#mappedAtFirst === null ? 0 : mappedPages(machine) - this.#mappedAtFirst;
    if (left > 0) breaches.push(`${left} pages are still mapped: release() their buffers`);
    if (breaches.length === 0) return;
    const { name } = machine.description;
    throw new Error(`the machine "${name}" is not in order: ${breaches.join('; ')}`);
  }
}

function mappedPages({ self, pageSizeBytes }: Machine): number {
  const everything = { address: 0n, pageCount: ADDRESS_SPACE_BYTES / pageSizeBytes };
  const listed = self.areas.list(everything);
  // A process that has ended has nothing mapped.
  return listed.ok ? listed.value.reduce((sum, { pageCount }) => sum + pageCount, 0) : 0;
}
