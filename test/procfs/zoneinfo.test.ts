/** The room in a node's zones, as /proc/zoneinfo tells it. */

import { expect, test } from 'vitest';
import { roomPagesOf } from '../../lib/procfs/zoneinfo.ts';
import { defaultMachine } from '../../lib/simulator/public.ts';

const KERNELS = `Node 0, zone      DMA
  per-node stats
      nr_inactive_anon 0
  pages free     3840
        boost    0
        min      13
        low      16
        high     19
        managed  3840
        protection: (0, 3019, 19147, 19147, 19147)
Node 0, zone   Normal
  pages free     20000
        boost    0
        min      14220
        low      17775
        protection: (0, 0, 0, 0, 0)
Node 10, zone   Normal
  pages free     7
        min      14
        protection: (0, 0, 0, 0, 0)
Node 10, zone  Movable
  pages free     500
        min      32
        protection: (0, 0, 0, 0, 0)
`;

test('is what is free above the watermark and what is kept for other zones', () => {
  expect(roomPagesOf(KERNELS, 0)).toBe(20000 - 14220);
  expect(roomPagesOf(KERNELS, 10)).toBe(500 - 32);
  expect(roomPagesOf(KERNELS, 1)).toBe(0);
});

test('of a simulated machine is what an allocation may take', () => {
  const machine = defaultMachine();
  const zones = machine.self.backend.readTextSync('/proc/zoneinfo');
  const [node] = machine.topology().nodes;
  const memory = node?.memoryBytes ?? 0;
  const room = zones.ok ? roomPagesOf(zones.value, node?.id ?? 0) * machine.pageSizeBytes : 0;
  expect(room).toBeGreaterThan(memory * 0.9);
  expect(room).toBeLessThan(memory);
});
