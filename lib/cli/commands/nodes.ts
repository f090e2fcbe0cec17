/**
 * `node-numa nodes`: the machine's nodes, with what is in them and how far they are apart.
 */

import { type CommandSpec, defineCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { backendLine } from '../render/backend-line.ts';
import { type Column, table } from '../render/table.ts';
import { bytesText } from '../render/units.ts';

interface NodeRow {
  readonly id: number;
  readonly memoryBytes: number;
  readonly freeBytes: number;
}

const COLUMNS: readonly Column<NodeRow>[] = [
  { heading: 'node', cell: ({ id }) => `${id}`, align: 'right' },
  { heading: 'memory', cell: ({ memoryBytes }) => bytesText(memoryBytes), align: 'right' },
  { heading: 'free', cell: ({ freeBytes }) => bytesText(freeBytes), align: 'right' },
];

export const nodesCommand: CommandSpec = defineCommand({
  name: 'nodes',
  summary: 'show the nodes: CPUs, memory, distances, huge pages',
  examples: [
    { line: 'node-numa nodes', says: 'the nodes of this host' },
    { line: 'node-numa nodes --machine four-nodes --json', says: 'those of a simulated machine' },
  ],
  takesMachine: true,
  takesJson: true,
  async run({ options, output, open }) {
    const numa = open();
    const nodes = numa.topology.nodes.map(({ id, memoryBytes }) => {
      return { id, memoryBytes, freeBytes: numa.freeMemory(id) };
    });
    if (options.json) {
      output.json({ backend: numa.backend, nodes });
      return EXIT.DONE;
    }
    output.lines([
      backendLine(numa.backend, output.colours),
      ...table(nodes, COLUMNS, { columns: output.columns }),
    ]);
    return EXIT.DONE;
  },
});
