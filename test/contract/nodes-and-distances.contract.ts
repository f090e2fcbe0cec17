/**
 * What holds of any machine's nodes: what a table of its hardware says may be relied on.
 *
 * Source: the firmware's SLIT, which the kernel takes as it is once a node is 10 from itself and
 * farther from every other; drivers/acpi/numa/srat.c, slit_valid().
 */

import { describe, expect } from 'vitest';
import { expectValue } from '../support/expect-value.ts';
import { backendTestsOf } from './backend-scene.ts';
import type { BackendSubject } from './backend-world.ts';

export function nodesAndDistancesContract(subject: BackendSubject): void {
  describe('nodes and distances', { tags: ['shown-nodes'] }, () => {
    const declare = backendTestsOf(subject);

    declare('it is as far there as back, and farther than at home', ({ backend }) => {
      const { nodes, distances } = expectValue(backend.topology());
      expect(distances).toHaveLength(nodes.length);
      for (const [from, row] of distances.entries()) {
        expect(row).toHaveLength(nodes.length);
        for (const [to, distance] of row.entries()) {
          expect(distance, `${from} to ${to}`).toBe(distances[to]?.[from]);
          if (from === to) expect(distance).toBe(10);
          else expect(distance).toBeGreaterThan(10);
        }
      }
    });

    declare('every CPU is on one node, and the machine has no other', ({ backend, machine }) => {
      const { nodes } = expectValue(backend.topology());
      const cpus = nodes.flatMap((node) => node.cpus ?? []);
      expect(new Set(cpus).size).toBe(cpus.length);
      const known = machine.topology.nodes.flatMap((node) => node.cpus);
      expect([...cpus].sort((a, b) => a - b)).toEqual([...known].sort((a, b) => a - b));
      for (const cpu of expectValue(backend.schedGetaffinity())) expect(cpus).toContain(cpu);
    });

    declare('each node has a size, and no more free than that', ({ backend, machine }) => {
      const { nodes } = expectValue(backend.topology());
      expect(nodes.map(({ id }) => id)).toEqual(machine.topology.nodes.map(({ id }) => id));
      for (const { id } of nodes) {
        const { memoryBytes, freeBytes } = expectValue(backend.nodeMemory(id));
        expect(Number(memoryBytes) % backend.pageSizeBytes).toBe(0);
        expect(freeBytes).toBeLessThanOrEqual(Number(memoryBytes));
        if (machine.memoryNodes.includes(id)) expect(memoryBytes).toBeGreaterThan(0);
      }
    });
  });
}
