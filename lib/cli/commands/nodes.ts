/**
 * `node-numa nodes`: the machine's nodes, with what is in them and how far they are apart.
 */

import { formatIdList } from '../../core/id-list.ts';
import type { NodeStatistics } from '../../facade/host/node-statistics.ts';
import type { Topology } from '../../facade/topology.ts';
import { type CommandSpec, defineCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { backendLine } from '../render/backend-line.ts';
import { nodeOverview } from '../render/node-overview.ts';

export const nodesCommand: CommandSpec = defineCommand({
  name: 'nodes',
  summary: 'show the nodes: CPUs, memory, distances, huge pages',
  description: [
    'What numactl -H shows, with the pools of huge pages, the tiers of memory and the state of ' +
      'automatic balancing. Distances are from the node of the row to that of the column: 10 is ' +
      'local, 20 twice as far.',
  ],
  examples: [
    { line: 'node-numa nodes', says: 'the nodes of this host' },
    { line: 'node-numa nodes --machine four-nodes --json', says: 'those of a simulated machine' },
  ],
  takesMachine: true,
  takesJson: true,
  async run({ options, output, open }) {
    const numa = open();
    const { backend, topology } = numa;
    const allowed = numa.allowedNodes();
    const [statistics, balancing] = await Promise.all([numa.nodeStatistics(), numa.balancing()]);
    if (options.json) {
      const nodes = statistics.map((node) => nodeObject(node, topology));
      output.json({ backend, allowedNodes: allowed, nodes, balancing });
      return EXIT.DONE;
    }
    const { colours, columns } = output;
    output.lines([
      backendLine(backend, colours),
      '',
      ...nodeOverview({ topology, statistics, allowed, balancing }, { columns, colours }),
    ]);
    return EXIT.DONE;
  },
});

function nodeObject({ id, memory, hugePages }: NodeStatistics, topology: Topology): object {
  const { cpus, tier } = topology.node(id);
  const distances = topology.nodes.map(({ id: to }) => [to, topology.distance(id, to)]);
  return {
    id,
    cpus: cpus && formatIdList(cpus),
    memory,
    tier: tier ?? null,
    distances: Object.fromEntries(distances),
    hugePages,
  };
}
