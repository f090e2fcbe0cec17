/** The simulator and the guest take the same descriptions, and refuse the same ones. */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkMachineDescription, Machine, presets } from '../../lib/simulator/public.ts';
import { checkMachine, MachineError } from '../../scripts/guest/machine.mjs';
import { thrownBy } from '../core/thrown.ts';

const FOLDER = new URL('../../scripts/machines/', import.meta.url);
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));

const NODE = { id: 0, memoryMiB: 64, cpus: [0] };
const SPEED = { readLatencyNs: 80, readBandwidthMBps: 4000 };
const GOOD = {
  name: 'two',
  description: '',
  nodes: [NODE, { id: 2, memoryMiB: 64, cpus: [] }],
  distances: [
    [10, 20],
    [20, 10],
  ],
};

/** Two nodes, the second changed. */
function withNode(change: object, first: object = {}): object {
  return {
    ...GOOD,
    nodes: [
      { ...NODE, ...first },
      { id: 2, memoryMiB: 64, cpus: [], ...change },
    ],
  };
}

/** What is wrong, and the member that both name. */
const BAD: readonly (readonly [unknown, string])[] = [
  [null, ''],
  [[], ''],
  [{ ...GOOD, name: '' }, 'name'],
  [{ ...GOOD, name: 5 }, 'name'],
  [{ ...GOOD, description: 5 }, 'description'],
  [{ ...GOOD, colour: 'red' }, 'colour'],
  [{ ...GOOD, nodes: [] }, 'nodes'],
  [{ ...GOOD, nodes: {} }, 'nodes'],
  [{ ...GOOD, nodes: [NODE, 5] }, 'nodes[1]'],
  [withNode({ id: 64 }), 'nodes[1].id'],
  [withNode({ id: '2' }), 'nodes[1].id'],
  [withNode({ id: 0 }), 'nodes[1].id'],
  [withNode({ memoryMiB: -1 }), 'nodes[1].memoryMiB'],
  [withNode({ memoryMiB: 0.5 }), 'nodes[1].memoryMiB'],
  [withNode({ memoryMiB: 0 }), 'nodes[1]'],
  [withNode({ cpus: 1 }), 'nodes[1].cpus'],
  [withNode({ cpus: [1024] }), 'nodes[1].cpus'],
  [withNode({ cpus: [0] }), 'nodes[].cpus'],
  [withNode({ cpus: [2] }), 'nodes[].cpus'],
  [withNode({ size: 1 }), 'nodes[1].size'],
  [withNode({}, { cpus: [] }), 'nodes'],
  [withNode({ memoryMiB: 0, cpus: [1] }, { memoryMiB: 0 }), 'nodes'],
  [withNode(SPEED), 'nodes[0].readLatencyNs'],
  [withNode({ ...SPEED, initiator: 0 }, { ...SPEED, initiator: 2 }), 'nodes[0].initiator'],
  [withNode({ ...SPEED, initiator: 2 }, SPEED), 'nodes[1].initiator'],
  [withNode({ ...SPEED, readLatencyNs: 65_535 }, SPEED), 'nodes[1].readLatencyNs'],
  [withNode({ memoryMiB: 0, cpus: [1], initiator: 0 }, SPEED), 'nodes[1].initiator'],
  [{ ...GOOD, distances: [[10, 20]] }, 'distances'],
  [{ ...GOOD, distances: [[10, 20], [20]] }, 'distances[1]'],
  [{ ...GOOD, distances: [[10, 10], [20, 10]] }, 'distances[0][1]'], // biome-ignore format: a row
  [{ ...GOOD, distances: [[10, 20], [20, 11]] }, 'distances[1][1]'], // biome-ignore format: a row
  [{ ...GOOD, distances: [[10, 255], [20, 10]] }, 'distances[0][1]'], // biome-ignore format: a row
];

describe('a description', () => {
  test.each(files)('of the guest is one of the simulator: %s', (name) => {
    const description = JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'));
    expect(checkMachineDescription(description)).toBe(description);
    expect(checkMachine(description)).toBe(description);
    expect(new Machine(description).invariantBreaches()).toEqual([]);
  });

  test.each(Object.values(presets))('of the simulator is one of the guest: $name', (preset) => {
    expect(checkMachine(structuredClone(preset))).toBeTruthy();
    expect(Object.isFrozen(preset.nodes[0]?.cpus)).toBe(true);
    expect(preset.distances).toEqual(
      preset.distances.map((_, column) => preset.distances.map((row) => row[column])),
    );
  });

  test.each(BAD)('is refused by both, for the same member (%#): %j, %s', (value, member) => {
    const { code, message } = thrownBy(() => checkMachineDescription(value));
    expect(code).toMatch(/^ERR_(INVALID_ARG_(TYPE|VALUE)|OUT_OF_RANGE)$/);
    const named = member === '' ? '"machine"' : `"machine.${member}`;
    expect(message).toContain(named);
    const { error } = thrownBy(() => checkMachine(value));
    expect(error).toBeInstanceOf(MachineError);
    const { member: guestMember } = error as unknown as MachineError;
    expect(guestMember).toBe(member === '' ? 'the description' : member);
  });

  test('belongs to the machine: later changes of the object do not reach it', () => {
    const own = structuredClone(GOOD);
    const machine = new Machine(own);
    (own.nodes[0] as { memoryMiB: number }).memoryMiB = 1;
    expect(machine.description.nodes[0]?.memoryMiB).toBe(64);
    expect(Object.isFrozen(machine.description.distances[0])).toBe(true);
  });
});
