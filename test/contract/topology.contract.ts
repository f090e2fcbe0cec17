/** What a backend says of the machine, compared with what the machine says of itself. */

import { describe, expect } from 'vitest';
import { expectValue } from '../support/expect-value.ts';
import { backendTestsOf } from './backend-scene.ts';
import type { BackendSubject } from './backend-world.ts';

export function topologyContract(subject: BackendSubject): void {
  describe('topology', { tags: ['shown-nodes'] }, () => {
    const declare = backendTestsOf(subject);

    declare('a backend names itself, its kernel and its page size', ({ backend, machine }) => {
      expect(backend.identity.kind).not.toBe('');
      expect(backend.identity.kernel).toBe(machine.kernel);
      expect(backend.pageSizeBytes).toBe(machine.pageSizeBytes);
    });

    declare(
      'the online nodes come in order, with their CPUs and memory',
      ({ backend, machine }) => {
        const wanted = machine.topology.nodes.map(({ id, cpus, memoryBytes }) => ({
          id,
          cpus,
          memoryBytes,
        }));
        const { nodes } = expectValue(backend.topology());
        expect(nodes.map(({ id, cpus, memoryBytes }) => ({ id, cpus, memoryBytes }))).toEqual(
          wanted,
        );
        for (const { freeBytes, memoryBytes } of nodes) {
          expect(freeBytes).toBeLessThanOrEqual(Number(memoryBytes));
        }
      },
    );

    declare('distances are the firmware’s, local is 10', ({ backend, machine }) => {
      const { nodes, distances } = expectValue(backend.topology());
      expect(distances).toEqual(machine.topology.distances);
      expect(nodes.map((_, index) => distances[index]?.[index])).toEqual(nodes.map(() => 10));
    });

    declare("the allowed nodes are the thread's", ({ backend, machine }) => {
      expect(expectValue(backend.topology()).allowedNodes).toEqual(machine.topology.allowedNodes);
    });

    declare('what is online is possible', ({ backend, machine }) => {
      const { nodes, possibleNodes, possibleCpus } = expectValue(backend.topology());
      const count = machine.possibleNodeCount;
      expect(possibleNodes).toEqual(Array.from({ length: count }, (_, id) => id));
      for (const { id, cpus } of nodes) {
        expect(possibleNodes).toContain(id);
        for (const cpu of cpus ?? []) expect(possibleCpus).toContain(cpu);
      }
    });

    declare('every CPU is in one package, and shares one last cache', ({ backend }) => {
      const { nodes, packages, lastLevelCaches } = expectValue(backend.topology());
      const online = nodes.flatMap(({ cpus }) => cpus ?? []).sort((a, b) => a - b);
      for (const groups of [packages, lastLevelCaches]) {
        if (groups === undefined) continue;
        const cpus = groups.flatMap((group) => group.cpus);
        expect([...cpus].sort((a, b) => a - b)).toEqual(online);
        const lowest = groups.map((group) => Number(group.cpus[0]));
        expect(lowest).toEqual([...lowest].sort((a, b) => a - b));
      }
      const ids = packages?.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids?.length ?? 0);
      for (const { level } of lastLevelCaches ?? []) expect(level).toBeGreaterThan(0);
    });

    declare('memory is as fast as the firmware says', ({ backend }) => {
      const { nodes } = expectValue(backend.topology());
      const isTold = nodes.some(({ access }) => access !== undefined);
      for (const { id, cpus, access = [] } of isTold ? nodes : []) {
        expect(access).toHaveLength(1);
        const { initiators = [], ...speed } = access[0] ?? {};
        if (cpus?.length !== 0) expect(initiators).toEqual([id]);
        for (const initiator of initiators) {
          expect(nodes.find((node) => node.id === initiator)?.cpus).not.toEqual([]);
        }
        for (const value of Object.values(speed)) expect(value).toBeGreaterThan(0);
      }
    });

    declare("one node's memory is told now", ({ backend, machine }) => {
      for (const { id, memoryBytes } of machine.topology.nodes) {
        const memory = expectValue(backend.nodeMemory(id));
        expect(memory.memoryBytes).toBe(memoryBytes);
        // A node without memory has none free.
        if (memoryBytes > 0) expect(memory.freeBytes).toBeGreaterThan(0);
        else expect(memory.freeBytes).toBe(0);
      }
    });

    declare('a node that does not exist has no memory to tell', ({ backend, machine }) => {
      for (const node of [machine.possibleNodeCount, machine.nodesMax - 1, machine.nodesMax]) {
        expect(backend.nodeMemory(node).ok, `node ${node}`).toBe(false);
        expect(backend.nodeMemory(node)).toMatchObject({ errno: 22 });
      }
    });
  });

  describe('CPUs', () => {
    const declare = backendTestsOf(subject);

    declare(
      'a thread runs on the CPU that it is confined to, and knows its node',
      ({ backend, machine }) => {
        const before = expectValue(backend.schedGetaffinity());
        expect(before).toEqual([...before].sort((a, b) => a - b));
        try {
          for (const { id, cpus } of machine.topology.nodes) {
            for (const cpu of cpus.filter((one) => before.includes(one)).slice(0, 2)) {
              expect(backend.schedSetaffinity([cpu])).toSucceed();
              expect(backend.getcpu()).toSucceed({ cpu, node: id });
              expect(backend.schedGetaffinity()).toSucceed([cpu]);
            }
          }
        } finally {
          backend.schedSetaffinity(before);
        }
        expect(backend.schedGetaffinity()).toSucceed(before);
      },
    );

    declare('a thread cannot be left without a CPU', ({ backend }) => {
      const before = expectValue(backend.schedGetaffinity());
      expect(backend.schedSetaffinity([])).toFailWith('sched_setaffinity', 'EINVAL');
      expect(backend.schedSetaffinity([1023])).toFailWith('sched_setaffinity', 'EINVAL');
      expect(backend.schedGetaffinity()).toSucceed(before);
    });
  });
}
