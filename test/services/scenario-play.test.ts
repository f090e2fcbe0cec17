/** Whatever the reader accepts can be played: it ends, and the machine adds up. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { playScenario } from '../../lib/services/scenario/play.ts';
import { readScenario } from '../../lib/services/scenario/read-scenario.ts';
import { recordScenario } from '../../lib/services/scenario/record.ts';
import type { Scenario } from '../../lib/services/scenario/scenario.ts';
import { kernelLines, Machine, presets } from '../../lib/simulator/public.ts';
import { rejectionOf, thrownBy } from '../core/thrown.ts';
import { shareOf } from '../support/share.ts';
import { anyStep, before, type Json, scenarioOf } from './scenario-arbitrary.ts';

/** Each name can be made once; a time of hours takes long. */
function asOneScenario(steps: readonly Json[]): Scenario {
  const named = steps.map((step, index) => ({
    ...step,
    ...(step['name'] === undefined ? {} : { name: `made-${index}` }),
    ...(step['milliseconds'] === undefined ? {} : { milliseconds: 20 }),
  }));
  return readScenario(scenarioOf([...before, ...named]));
}

test('random scenarios end on every kernel, traced or not, with the same residency', (context) => {
  const steps = fc.array(anyStep, { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(steps, fc.constantFrom(...kernelLines), (list, kernel) => {
      const scenario = asOneScenario(list);
      const seen = [false, true].map((isTraced) => {
        try {
          const play = playScenario(scenario, { kernel, isTraced });
          expect(play.machine.invariantBreaches()).toEqual([]);
          expect(play.machine.unendedCallCount).toBe(0);
          return JSON.stringify(play.residency, (_, value) =>
            typeof value === 'bigint' ? `${value}` : value,
          );
        } catch (error) {
          // A node without CPUs or memory, or something that an earlier step failed to make.
          const { code, message } = error as { readonly code?: string; readonly message: string };
          expect(code, message).toMatch(/^(ERR_|NUMA_)/);
          expect(message).toMatch(/^step \d+ \(\w+\)|meanwhile/);
          return message;
        }
      });
      expect(seen[0]).toBe(seen[1]);
    }),
    { numRuns: shareOf(context, 100) },
  );
});

test('a step that names what the machine has not is an error of its argument', () => {
  const scenario = asOneScenario([{ do: 'nodeFull', name: 'all', node: 60 }]);
  const { error } = thrownBy(() => playScenario(scenario, {}));
  const step = scenario.steps.length;
  expect(error).toMatchObject({
    ...{ name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE', argument: 'node', received: '60' },
    rule: 'must be a node with memory',
  });
  expect(error.message).toContain(`step ${step} (nodeFull): the "node" argument must be`);
});

test('a node without CPUs is the same error, played and recorded', async () => {
  const name = 'program';
  const steps = [
    { do: 'process', name },
    { do: 'setAffinity', node: 2 },
  ];
  const scenario = readScenario(scenarioOf(steps));
  const { backend } = new Machine(presets.fourNodes).self;
  const before = backend.schedGetaffinity();
  const error = await rejectionOf(recordScenario(scenario, backend));
  expect(error.message).toMatch(/^step 2 [(]setAffinity[)]: .*must have CPUs: 0, 1/);
  expect(thrownBy(() => playScenario(scenario)).error.message).toBe(error.message);
  expect(backend.schedGetaffinity()).toEqual(before);
});
