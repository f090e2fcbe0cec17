/**
 * Memory that drivers and programs hold on to, against all that moves pages: each call, and
 * automatic balancing. The two kinds that a driver's author asked about in 2013 are those of
 * examples/pinned-buffer.mjs and examples/driver-memory.mjs; docs/pinned-memory.md has the answers.
 *
 * Source: none of the man pages; linux-mm archive, 4-6 June 2013, "Handling NUMA page migration";
 * mm/mempolicy.c, queue_folios_pte_range(); mm/migrate.c, migrate_folio_unmap();
 * kernel/sched/fair.c, task_numa_work().
 */

import { expect } from 'vitest';
import { ERRNO, errnoName } from '../../lib/core/errno.ts';
import { MPOL, MPOL_MF } from '../../lib/core/uapi.ts';
import type { CpusetCalls } from '../../lib/machine/settings.ts';
import type { Later } from '../support/later.ts';
import { expendable, memoryNodes, type Need, privileged } from '../support/needs.ts';
import { confine, cpusetTests } from './cpuset-scene.ts';
import { cpuNodes } from './first-touch.contract.ts';
import { familyFor } from './objects.ts';
import { mapPages, maskOf, move, Pages, where } from './pages.ts';
import { DRIVER_MEMORY, type Group, PINNED_BUFFER, SINGLE_HOLDS } from './pinned-kinds.ts';
import { expectedTable } from './pinned-table.ts';
import { measuredTables } from './pinned-verdicts.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';

const { EBUSY } = ERRNO;
const { MOVE, MOVE_ALL, STRICT } = MPOL_MF;

const twoCpuNodes: Need = (machine) =>
  cpuNodes(machine).length >= 2 ? null : 'needs two nodes with CPUs and memory';

const CONDITIONS: Conditions = {
  // When balancing comes round is up to the load of the machine.
  retries: 2,
  needs: [expendable, privileged, twoCpuNodes],
  traits: ['settings', 'areas', 'objects', 'references', 'mlock', 'addresses', 'sharing'],
};

async function expectTables(scene: Scene, groups: readonly Group[]): Promise<void> {
  const measured = await measuredTables(scene, groups);
  await scene.note(`On Linux ${scene.machine.kernel}\n\n${measured.join('\n\n')}\n`);
  expect(measured).toEqual(groups.map((group) => expectedTable(group, scene.facts)));
}

export function pinnedMemoryContract(subject: OpenSubject): void {
  familyFor(subject, { name: 'pinned memory', tags: ['scanner'] }, ['settings'], (declare) => {
    declare("a program's pages move until they are pinned, a driver's never", CONDITIONS, (scene) =>
      expectTables(scene, [...PINNED_BUFFER, ...DRIVER_MEMORY]),
    );

    declare('a reference keeps pages, a lock does not, shared or not', CONDITIONS, (scene) =>
      expectTables(scene, SINGLE_HOLDS),
    );

    declareCpuset(declare);
    declareRing(declare);
    declareReserved(declare);
  });
}

function declareCpuset(declare: DeclareTest): void {
  const cpusets = cpusetTests(declare);
  const sentence = 'a cpuset takes locked pages to its new nodes, and leaves pinned ones';
  const body = async (scene: Scene, create: () => Promise<Later<CpusetCalls>>): Promise<void> => {
    const { process, machine, skip } = scene;
    const cpuset = await confine(scene, create, '1');
    const pages = await (await mapPages(process, machine, 4)).touch();
    expect(await process.memory.mlock({ address: pages.address, pageCount: 4 })).toSucceed();
    const pin = await process.references.registerBuffer({ address: pages.address, pageCount: 2 });
    if (!pin.ok) skip(`needs io_uring: ${errnoName(pin.errno)}`);
    expect(await cpuset.setMems('2')).toSucceed();
    expect(await where(pages)).toResideOn([1, 1, 2, 2]);
  };
  cpusets(sentence, body, ['references', 'mlock']);
}

function declareRing(declare: DeclareTest): void {
  const conditions: Conditions = { needs: [privileged], traits: ['references'] };
  declare('a ring of packets is registered as this kernel lets it', conditions, async (scene) => {
    const { process, machine, skip, facts } = scene;
    const { references } = process;
    const memory = await (await mapPages(process, machine, 1)).touch();
    const own = await references.registerBuffer({ address: memory.address, pageCount: 1 });
    if (!own.ok) skip(`needs io_uring: ${errnoName(own.errno)}`);
    const ring = await references.packetRing({ blockPages: 1, blockCount: 1 });
    if (!ring.ok) return skip(`needs a ring of packets: ${errnoName(ring.errno)}`);
    const result = await references.registerBuffer({ address: ring.value, pageCount: 1 });
    if (facts.ringsTakeFiles) expect(result).toSucceed();
    else expect(result).toFailWith('register_buffer', 'EOPNOTSUPP');
  });
}

/** Code that the kernel maps into each process, in pages of its own image. */
function declareReserved(declare: DeclareTest): void {
  const conditions: Conditions = { needs: [memoryNodes(2), privileged], traits: ['areas'] };
  declare('reserved pages are passed over', conditions, async (scene) => {
    const { process, machine, skip } = scene;
    const area = await process.areas.special('vdso');
    if (!area.ok) return skip('needs a vdso');
    const { address, pageCount } = area.value;
    const pages = new Pages(process, address, pageCount, machine.pageSizeBytes);
    const before = await where(await pages.touch('read'));
    const other = machine.memoryNodes.find((node) => node !== before[0]) as number;
    for (const flags of [STRICT, MOVE, MOVE | STRICT, MOVE_ALL, MOVE_ALL | STRICT]) {
      expect(await pages.mbind(MPOL.BIND, maskOf(other), flags), `${flags}`).toSucceed();
    }
    const { result, status } = await move(process, pages, other, MOVE_ALL);
    expect(result).toSucceed(0);
    expect(status).toEqual(new Array<number>(pageCount).fill(-EBUSY));
    const request = { pid: 0, from: maskOf(before[0] as number), to: maskOf(other) };
    expect((await process.numa.migratePages(request)).ok).toBe(true);
    expect(await where(pages)).toResideOn(before);
  });
}
