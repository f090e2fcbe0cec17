/** Processes that are there, and have no memory: what each call about them says. */

import { describe, expect, it } from 'vitest';
import { openNuma } from '../../lib/index.ts';
import { kernelLines, Machine } from '../../lib/simulator/public.ts';

describe.each(kernelLines)('a process without memory, Linux %s', (kernel) => {
  const machine = new Machine(undefined, { kernel });
  const numa = openNuma({ machine });
  const ended = machine.self.mainThread.forkEnded();

  const rows = [
    ['a thread of the kernel', machine.kernelThreadPid, 'NUMA_INVALID_ARGUMENT', 'thread of the'],
    ['one that has ended', ended.ok ? ended.value : 0, 'NUMA_NO_SUCH_PROCESS', 'has ended'],
  ] as const;

  describe.each(rows)('%s', (_name, pid, code, message) => {
    const process = numa.process(pid);
    const span = { address: 0x1000n, pageCount: 1 };
    const says = { code, message: expect.stringContaining(message) };

    it('has no bytes and no mappings', async () => {
      expect(await process.residency()).toMatchObject({ residentBytes: 0, mappingCount: 0 });
      expect(await process.mappings()).toEqual([]);
      expect(await process.threads()).toHaveLength(1);
    });

    it('cannot be asked for pages', async () => {
      await expect(process.locate(span)).rejects.toMatchObject(says);
      await expect(process.locateRuns(span)).rejects.toMatchObject(says);
      for (const pageCount of [2 ** 18, 2 ** 20]) {
        await expect(process.locate({ ...span, pageCount })).rejects.toMatchObject(says);
        await expect(process.locateRuns({ ...span, pageCount })).rejects.toMatchObject(says);
      }
    });

    it('has nothing to move', async () => {
      await expect(process.plan({ to: 1 })).rejects.toMatchObject(says);
      await expect(process.migrateMappings({ to: 1 })).rejects.toMatchObject(says);
      await expect(process.migrate({ to: 1 })).rejects.toMatchObject(says);
    });
  });
});
