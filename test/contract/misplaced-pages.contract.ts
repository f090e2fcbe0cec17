/**
 * What mbind does with each kind of page that is not where the new policy wants it: a table of
 * page kinds and flags.
 *
 * Source: mbind(2), where MPOL_MF_STRICT is told differently; mm/mempolicy.c,
 * queue_folios_pte_range() and migrate_folio_add().
 */

import { describe, expect } from 'vitest';
import { MPOL, MPOL_MF } from '../../lib/core/uapi.ts';
import { expendable, memoryNodes, privileged } from '../support/needs.ts';
import { cpuNodes } from './first-touch.contract.ts';
import { fillNode, smallestNode } from './full-node.ts';
import { mapPages, maskOf, type Pages, placeOn, rangePolicy, where } from './pages.ts';
import { type OpenSubject, type Scene, testsOf } from './scene.ts';
import type { Trait } from './world.ts';

const { STRICT, MOVE, MOVE_ALL } = MPOL_MF;

/** Rows of flags; the answer, whether the page moved, whether the policy was installed. */
interface Outcome {
  readonly errno?: 'EIO';
  readonly moves?: boolean;
  readonly installs?: boolean;
}

const FLAG_ROWS = [
  ['no flag', 0],
  ['STRICT', STRICT],
  ['MOVE', MOVE],
  ['MOVE and STRICT', MOVE | STRICT],
  ['MOVE_ALL', MOVE_ALL],
  ['MOVE_ALL and STRICT', MOVE_ALL | STRICT],
] as const;

const STAYS: Outcome = { installs: true };
const MOVES: Outcome = { installs: true, moves: true };
const REFUSED: Outcome = { errno: 'EIO' };
const STUCK: Outcome = { errno: 'EIO', installs: true };

/** A kind of page: how to make it of a page on the wrong node, and what each row does. */
interface PageKind {
  readonly name: string;
  readonly traits?: readonly Trait[];
  prepare(scene: Scene, pages: Pages): Promise<unknown>;
  readonly outcomes: readonly [Outcome, Outcome, Outcome, Outcome, Outcome, Outcome];
}

const KINDS: readonly PageKind[] = [
  {
    name: 'mapped once',
    prepare: async () => {},
    outcomes: [STAYS, REFUSED, MOVES, MOVES, MOVES, MOVES],
  },
  {
    // MOVE and STRICT together let it pass, where STRICT alone does not.
    name: 'shared with a child',
    traits: ['sharing'],
    prepare: ({ process }) => process.fork(),
    outcomes: [STAYS, REFUSED, STAYS, STAYS, MOVES, MOVES],
  },
  {
    name: 'pinned',
    traits: ['references'],
    prepare: async ({ process }, pages) =>
      expect(await process.references.splice(pages.span)).toSucceed(),
    outcomes: [STAYS, REFUSED, STAYS, STUCK, STAYS, STUCK],
  },
  {
    name: 'locked',
    traits: ['mlock'],
    prepare: async ({ process }, pages) =>
      expect(await process.memory.mlock(pages.span)).toSucceed(),
    outcomes: [STAYS, REFUSED, MOVES, MOVES, MOVES, MOVES],
  },
];

export function misplacedPagesContract(subject: OpenSubject): void {
  describe('misplaced pages', { tags: ['node-numbers'] }, () => {
    const declare = testsOf(subject);

    for (const { name, traits = [], prepare, outcomes } of KINDS) {
      const needs = [memoryNodes(2), privileged];
      declare(`a page ${name} meets each flag of mbind`, { needs, traits }, async (scene) => {
        const { process, machine } = scene;
        const [first, second] = machine.memoryNodes as [number, number];
        for (const [index, [label, flags]] of FLAG_ROWS.entries()) {
          const { errno, moves, installs } = outcomes[index] as Outcome;
          const pages = await mapPages(process, machine, 1);
          await placeOn(pages, [first]);
          await prepare(scene, pages);
          const result = await pages.mbind(MPOL.BIND, maskOf(second), flags);
          if (errno === undefined) expect(result, label).toSucceed();
          else expect(result, label).toFailWith('mbind', errno);
          expect(await where(pages), label).toResideOn([moves ? second : first]);
          const mode = installs ? MPOL.BIND : MPOL.DEFAULT;
          expect((await rangePolicy(pages, machine)).mode, label).toBe(mode);
        }
      });
    }

    declare(
      'pages that are not there are never misplaced',
      { needs: [privileged] },
      async ({ process, machine, node }) => {
        for (const [label, flags] of FLAG_ROWS) {
          const pages = await mapPages(process, machine, 2);
          await pages.part(1, 2).touch('read');
          const before = await where(pages);
          expect(await pages.mbind(MPOL.BIND, maskOf(node), flags), label).toSucceed();
          expect(await where(pages), label).toResideOn(before);
        }
      },
    );

    declare(
      'a pinned page stays, the others move, and the call fails only if STRICT',
      {
        needs: [memoryNodes(2)],
        traits: ['references'],
      },
      async ({ process, machine }) => {
        const [first, second] = machine.memoryNodes as [number, number];
        for (const flags of [MOVE, MOVE | STRICT]) {
          const pages = await mapPages(process, machine, 5);
          await placeOn(pages, [first, first, first, first, first]);
          const pin = await process.references.splice({ address: pages.at(2), pageCount: 1 });
          const result = await pages.mbind(MPOL.BIND, maskOf(second), flags);
          if (flags === MOVE) expect(result).toSucceed();
          else expect(result).toFailWith('mbind', 'EIO');
          expect(await where(pages)).toResideOn([second, second, first, second, second]);
          if (pin.ok) await process.references.close(pin.value);
          expect(await pages.mbind(MPOL.BIND, maskOf(second), MOVE | STRICT)).toSucceed();
          expect(await where(pages)).toResideOn(new Array<number>(5).fill(second));
        }
      },
    );

    declare(
      "LOCAL with MOVE takes pages to the caller's node",
      { needs: [memoryNodes(2)] },
      async ({ process, machine }) => {
        for (const { node, cpu } of cpuNodes(machine)) {
          const elsewhere = machine.memoryNodes.find((other) => other !== node) as number;
          expect(await process.runOnCpu(cpu)).toSucceed();
          for (const mode of [MPOL.LOCAL, MPOL.PREFERRED]) {
            const pages = await mapPages(process, machine, 2);
            await placeOn(pages, [elsewhere, node]);
            expect(await pages.mbind(mode, null, MOVE)).toSucceed();
            expect(await where(pages)).toResideOn([node, node]);
          }
        }
      },
    );

    declare(
      'PREFERRED with MOVE and STRICT takes another node when its own is full',
      {
        needs: [expendable, memoryNodes(3)],
        traits: ['sharing'],
      },
      async (scene) => {
        const { process, machine, world } = scene;
        const full = smallestNode(machine);
        const start = machine.memoryNodes.find((node) => node !== full) as number;
        const pages = await mapPages(process, machine, 256);
        await placeOn(pages, new Array<number>(256).fill(start));
        const filler = await world.spawn();
        await fillNode(filler, machine, full);
        const result = await pages.mbind(MPOL.PREFERRED, maskOf(full), MOVE | STRICT);
        const residence = await where(pages);
        await filler.exit();
        expect(result).toSucceed();
        expect(residence.filter((status) => status < 0)).toEqual([]);
        expect(residence.some((node) => node !== full)).toBe(true);
      },
    );
  });
}
