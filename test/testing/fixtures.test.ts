/** Machines of one test each, and what is found out about them at its end. */

import { test as base, describe, expect } from 'vitest';
import { oldestKernelLine } from '../../lib/core/kernels.ts';
import { bind } from '../../lib/index.ts';
import { operations } from '../../lib/simulator/migrate/operations.ts';
import { type Machine, presets } from '../../lib/simulator/public.ts';
import {
  type MachineFixtureOptions,
  type MachineScene,
  numaFixtures,
  withMachine,
} from '../../lib/testing/public.ts';
import '../../lib/testing/vitest.ts';
import { failureOf, rejectionOf, thrownBy } from '../core/thrown.ts';
import { withBroken } from './broken-operation.ts';

const test = base.extend<MachineScene>(numaFixtures());
const testOnOldServer = base.extend<MachineScene>(
  numaFixtures({ description: presets.twoSockets, kernel: oldestKernelLine, pageSizeBytes: 65536 }),
);

/** A call that stops between two of its steps. */
function beginMove(machine: Machine): () => unknown {
  const { memory, steps } = machine.self;
  const mapped = memory.mmap({ pageCount: 2 });
  if (!mapped.ok) throw new Error(mapped.syscall);
  const pages = { address: mapped.value, pageCount: 2 };
  memory.touch(pages, 'write');
  const call = steps.movePages({ pages, node: 1 });
  call.step();
  return () => call.run();
}

/** Runs a body as vitest runs a test with the fixture `machine`. */
function withFixture(
  body: (machine: Machine) => unknown,
  options?: MachineFixtureOptions,
): Promise<void> {
  return numaFixtures(options).machine({}, async (machine) => void (await body(machine)));
}

describe('fixtures of a test', () => {
  const seen: Machine[] = [];

  test.for([1, 2])('give each test a machine of its own (%i)', (_, { machine, numa, faults }) => {
    expect(seen).not.toContain(machine);
    seen.push(machine);
    expect(numa.backend).toMatchObject({ kind: 'simulator', kernel: machine.kernel });
    expect(numa.freeMemory(1)).toBe(768 * 2 ** 20);
    // Neither a buffer that stays nor a fault is there in the next test.
    numa.allocate(2 ** 20, { policy: bind(1) }).touch();
    faults.deniedCall('move_pages');
  });

  testOnOldServer('give it the machine that was asked for', ({ machine, numa }) => {
    expect(machine.description).toEqual(presets.twoSockets);
    expect(machine.kernel).toMatch(/^6\.1/);
    expect(numa.pageSizeBytes).toBe(65536);
  });

  test('refuse wrong options where they are written', () => {
    const wrong = { kernel: '5.4' } as unknown as MachineFixtureOptions;
    expect(thrownBy(() => numaFixtures(wrong)).code).toBe('ERR_INVALID_ARG_VALUE');
    const unknown = { preset: 'fourNodes' } as MachineFixtureOptions;
    expect(thrownBy(() => numaFixtures(unknown)).message).toMatch(/known are description/);
  });
});

/** Both ways to a machine find the same out at the end. */
type Way = (
  body: (machine: Machine) => unknown,
  options?: MachineFixtureOptions,
) => Promise<unknown>;

const ways: Readonly<Record<string, Way>> = {
  'the fixture machine': withFixture,
  withMachine: (body, options = {}) => withMachine(options, ({ machine }) => body(machine)),
};

describe.each(Object.entries(ways))('%s', (_, run) => {
  base('lets a test pass that leaves all in order', async () => {
    await run((machine) => beginMove(machine)());
  });

  base('fails a test that leaves a call half way', async () => {
    const { message } = await rejectionOf(run(beginMove));
    expect(message).toBe(
      'the machine "four-nodes" is not in order: ' +
        '1 calls were left half way: run() them to their end',
    );
  });

  base('fails a test after which counts do not add up', async () => {
    const { restore } = operations;
    const miscount: typeof restore = (place, folioId) => {
      restore(place, folioId);
      place.mm.memory.folios.get(folioId).mapCount += 1;
    };
    await withBroken('restore', miscount, async () => {
      const { message } = await rejectionOf(run((machine) => beginMove(machine)()));
      expect(message).toMatch(/is not in order: .*is mapped 1 times, not 2/);
    });
  });

  base('fails a test that keeps memory, where it must not', async () => {
    const options = { mustRelease: true };
    const { message } = await rejectionOf(run(beginMoveAndEnd, options));
    expect(message).toMatch(/is not in order: 2 pages are still mapped: release\(\) their buffers/);
    await run(beginMoveAndEnd);
    await run((machine) => machine.self.exit(), options);
  });
});

function beginMoveAndEnd(machine: Machine): void {
  beginMove(machine)();
}

describe('withMachine', () => {
  base('gives what its function gives, and lets go of buffers that were released', async () => {
    const moved = await withMachine({ mustRelease: true }, async ({ numa }) => {
      using buffer = numa.allocate(2 ** 20, { policy: bind(0) });
      buffer.touch();
      return (await buffer.migrate({ to: 1 })).pages.moved;
    });
    expect(moved).toBe(256);
  });

  base('passes on what its function throws, and ends the faults', async () => {
    let machine: Machine | undefined;
    const failure = await failureOf(() =>
      withMachine({}, (scene) => {
        machine = scene.machine;
        scene.faults.deniedCall('mbind');
        throw new Error('of the function');
      }),
    );
    expect(failure.message).toBe('of the function');
    const nothing = { address: 0n, lengthBytes: 0, mode: 0, nodemask: null, flags: 0 };
    expect(machine?.self.numa.mbind(nothing)).toMatchObject({ ok: true });
  });

  base('refuses what it cannot use', async () => {
    const wrong = { kernel: '5.4' } as unknown as MachineFixtureOptions;
    expect((await failureOf(() => withMachine(wrong, () => {}))).code).toBe(
      'ERR_INVALID_ARG_VALUE',
    );
    const body = 'body' as unknown as () => void;
    expect((await failureOf(() => withMachine({}, body))).code).toBe('ERR_INVALID_ARG_TYPE');
  });
});
