/** Descriptions of machines: those of machines/ are presets and guests, and what is refused. */

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { checkMachineDescription, Machine, presets } from '../../lib/simulator/public.ts';
import { guestMachineNames, MachineError, readMachine } from '../../scripts/guest/machine.mjs';
import { machineArguments } from '../../scripts/guest/qemu-arguments.mjs';
import { thrownBy } from '../core/thrown.ts';

const FOLDER = new URL('../../machines/', import.meta.url);
const names = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -'.json'.length));

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

/** What is wrong, and the member that is named. */
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
  [withNode({ id: 1024 }), 'nodes[1].id'],
  [withNode({ id: '2' }), 'nodes[1].id'],
  [withNode({ id: 0 }), 'nodes[1].id'],
  [withNode({ memoryMiB: -1 }), 'nodes[1].memoryMiB'],
  [withNode({ memoryMiB: 0.5 }), 'nodes[1].memoryMiB'],
  [withNode({ memoryMiB: 2 ** 32 + 1 }), 'nodes[1].memoryMiB'],
  [withNode({ memoryMiB: 2 ** 32 }), 'nodes[].memoryMiB'],
  [withNode({ memoryMiB: 0 }), 'nodes[1]'],
  [withNode({ cpus: 1 }), 'nodes[1].cpus'],
  [withNode({ cpus: [8192] }), 'nodes[1].cpus[0]'],
  [withNode({ cpus: [3, '4'] }), 'nodes[1].cpus[1]'],
  [withNode({ cpus: [0] }), 'nodes[1].cpus[0]'],
  [withNode({ cpus: [3, 2, 3] }), 'nodes[1].cpus[2]'],
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

/** GPUs whose memory has nodes of its own, as POWER9 numbers them; 1.5 TiB a socket. */
const HIGH_IDS = [0, 8, 250, 251, 252, 253, 254, 255];
const HIGH = {
  name: 'high-ids',
  description: '',
  nodes: HIGH_IDS.map((id, index) => ({
    id,
    memoryMiB: index < 2 ? 1.5 * 2 ** 20 : 16_384,
    cpus: index < 2 ? [4 * id, 4 * id + 1, 4 * id + 3] : [],
  })),
  distances: HIGH_IDS.map((from) => HIGH_IDS.map((to) => (from === to ? 10 : from < 9 ? 40 : 80))),
};

/** Two sockets that take turns, and the second threads behind: 0, 2, 4, 6 and 1, 3, 5, 7. */
const INTERLEAVED = {
  name: 'interleaved',
  description: '',
  nodes: [0, 1].map((id) => ({ id, memoryMiB: 512, cpus: [id, id + 2, id + 4, id + 6] })),
  distances: GOOD.distances,
};

/** `four-nodes` is `fourNodes`. */
function presetName(name: string): string {
  return name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

describe('a description', () => {
  test.each([HIGH, INTERLEAVED])('of a real machine is taken: $name', (machine) => {
    expect(checkMachineDescription(machine)).toEqual(machine);
  });

  test('is refused by a guest for what QEMU cannot be, by member and value', () => {
    const refusal = (machine: object) =>
      thrownBy(() => machineArguments(machine as typeof GOOD)).message;
    expect(machineArguments(INTERLEAVED)).toContain('cpu,node-id=1,socket-id=1');
    expect(refusal(HIGH)).toMatch(/nodes\[2\]\.id must be at most 127 in a guest: .*, not 250$/);
    expect(refusal(withNode({ cpus: [4] }))).toMatch(
      /nodes\[\]\.cpus must together be 0 to 1 .* 4$/,
    );
    const large = withNode({ memoryMiB: 2 ** 30 });
    expect(refusal(large)).toMatch(/nodes\[\]\.memoryMiB must together be less than .*1073741888$/);
  });

  test('of a file that a guest cannot be of is refused by what is wrong with it', async () => {
    const path = fileURLToPath(new URL('../../package.json', import.meta.url));
    await expect(readMachine(path)).rejects.toThrow(MachineError);
    await expect(readMachine(path)).rejects.toThrow(/package\.json .*"machine\.nodes" .*array/);
    await expect(readMachine(`${path}.gone`)).rejects.toThrow(/ENOENT/);
  });

  test('of a preset is that of the file of its name, and nobody can change it', () => {
    expect(Object.keys(presets).sort()).toEqual(names.map(presetName).sort());
    expect(guestMachineNames()).toContain('four-nodes');
    expect(guestMachineNames()).not.toContain('two-sockets');
  });

  test('of a preset is in the table of the documentation', () => {
    const documented = readFileSync(new URL('../../docs/simulator.md', import.meta.url), 'utf8');
    for (const [name, { nodes }] of Object.entries(presets)) {
      const hasGaps = nodes.some(({ id }, index) => id !== index);
      const shown = nodes.map(({ id, memoryMiB, cpus }) => {
        return `${hasGaps ? `${id}:` : ''}${memoryMiB}${'c'.repeat(cpus.length)}`;
      });
      expect(documented).toContain(`\n| \`${name}\` | ${shown.join(' ')} | `);
    }
  });

  test.each(names)('of machines/ is a machine: %s', async (name) => {
    const path = new URL(`${name}.json`, FOLDER);
    const description = JSON.parse(readFileSync(path, 'utf8'));
    expect(description.name).toBe(name);
    expect(checkMachineDescription(description)).toEqual(description);
    expect(await readMachine(fileURLToPath(path))).toEqual(description);
    const preset = presets[presetName(name) as keyof typeof presets];
    expect(preset).toEqual(description);
    expect(Object.isFrozen(preset.nodes[0]?.cpus)).toBe(true);
    expect(preset.distances).toEqual(
      preset.distances.map((_, column) => preset.distances.map((row) => row[column])),
    );
    expect(new Machine(description).invariantBreaches()).toEqual([]);
  });

  test.each(BAD)('is refused for its member (%#): %j, %s', (value, member) => {
    const { code, message } = thrownBy(() => checkMachineDescription(value));
    expect(code).toMatch(/^ERR_(INVALID_ARG_(TYPE|VALUE)|OUT_OF_RANGE)$/);
    const named = member === '' ? '"machine"' : `"machine.${member}`;
    expect(message).toContain(named);
    expect(message).toContain('received ');
  });

  test('belongs to the machine: later changes of the object do not reach it', () => {
    const own = structuredClone(GOOD);
    const machine = new Machine(own);
    (own.nodes[0] as { memoryMiB: number }).memoryMiB = 1;
    expect(machine.description.nodes[0]?.memoryMiB).toBe(64);
    expect(Object.isFrozen(machine.description.distances[0])).toBe(true);
  });
});
