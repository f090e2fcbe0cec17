/** Random programs leave a machine consistent after every call. */

import { describe, expect, test } from 'vitest';
import { invariantBreaches } from '../../lib/simulator/invariants.ts';
import { MachineState } from '../../lib/simulator/machine.ts';
import { kernelLines, Machine, presets } from '../../lib/simulator/public.ts';
import type { World } from '../contract/world.ts';
import { generateProgram } from '../differential/generate.ts';
import { runProgram } from '../differential/interpret.ts';
import { seedsOf } from '../support/share.ts';
import { worldOf } from './simulated-world.ts';

const PROGRAMS = 250;

function totalFree(machine: Machine): number {
  return machine.topology().nodes.reduce((sum, { freeBytes }) => sum + freeBytes, 0);
}

/** A world whose machine is examined after each call of any process. */
function watched(machine: Machine, see: () => void): World {
  const world = worldOf(machine);
  const watch = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(from, name) {
        const value: unknown = Reflect.get(from, name, from);
        if (typeof value !== 'function') return value;
        return async (...values: unknown[]) => {
          const result: unknown = await value.apply(from, values);
          see();
          return name === 'fork' ? watch(result as object) : result;
        };
      },
    });
  return { ...world, spawn: async () => watch(await world.spawn()) };
}

describe('invariants', () => {
  for (const kernel of kernelLines) {
    test(`hold after each call of random programs, Linux ${kernel}`, async (context) => {
      for (const seed of seedsOf(context, PROGRAMS)) {
        const machine = new Machine(presets.fourNodes, { kernel });
        const free = totalFree(machine);
        const see = (): void => {
          const breaches = machine.invariantBreaches();
          if (breaches.length > 0) throw new Error(`seed ${seed}: ${breaches.join('; ')}`);
        };
        await runProgram(watched(machine, see), generateProgram(seed, new Set()));
        expect(totalFree(machine), `seed ${seed}: memory left taken`).toBe(free);
      }
    });
  }

  test('tell what is wrong', async () => {
    const machine = new MachineState(presets.fourNodes);
    machine.memory.physical.take(1, 3);
    expect(invariantBreaches(machine)).toEqual([
      'node 1 has 196608 pages, and 196605 are free or used',
    ]);
  });
});
