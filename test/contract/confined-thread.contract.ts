/**
 * A program started on one CPU with a policy of its thread: where its first mebibyte is. It is
 * what a launcher gives: the policy is set, a child inherits it, the child allocates.
 *
 * Source: set_mempolicy(2), fork(2), sched_setaffinity(2).
 */

import { expect } from 'vitest';
import { MADV, MPOL } from '../../lib/core/uapi.ts';
import { MIB_BYTES } from '../../lib/core/units.ts';
import { expendable, memoryNodes } from '../support/needs.ts';
import { cpuNodes } from './first-touch.contract.ts';
import { areasIn, createObject, familyFor, mapObject, settingsOf } from './objects.ts';
import { FREE_ADDRESS, HUGE_BYTES, mapPages, maskOf, move, type Pages, where } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';
import type { WorldProcess } from './world.ts';

const TWO_NODES: Conditions = { needs: [memoryNodes(2)], traits: ['sharing'] };

/** A child of a process that was confined to a CPU and given a policy. */
async function launch(
  { process }: Scene,
  cpu: number | undefined,
  mode: number,
  nodes: readonly number[],
): Promise<WorldProcess> {
  const launcher = await process.fork();
  if (cpu !== undefined) expect(await launcher.runOnCpu(cpu)).toSucceed();
  const nodemask = nodes.length === 0 ? null : maskOf(...nodes);
  expect(await launcher.numa.setMempolicy({ mode, nodemask })).toSucceed();
  return launcher.fork();
}

/** A mebibyte that the process maps and writes. */
async function mebibyte(
  { machine }: Scene,
  process: WorldProcess,
  options: { isShared?: boolean } = {},
): Promise<Pages> {
  return (await mapPages(process, machine, MIB_BYTES / machine.pageSizeBytes, options)).touch();
}

async function expectAllOn(pages: Pages, node: number): Promise<void> {
  expect(await where(pages)).toResideOn(new Array<number>(pages.count).fill(node));
}

function declarePolicies(declare: DeclareTest): void {
  declare('BIND to the node of the CPU has all of it there', TWO_NODES, async (scene) => {
    for (const { node, cpu } of cpuNodes(scene.machine)) {
      const process = await launch(scene, cpu, MPOL.BIND, [node]);
      await expectAllOn(await mebibyte(scene, process), node);
    }
  });

  for (const kind of ['private', 'shared'] as const) {
    const sentence = `PREFERRED of another node has all of it there: ${kind} memory`;
    declare(sentence, TWO_NODES, async (scene) => {
      const { memoryNodes: nodes } = scene.machine;
      for (const { node, cpu } of cpuNodes(scene.machine)) {
        const next = nodes[(nodes.indexOf(node) + 1) % nodes.length] as number;
        const process = await launch(scene, cpu, MPOL.PREFERRED, [next]);
        await expectAllOn(await mebibyte(scene, process, { isShared: kind === 'shared' }), next);
      }
    });

    const spread = `INTERLEAVE over all nodes spreads it evenly: ${kind} memory`;
    declare(spread, TWO_NODES, async (scene) => {
      const { memoryNodes: nodes } = scene.machine;
      const process = await launch(scene, undefined, MPOL.INTERLEAVE, nodes);
      const pages = await mebibyte(scene, process, { isShared: kind === 'shared' });
      const residence = await where(pages);
      for (const node of nodes) {
        const count = residence.filter((one) => one === node).length;
        expect(count, `node ${node}`).toBeGreaterThanOrEqual(
          Math.floor(pages.count / nodes.length),
        );
      }
    });
  }

  declare('LOCAL has all of it on the node of the CPU', TWO_NODES, async (scene) => {
    for (const { node, cpu } of cpuNodes(scene.machine)) {
      const process = await launch(scene, cpu, MPOL.LOCAL, []);
      await expectAllOn(await mebibyte(scene, process), node);
    }
  });

  declare('every policy gives memory that keeps what is written', TWO_NODES, async (scene) => {
    const { memoryNodes: nodes } = scene.machine;
    const { DEFAULT, LOCAL, BIND, PREFERRED, PREFERRED_MANY, INTERLEAVE } = MPOL;
    const policies: [number, readonly number[]][] = [
      [DEFAULT, []],
      [LOCAL, []],
      ...nodes.flatMap((node): [number, number[]][] => [
        [BIND, [node]],
        [PREFERRED, [node]],
      ]),
      ...[BIND, PREFERRED_MANY, INTERLEAVE].map((mode): [number, readonly number[]] => [
        mode,
        nodes,
      ]),
    ];
    for (const [mode, allowed] of policies) {
      const process = await launch(scene, undefined, mode, allowed);
      const pages = await mebibyte(scene, process);
      const samples = [0, 1, 100, pages.count - 1];
      for (const index of samples) await process.memory.store(pages.at(index), BigInt(index) + 7n);
      for (const index of samples) {
        expect(await process.memory.load(pages.at(index))).toSucceed(BigInt(index) + 7n);
      }
      const among = allowed.length === 0 ? nodes : allowed;
      expect((await where(pages)).filter((node) => !among.includes(node))).toEqual([]);
    }
  });
}

function declareMoves(declare: DeclareTest): void {
  declare('a child stays on the CPU of its parent', TWO_NODES, async (scene) => {
    for (const { node, cpu } of cpuNodes(scene.machine)) {
      const process = await launch(scene, cpu, MPOL.DEFAULT, []);
      await expectAllOn(await mebibyte(scene, process), node);
      const grandchild = await process.fork();
      await expectAllOn(await mebibyte(scene, grandchild), node);
    }
  });

  declare('migrate_pages by another process takes all of it along', TWO_NODES, async (scene) => {
    const { process: caller, machine } = scene;
    const { memoryNodes: nodes } = machine;
    for (const [index, node] of nodes.entries()) {
      const next = nodes[(index + 1) % nodes.length] as number;
      const process = await launch(scene, undefined, MPOL.PREFERRED, [node]);
      const pages = await mebibyte(scene, process);
      await expectAllOn(pages, node);
      const request = { pid: process.pid, from: maskOf(node), to: maskOf(next) };
      expect(await caller.numa.migratePages(request)).toSucceed();
      await expectAllOn(pages, next);
      await process.exit();
    }
  });
}

function declareHuge(declare: DeclareTest): void {
  const conditions: Conditions = {
    needs: [expendable, memoryNodes(2)],
    traits: ['settings', 'objects', 'sharing'],
  };
  declare('BIND has a huge page of the pool on each node', conditions, async (scene) => {
    const { machine } = scene;
    const pageCount = HUGE_BYTES / machine.pageSizeBytes;
    await settingsOf(scene.world).withHugePool(1, async () => {
      for (const node of machine.memoryNodes) {
        const process = await launch(scene, undefined, MPOL.BIND, [node]);
        const object = await createObject({ ...scene, process }, 'hugetlb', pageCount);
        const pages = await mapObject(process, machine, object, { pageCount, isShared: false });
        await pages.part(0, 1).touch();
        expect(await where(pages.part(0, 1))).toResideOn([node]);
        const { status } = await move(process, pages.part(0, 1), node);
        expect(status).toEqual([node]);
        await process.exit();
      }
    });
  });
}

function declareTransparent(declare: DeclareTest): void {
  const conditions: Conditions = {
    needs: [expendable, memoryNodes(2)],
    traits: ['settings', 'areas', 'addresses', 'sharing'],
  };
  declare('PREFERRED has transparent huge pages on each node', conditions, async (scene) => {
    const { machine } = scene;
    const pageCount = (2 * HUGE_BYTES) / machine.pageSizeBytes;
    await settingsOf(scene.world).withTransparentHugePages(async () => {
      for (const node of machine.memoryNodes) {
        const process = await launch(scene, undefined, MPOL.PREFERRED, [node]);
        const areas = process.areas;
        expect(await process.allowHugePages()).toSucceed();
        const pages = await mapPages(process, machine, pageCount, { address: FREE_ADDRESS });
        expect(
          await areas.madvise({ address: pages.address, pageCount }, MADV.HUGEPAGE),
        ).toSucceed();
        await expectAllOn(await pages.touch(), node);
        const listed = await areasIn(process, { address: pages.address, pageCount });
        expect(listed.reduce((sum, { hugeBytes }) => sum + hugeBytes, 0)).toBe(2 * HUGE_BYTES);
        await process.exit();
      }
    });
  });
}

export function confinedThreadContract(subject: OpenSubject): void {
  familyFor(subject, 'a mebibyte of a confined child', ['sharing'], (declare) => {
    declarePolicies(declare);
    declareMoves(declare);
    declareHuge(declare);
    declareTransparent(declare);
  });
}
