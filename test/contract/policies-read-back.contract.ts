/**
 * A policy is read back as it was given, from the thread and from every page of a range, whatever
 * became of the range since.
 *
 * Source: get_mempolicy(2), which tells PREFERRED without nodes as PREFERRED, where kernels since
 * 5.14 say LOCAL; mm/mempolicy.c, do_get_mempolicy().
 */

import { describe, expect } from 'vitest';
import { MPOL } from '../../lib/core/uapi.ts';
import { MIB_BYTES } from '../../lib/core/units.ts';
import type { ObjectKind } from '../../lib/machine/objects.ts';
import { memoryNodes } from '../support/needs.ts';
import { createObject, given, mapObject } from './objects.ts';
import { mapPages, maskOf, Pages, rangePolicy, threadPolicy, where } from './pages.ts';
import { type Conditions, type DeclareTest, type OpenSubject, testsOf } from './scene.ts';
import type { WorldMachine } from './world.ts';

interface Policy {
  readonly mode: number;
  readonly nodes: readonly number[];
}

const NO_POLICY: Policy = { mode: MPOL.DEFAULT, nodes: [] };

/** Each form of a policy, and what is told of it. */
function forms(node: number): [given: Policy, told: Policy][] {
  const named = [MPOL.BIND, MPOL.INTERLEAVE, MPOL.PREFERRED, MPOL.PREFERRED_MANY].map(
    (mode): [Policy, Policy] => [
      { mode, nodes: [node] },
      { mode, nodes: [node] },
    ],
  );
  const local = { mode: MPOL.LOCAL, nodes: [] };
  return [
    [NO_POLICY, NO_POLICY],
    ...named,
    [{ mode: MPOL.PREFERRED, nodes: [] }, local],
    [local, local],
  ];
}

function maskFor({ nodes }: Policy): ReturnType<typeof maskOf> {
  return nodes.length === 0 ? null : maskOf(...nodes);
}

function declareForms(declare: DeclareTest): void {
  declare("a thread's policy, in every form", {}, async ({ process, machine }) => {
    for (const node of machine.memoryNodes) {
      for (const [policy, told] of forms(node)) {
        const request = { mode: policy.mode, nodemask: maskFor(policy) };
        expect(await process.numa.setMempolicy(request)).toSucceed();
        expect(await threadPolicy(process, machine)).toEqual(told);
      }
    }
  });

  declare("a range's policy, in every form", {}, async ({ process, machine }) => {
    for (const node of machine.memoryNodes) {
      for (const [policy, told] of forms(node)) {
        const pages = await mapPages(process, machine, 4);
        expect(await pages.mbind(policy.mode, maskFor(policy))).toSucceed();
        expect(await rangePolicy(pages.part(0, 1), machine)).toEqual(told);
        expect(await rangePolicy(pages.part(3, 4), machine)).toEqual(told);
      }
    }
  });

  declare(
    'a preferred node of each page, and the pages are there',
    { needs: [memoryNodes(2)] },
    async ({ process, machine }) => {
      const { memoryNodes: nodes } = machine;
      const pages = await mapPages(process, machine, 2 * nodes.length);
      for (const [index, node] of nodes.entries()) {
        const one = pages.part(index, index + 1);
        expect(await one.mbind(MPOL.PREFERRED, maskOf(node))).toSucceed();
        const preferred = { mode: MPOL.PREFERRED, nodes: [node] };
        expect(await rangePolicy(one, machine)).toEqual(preferred);
        expect(await where(await one.touch())).toResideOn([node]);
        const pair = [node, nodes.at(index - 1) as number].sort((a, b) => a - b);
        const two = pages.part(nodes.length + index, nodes.length + index + 1);
        expect(await two.mbind(MPOL.PREFERRED_MANY, maskOf(...pair))).toSucceed();
        const many = { mode: MPOL.PREFERRED_MANY, nodes: pair };
        expect(await rangePolicy(two, machine)).toEqual(many);
        expect(pair).toContain((await where(await two.touch()))[0]);
      }
    },
  );
}

function declareGrowth(declare: DeclareTest): void {
  const conditions: Conditions = { needs: [memoryNodes(2)], traits: ['areas', 'addresses'] };
  declare('a mapping that grew by pages, and shrank', conditions, async ({ process, machine }) => {
    const node = machine.memoryNodes.at(-1) as number;
    const areas = process.areas;
    let pages = await mapPages(process, machine, 1);
    expect(await pages.mbind(MPOL.BIND, maskOf(node))).toSucceed();
    await pages.touch();
    const told = { mode: MPOL.BIND, nodes: [node] };
    // Page by page at first, then by 64: each step is one more call of the process.
    while (pages.count < 1024) {
      const count = pages.count < 128 ? pages.count + 1 : pages.count + 64;
      const address = given(await areas.resize(pages.span, count));
      pages = new Pages(process, address, count, machine.pageSizeBytes);
      if (count % 64 === 0) await pages.part(count - 64, count).touch();
    }
    expect(await where(pages)).toResideOn(new Array<number>(1024).fill(node));
    for (const index of [0, 1, 511, 1023]) {
      expect(await rangePolicy(pages.part(index, index + 1), machine)).toEqual(told);
    }
    const address = given(await areas.resize({ address: pages.address, pageCount: 1024 }, 1));
    const left = new Pages(process, address, 1, machine.pageSizeBytes);
    expect(await rangePolicy(left, machine)).toEqual(told);
    expect(await where(left)).toResideOn([node]);
  });
}

/** A segment of 20 MiB whose first parts have policies of their own; the rest has none. */
function declareSegments(declare: DeclareTest, kind: ObjectKind): void {
  const conditions: Conditions = { needs: [memoryNodes(2)], traits: ['objects', 'sharing'] };
  declare(`${kind}: several policies of one segment`, conditions, async (scene) => {
    const { process, machine } = scene;
    const [first, second] = machine.memoryNodes as [number, number];
    const perMib = MIB_BYTES / machine.pageSizeBytes;
    const object = await createObject(scene, kind, 20 * perMib);
    const segment = await mapObject(process, machine, object, { pageCount: 20 * perMib });
    const parts: [from: number, policy: Policy][] = [
      [2, { mode: MPOL.INTERLEAVE, nodes: [first, second] }],
      [4, { mode: MPOL.BIND, nodes: [second] }],
      [6, { mode: MPOL.PREFERRED, nodes: [second] }],
    ];
    const partAt = (mib: number): Pages => segment.part(mib * perMib, (mib + 2) * perMib);
    for (const [from, policy] of parts) {
      expect(await partAt(from).mbind(policy.mode, maskFor(policy), 1)).toSucceed();
    }
    for (const [from, policy] of [[0, NO_POLICY], ...parts, [8, NO_POLICY]] as typeof parts) {
      const part = partAt(from);
      expect(await rangePolicy(part, machine)).toEqual(policy);
      expect(await rangePolicy(part.part(part.count - 1, part.count), machine)).toEqual(policy);
    }
    for (const [from, { mode, nodes }] of parts) {
      const part = await partAt(from).touch();
      const residence = await where(part);
      const onSecond = residence.filter((node) => node === second).length;
      expect(residence.filter((node) => !nodes.includes(node))).toEqual([]);
      expect(onSecond).toBe(mode === MPOL.INTERLEAVE ? part.count / 2 : part.count);
    }
  });
}

/** Numbers below a bound, the same ones in every run. */
function numbersFrom(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % bound;
  };
}

/** Pages to either side of a border: the nearest, some on the way, the farthest. */
const AROUND = [-20, -10, -3, -2, -1, 0, 1, 2, 10, 19];

async function checkAround(
  pages: Pages,
  machine: WorldMachine,
  model: readonly Policy[],
  border: number,
): Promise<void> {
  const indexes = AROUND.map((offset) => border + offset);
  for (const index of indexes.filter((at) => at >= 0 && at < pages.count)) {
    const told = await rangePolicy(pages.part(index, index + 1), machine);
    expect(told, `page ${index} at border ${border}`).toEqual(model[index]);
  }
}

function declareRandom(declare: DeclareTest, kind: 'shared' | 'private'): void {
  const sentence = `${kind} memory: policies at random, 20 pages to either side of a change`;
  declare(sentence, { traits: ['sharing'] }, async ({ process, machine }) => {
    const below = numbersFrom(kind.length);
    const pages = await mapPages(process, machine, 256, { isShared: kind === 'shared' });
    const model = new Array<Policy>(pages.count).fill(NO_POLICY);
    for (let round = 0; round < 12; round += 1) {
      const node = machine.memoryNodes[below(machine.memoryNodes.length)] as number;
      const all = forms(node);
      const [policy, told] = all[below(all.length)] as [Policy, Policy];
      const start = below(pages.count);
      const end = start + 1 + below(pages.count - start);
      expect(await pages.part(start, end).mbind(policy.mode, maskFor(policy))).toSucceed();
      model.fill(told, start, end);
      await checkAround(pages, machine, model, start);
      await checkAround(pages, machine, model, end);
    }
  });
}

export function policiesReadBackContract(subject: OpenSubject): void {
  describe('policies read back', () => {
    const declare = testsOf(subject);
    declareForms(declare);
    declareGrowth(declare);
    for (const kind of ['memfd', 'sysv', 'tmpfs'] as const) declareSegments(declare, kind);
    for (const kind of ['shared', 'private'] as const) declareRandom(declare, kind);
  });
}
