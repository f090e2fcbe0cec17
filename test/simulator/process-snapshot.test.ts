/** A process at one moment: its parts agree, each file is read once, and all is of one process. */

import { describe, expect, test } from 'vitest';
import { type Backend, openNuma, type ProcessMapping } from '../../lib/index.ts';
import { Machine, type SimulatedProcess } from '../../lib/simulator/public.ts';
import { failureOf } from '../core/thrown.ts';
import { withFiles } from '../support/with-files.ts';

const PAGES = 64;

/** A process with some of its pages present, and a mapping of another kind. */
function service(machine: Machine): { process: SimulatedProcess; address: bigint } {
  const process = machine.process();
  const mapped = process.memory.mmap({ pageCount: PAGES });
  const shared = process.memory.mmap({ pageCount: PAGES, isShared: true });
  if (!mapped.ok || !shared.ok) throw new Error('mmap failed');
  for (const { value: address } of [mapped, shared]) {
    process.memory.touch({ address, pageCount: PAGES / 8 }, 'write');
  }
  return { process, address: mapped.value + BigInt((PAGES / 8) * 4096) };
}

/** Does something before each file of a process that is read. */
function watching(
  { pid }: SimulatedProcess,
  backend: Backend,
  run: (file: string) => void,
): Backend {
  const folder = `/proc/${pid}/`;
  return withFiles(backend, (path, ask) => {
    if (path.startsWith(folder)) run(path.slice(folder.length));
    return ask();
  });
}

/** Bytes of mappings, by node. */
function sumOf(mappings: readonly ProcessMapping[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [node, bytes] of mappings.flatMap((one) => Object.entries(one.bytesByNode))) {
    sums[node] = (sums[node] ?? 0) + bytes;
  }
  return sums;
}

describe('a snapshot', () => {
  test('of a process that changes at every look: its parts agree', async () => {
    const machine = new Machine();
    const { process, address } = service(machine);
    const pid = process.pid;
    const mover = openNuma({ machine });
    let pages = 0;
    const backend = watching(process, machine.self.backend, () => {
      pages += 1;
      process.memory.touch({ address: address + BigInt(pages * 4096), pageCount: 1 }, 'write');
    });
    const memory = openNuma({ backend }).process(pid);
    const seen = await memory.snapshot();
    expect(seen.residency.residentBytes).toBeGreaterThan(0);
    expect(sumOf(seen.mappings)).toEqual(seen.residency.bytesByNode);
    const apart = [await memory.residency(), await memory.mappings()] as const;
    expect(sumOf(apart[1])).not.toEqual(apart[0].bytesByNode);
    expect(seen.threads).toEqual(await mover.process(pid).threads());
    expect(seen.pid).toBe(pid);
  });

  test.each([
    [undefined, 'smaps'],
    [[], 'maps'],
    [[{ kind: 'heap' }, { kind: 'file' }, { kind: 'anonymous' }], 'smaps'],
  ] as const)('with mappings %j reads each file once', async (mappings, file) => {
    const machine = new Machine();
    const { process } = service(machine);
    const reads: string[] = [];
    const backend = watching(process, machine.self.backend, (file) => reads.push(file));
    await openNuma({ backend })
      .process(process.pid)
      .snapshot(mappings && { mappings });
    const own = reads.filter((path) => !path.includes('/') && path !== 'stat');
    expect(own).toEqual(['numa_maps', file]);
  });

  test('has the mappings that one of the filters takes, as mappings() has', async () => {
    const machine = new Machine();
    const { process } = service(machine);
    const memory = openNuma({ machine }).process(process.pid);
    const all = await memory.mappings();
    const kinds = [...new Set(all.map(({ kind }) => kind))];
    const filters = kinds.slice(0, 2).map((kind) => ({ kind }));
    const wanted = all.filter(({ kind }) => kinds.slice(0, 2).includes(kind));
    expect(await memory.mappings(filters)).toEqual(wanted);
    expect((await memory.snapshot({ mappings: filters })).mappings).toEqual(wanted);
    expect((await memory.snapshot({ mappings: {} })).mappings).toEqual(all);
    expect((await memory.snapshot({ mappings: [] })).mappings).toEqual([]);
    expect(await memory.mappings([])).toEqual([]);
    expect((await memory.snapshot({ mappings: [] })).residency).toEqual(await memory.residency());
  });

  test('is JSON, as all are that have addresses', async () => {
    const machine = new Machine();
    const { process } = service(machine);
    const memory = openNuma({ machine }).process(process.pid);
    const text = JSON.stringify(await memory.snapshot());
    expect((JSON.parse(text) as { mappings: object[] }).mappings[0]).toMatchObject({
      start: expect.stringMatching(/^0x[0-9a-f]+$/),
    });
    const [mapping] = await memory.mappings({ kind: 'anonymous' });
    const { start: address } = mapping as ProcessMapping;
    const plan = await memory.plan({ to: 1 });
    const report = await memory.migrateMappings({ to: 1 });
    const runs = await memory.locateRuns({ address, pageCount: 1 });
    const start = `"0x${address.toString(16)}"`;
    for (const one of [mapping, plan, report, runs]) expect(JSON.stringify(one)).toContain(start);
    const held = process.references.registerBuffer({ address, pageCount: 1 });
    expect(held.ok).toBe(true);
    const { error } = await failureOf(() => memory.migrateMappings({ to: 0, strict: true }));
    expect(error.code).toBe('NUMA_POLICY_NOT_MET');
    expect(JSON.stringify(error)).toContain(start);
  });

  test('is of one process, or none', async () => {
    const machine = new Machine();
    const { process } = service(machine);
    let looks = 0;
    const changed = withFiles(machine.self.backend, async (path, ask) => {
      const text = await ask();
      if (path !== `/proc/${process.pid}/stat` || !text.ok) return text;
      looks += 1;
      const words = text.value.trimEnd().split(' ');
      words[21] = `${Number(words[21]) + looks}`;
      return { ok: true, value: words.join(' ') };
    });
    const memory = openNuma({ backend: changed }).process(process.pid);
    const { code, error } = await failureOf(() => memory.snapshot());
    expect(code).toBe('NUMA_NO_SUCH_PROCESS');
    expect(error.message).toContain('another one has its pid now');
  });

  test('takes no wrong filter, and heeds its signal', async () => {
    const machine = new Machine();
    const memory = openNuma({ machine }).process();
    const wrong = { mappings: [{ kind: 'pile' }] } as never;
    const { code, error } = await failureOf(() => memory.snapshot(wrong));
    expect([code, error.argument]).toEqual(['ERR_INVALID_ARG_VALUE', 'options.mappings[0].kind']);
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    await expect(memory.snapshot({ signal })).rejects.toBe(reason);
    const gone = openNuma({ machine }).process(4000);
    await expect(gone.snapshot({ signal })).rejects.toBe(reason);
  });

  test('ends with the reason of its signal at whichever file that comes', async () => {
    const machine = new Machine();
    const { process } = service(machine);
    const endOf = (last: number): Promise<unknown> => {
      let reads = 0;
      const ending = new AbortController();
      const backend = watching(process, machine.self.backend, () => {
        reads += 1;
        if (reads === last) ending.abort(last);
      });
      const seen = openNuma({ backend }).process(process.pid).snapshot({ signal: ending.signal });
      return seen.then(({ pid }) => ({ pid }), String);
    };
    const ends = await Promise.all([1, 2, 3, 4, 5, 6].map(endOf));
    // stat, numa_maps, smaps, a thread's stat, stat again; then it is over before the signal.
    expect(ends).toEqual(['1', '2', '3', '4', '5', { pid: process.pid }]);
  });
});
