/** The record of skips: its short form holds exactly what was recorded, and nothing stale. */

import { describe, expect, test } from 'vitest';
import {
  expectedNames,
  machineNames,
  readExpectedSkips,
  withRecorded,
} from '../../scripts/test/expected-skips.mjs';

const KERNELS = ['6.1', '6.12', '6.18', '7.2'];
const CELLS = machineNames().flatMap((machine) => KERNELS.map((line) => `${machine}/${line}`));

const SKIPPED_IN: Readonly<Record<string, (environment: string) => boolean>> = {
  'in any guest': (one) => one.includes('/'),
  'with a kernel': (one) => one.endsWith('/6.1'),
  'on a machine': (one) => one.startsWith('two-nodes/'),
  'with either': (one) => one.endsWith('/7.2') || one.startsWith('sparse-ids/'),
  'in one cell': (one) => one === 'two-nodes/6.18',
  'on a host': (one) => one === 'host-denied',
};

function runIn(environment: string, names = Object.keys(SKIPPED_IN)) {
  const skips = names
    .filter((name) => SKIPPED_IN[name]?.(environment))
    .map((name) => ({ file: 'one.test.ts', name }));
  return { environment, isPrivileged: true, files: ['one.test.ts'], skips, absent: [] };
}

describe('expected skips', () => {
  const environments = [...CELLS, 'host-denied'];
  const recorded = withRecorded(
    {},
    environments.map((environment) => runIn(environment)),
  );

  test('each environment gets back what it skipped', () => {
    for (const environment of environments) {
      const names = Object.keys(SKIPPED_IN).filter((name) => SKIPPED_IN[name]?.(environment));
      expect([...expectedNames(recorded, 'one.test.ts', [environment])].sort()).toEqual(
        names.sort(),
      );
    }
  });

  test('rows and columns of the matrix are written as such', () => {
    const places = Object.keys(recorded['one.test.ts'] ?? {});
    const ofMatrix = ['*/*', '*/6.1', 'sparse-ids/* */7.2', 'two-nodes/*', 'two-nodes/6.18'];
    expect(places.sort()).toEqual([...ofMatrix, 'host-denied'].sort());
  });

  test('a new recording of one environment leaves the others alone', () => {
    const again = withRecorded(recorded, [runIn('two-nodes/6.1', [])]);
    expect([...expectedNames(again, 'one.test.ts', ['two-nodes/6.1'])]).toEqual([]);
    for (const environment of environments.filter((one) => one !== 'two-nodes/6.1')) {
      expect(expectedNames(again, 'one.test.ts', [environment])).toEqual(
        expectedNames(recorded, 'one.test.ts', [environment]),
      );
    }
  });

  test('a test that is gone is forgotten', () => {
    const absent = [{ file: 'one.test.ts', name: 'in any guest' }];
    const again = withRecorded(recorded, [{ ...runIn('two-nodes/6.1', []), absent }]);
    expect(JSON.stringify(again)).not.toContain('in any guest');
  });

  test('the record is as it would be written', () => {
    const expected = readExpectedSkips();
    expect(JSON.stringify(withRecorded(expected, []))).toBe(JSON.stringify(expected));
  });
});
