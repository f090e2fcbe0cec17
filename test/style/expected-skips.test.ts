/** The record of what is unmet where: its short form holds exactly what was recorded. */

import { describe, expect, test } from 'vitest';
import { kernelLines } from '../../lib/core/kernels.ts';
import { guestMachineNames } from '../../scripts/guest/machine.mjs';
import {
  readExpectedSkips,
  requirementOf,
  unmetIn,
  withRecorded,
} from '../../scripts/test/expected-skips.mjs';

const CELLS = guestMachineNames().flatMap((machine) =>
  kernelLines.map((line) => `${machine}/${line}`),
);

const UNMET_IN: Readonly<Record<string, (environment: string) => boolean>> = {
  'in any guest': (one) => one.includes('/'),
  'with a kernel': (one) => one.endsWith('/6.1'),
  'on a machine': (one) => one.startsWith('two-nodes/'),
  'with either': (one) => one.endsWith('/7.2') || one.startsWith('sparse-ids/'),
  'in one cell': (one) => one === 'two-nodes/6.18',
  'on a host': (one) => one === 'host-denied',
};

function unmet(environment: string): string[] {
  return Object.keys(UNMET_IN).filter((requirement) => UNMET_IN[requirement]?.(environment));
}

function runIn(environment: string, requirements = unmet(environment), isWhole = true) {
  const skips = requirements.map((requirement) => ({ reason: `${requirement}; found nothing` }));
  return { environment, isPrivileged: true, isWhole, skips };
}

describe('expected skips', () => {
  const environments = [...CELLS, 'host-denied'];
  const recorded = withRecorded(
    {},
    environments.map((environment) => runIn(environment)),
  );

  test('each environment gets back what was unmet', () => {
    for (const environment of environments) {
      expect([...unmetIn(recorded, [environment])].sort()).toEqual(unmet(environment).sort());
    }
  });

  test('rows and columns of the matrix are written as such', () => {
    expect(recorded).toEqual({
      'in any guest': ['*/*'],
      'with a kernel': ['*/6.1'],
      'on a machine': ['two-nodes/*'],
      'with either': ['sparse-ids/*', '*/7.2'],
      'in one cell': ['two-nodes/6.18'],
      'on a host': ['host-denied'],
    });
  });

  test('a new recording of one environment leaves the others alone', () => {
    const again = withRecorded(recorded, [runIn('two-nodes/6.1', [])]);
    expect([...unmetIn(again, ['two-nodes/6.1'])]).toEqual([]);
    for (const environment of environments.filter((one) => one !== 'two-nodes/6.1')) {
      expect(unmetIn(again, [environment])).toEqual(unmetIn(recorded, [environment]));
    }
  });

  test('a recording of some of the tests only adds', () => {
    const again = withRecorded(recorded, [runIn('two-nodes/6.1', ['something new'], false)]);
    const both = new Set([...unmet('two-nodes/6.1'), 'something new']);
    expect(unmetIn(again, ['two-nodes/6.1'])).toEqual(both);
  });

  test('what nothing lacks any more is forgotten', () => {
    const again = withRecorded(recorded, [runIn('host-denied', [])]);
    expect(Object.keys(again)).not.toContain('on a host');
  });

  test('a requirement is what stands before the semicolon', () => {
    expect(requirementOf('needs Linux 6.9; this is 6.1.0')).toBe('needs Linux 6.9');
    expect(requirementOf('needs root, for a mount')).toBe('needs root, for a mount');
  });

  test('the record is as it would be written', () => {
    const expected = readExpectedSkips();
    expect(JSON.stringify(withRecorded(expected, []))).toBe(JSON.stringify(expected));
  });
});
