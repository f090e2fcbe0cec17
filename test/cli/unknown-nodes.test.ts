/** Commands on machines that do not tell of all nodes: memory and threads there are shown, too. */

import { describe, expect, test } from 'vitest';
import type { Backend } from '../../lib/backend/backend.ts';
import { statCommand } from '../../lib/cli/commands/stat.ts';
import { topCommand } from '../../lib/cli/commands/top.ts';
import { whereCommand } from '../../lib/cli/commands/where.ts';
import { bind, type Numa, openNuma } from '../../lib/index.ts';
import { Machine, presets } from '../../lib/simulator/public.ts';
import { printedBy } from './print-command.ts';

const PAGES = 256;

/** Node 0 hides its CPUs; node 3, where the memory is, came since: no table of nodes has it. */
function openPartly(): Numa {
  const machine = new Machine(presets.fourNodes);
  const whole = machine.self.backend.topology();
  if (!whole.ok) throw new Error('no topology');
  const { nodes, distances } = whole.value;
  const value = {
    nodes: nodes.slice(0, 3).map((node) => (node.id === 0 ? { ...node, cpus: null } : node)),
    distances: distances.slice(0, 3).map((row) => row.slice(0, 3)),
    allowedNodes: [0, 1, 2],
  };
  const backend = new Proxy(machine.self.backend, {
    get(target, name: keyof Backend) {
      if (name === 'topology') return () => ({ ok: true, value });
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  const own = openNuma({ machine });
  const buffer = own.allocate(PAGES * own.pageSizeBytes, { policy: bind(3) });
  buffer.touch();
  return openNuma({ backend });
}

describe('memory on a node that the machine does not tell of', () => {
  const { pid } = openPartly().process();

  test('is a column of stat PID', async () => {
    const text = await printedBy(statCommand, openPartly, [[pid]], {});
    expect(text).toMatch(/node 2 +node 3 +total/);
    expect(text).toMatch(/^Private .* 1\.00 +1\.\d\d$/m);
  });

  test('is a row of where, and in its bars and page maps', async () => {
    const text = await printedBy(whereCommand, openPartly, [pid], { maps: true, top: 1 });
    expect(text).toMatch(/^ *3 +1 MiB +\d+ % +#+ +\? +\?$/m);
    expect(text).toMatch(/^ +3333333\S*$/m);
    expect(text).toMatch(/1 MiB +3{12}/);
    expect(text).toContain('3 node 3');
  });

  test('is in the bars of top', async () => {
    const text = await printedBy(topCommand, openPartly, [], { count: 1, sort: 'memory' });
    expect(text).toMatch(/MiB +03{15} /);
  });
});

describe('threads on CPUs of no known node', () => {
  const { pid } = openPartly().process();

  test('have a row of their own, and make others unknown, not 0', async () => {
    const text = await printedBy(whereCommand, openPartly, [pid], { top: 1 });
    expect(text).toMatch(/^ *0 .* \? +\?$/m);
    expect(text).toMatch(/^ *1 .* 0 +0 %$/m);
    expect(text).toMatch(/^ *\? +0 B .* 1 +\d+ %$/m);
  });

  test('run on nodes that nobody knows', async () => {
    const options = { count: 1, sort: 'memory' };
    const json = JSON.parse(
      await printedBy(topCommand, openPartly, [], { ...options, json: true }),
    );
    expect(json.processes[0].nodesRunOn).toBeNull();
    expect(await printedBy(topCommand, openPartly, [], options)).toMatch(/ \? +\? /);
  });
});
