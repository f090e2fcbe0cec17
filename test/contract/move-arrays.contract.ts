/**
 * move_pages with arrays that memory ends with: which entries are still handled, and which are
 * told.
 *
 * Source: mm/migrate.c, do_pages_move(), store_status() and do_pages_stat(), which reads and writes
 * 16 entries at once.
 */

import { expect } from 'vitest';
import { memoryNodes } from '../support/needs.ts';
import { familyFor } from './objects.ts';
import { mapPages, type Pages, placeOn, UNWRITTEN, where } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';

const CONDITIONS: Conditions = { traits: ['pointers'], needs: [memoryNodes(2)] };
const PAGES = 4;

type Request = Parameters<Scene['process']['numa']['movePages']>[0];

async function nearPages({ process, machine }: Scene, count = PAGES): Promise<Pages> {
  const pages = await mapPages(process, machine, count);
  await placeOn(
    pages,
    Array.from({ length: count }, () => machine.memoryNodes[0] as number),
  );
  return pages;
}

function addresses(pages: Pages, count = pages.count): BigUint64Array {
  return BigUint64Array.from({ length: count }, (_, index) => pages.at(index));
}

async function fail(pages: Pages, request: Omit<Request, 'status'>, entries = pages.count) {
  const status = new Int32Array(entries).fill(UNWRITTEN);
  const result = await pages.process.numa.movePages({ ...request, status });
  expect(result).toFailWith('move_pages', 'EFAULT');
  return [...status];
}

function declareMoves(declare: DeclareTest): void {
  for (const name of ['addresses', 'nodes'] as const) {
    declare(
      `entries before the end of the ${name} move, and are told`,
      CONDITIONS,
      async (scene) => {
        const [near, far] = scene.machine.memoryNodes as [number, number];
        const pages = await nearPages(scene);
        const nodes = Int32Array.from([far, far, near, far]);
        const status = await fail(pages, {
          count: PAGES,
          pages: addresses(pages, name === 'addresses' ? 3 : PAGES),
          nodes: name === 'nodes' ? nodes.slice(0, 3) : nodes,
        });
        // The third is there already, which ends the run of the first two.
        expect(status).toEqual([far, far, near, UNWRITTEN]);
        expect(await where(pages)).toResideOn([far, far, near, near]);
      },
    );
  }

  declare('pages whose status cannot be written have moved', CONDITIONS, async (scene) => {
    const [, far] = scene.machine.memoryNodes as [number, number];
    const pages = await nearPages(scene);
    const nodes = Int32Array.from([far, far, far, far]);
    const request = { count: PAGES, pages: addresses(pages), nodes };
    expect(await fail(pages, request, 2)).toEqual([far, far]);
    expect(await where(pages)).toResideOn([far, far, far, far]);
  });

  declare('nothing behind a status that cannot be written moves', CONDITIONS, async (scene) => {
    const [near, far] = scene.machine.memoryNodes as [number, number];
    const pages = await nearPages(scene);
    // An entry of its own each: where a page is already has its status at once.
    const nodes = Int32Array.from([far, near, near, far]);
    const request = { count: PAGES, pages: addresses(pages), nodes };
    expect(await fail(pages, request, 2)).toEqual([far, near]);
    expect(await where(pages)).toResideOn([far, near, near, near]);
  });
}

function declareQuestions(declare: DeclareTest): void {
  const count = 20;
  declare(
    'a question tells nothing of the sixteen in which addresses end',
    CONDITIONS,
    async (scene) => {
      const [near] = scene.machine.memoryNodes as [number];
      const pages = await nearPages(scene, count);
      const status = await fail(pages, { count, pages: addresses(pages, 18), nodes: null });
      const told = Array.from({ length: 16 }, () => near);
      expect(status).toEqual([...told, ...Array.from({ length: 4 }, () => UNWRITTEN)]);
    },
  );

  declare('a question writes statuses up to their end', CONDITIONS, async (scene) => {
    const [near] = scene.machine.memoryNodes as [number];
    const pages = await nearPages(scene, count);
    const status = await fail(pages, { count, pages: addresses(pages), nodes: null }, 18);
    expect(status).toEqual(Array.from({ length: 18 }, () => near));
  });
}

export function moveArraysContract(subject: OpenSubject): void {
  familyFor(subject, 'arrays of move_pages', ['pointers'], (declare) => {
    declareMoves(declare);
    declareQuestions(declare);
  });
}
