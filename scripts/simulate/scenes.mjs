// @ts-check
// What npm run simulate shows: a page in a situation, and the call that is to move it.

import { MADV } from 'node-numa/simulator';
import { MPOL_MF } from 'node-numa/syscalls';

/** @typedef {import('node-numa/simulator').Machine} Machine */
/** @typedef {import('node-numa/simulator').SimulatedProcess} SimulatedProcess */
/** @typedef {import('node-numa/simulator').SteppedCall<unknown>} SteppedCall */

/**
 * @typedef {object} Stage
 * @property {Machine} machine
 * @property {bigint} address of the page that is watched
 * @property {SimulatedProcess[]} processes that may map it
 * @property {SteppedCall} call that moves it
 * @property {SteppedCall[]} [others] what waits for it meanwhile: has a turn after each step
 */

/**
 * @typedef {object} Scene
 * @property {string} summary
 * @property {(machine: Machine) => Stage} set
 */

const hugePages = 512;
const word = 42n;

/**
 * Pages of a process, written by it.
 * @param {SimulatedProcess} owner
 * @param {{ pageCount?: number, isShared?: boolean }} [request]
 */
function writtenPages(owner, { pageCount = 1, isShared = false } = {}) {
  const address = 0x7f00_0000_0000n;
  owner.memory.mmap({ address, pageCount, isShared });
  owner.memory.store(address, word);
  return address;
}

/**
 * @param {SimulatedProcess} owner
 * @param {bigint} address
 * @param {number} [flags]
 */
function moveToNode1(owner, address, flags = MPOL_MF.MOVE) {
  return owner.steps.movePages({ pages: { address, pageCount: 1 }, node: 1, flags });
}

/**
 * A page that its process alone has.
 * @param {Machine} machine
 * @param {(owner: SimulatedProcess, address: bigint) => void} [prepare]
 */
function ownPage(machine, prepare) {
  const owner = machine.self;
  const address = writtenPages(owner);
  prepare?.(owner, address);
  return { machine, address, processes: [owner], call: moveToNode1(owner, address) };
}

/** @type {ReadonlyMap<string, Scene>} */
export const scenes = new Map([
  [
    'page',
    { summary: 'a page that one process has (the default)', set: (machine) => ownPage(machine) },
  ],
  [
    'child',
    {
      summary: 'a page that a parent and its child share, moved with MPOL_MF_MOVE_ALL',
      set: (machine) => {
        const owner = machine.self;
        const address = writtenPages(owner);
        const child = owner.fork();
        const call = moveToNode1(owner, address, MPOL_MF.MOVE_ALL);
        return { machine, address, processes: [owner, child], call };
      },
    },
  ],
  [
    'shared-memory',
    {
      summary: 'a page of shared memory: its object is told, too',
      set: (machine) => {
        const owner = machine.self;
        const address = writtenPages(owner, { isShared: true });
        return { machine, address, processes: [owner], call: moveToNode1(owner, address) };
      },
    },
  ],
  [
    'writer',
    {
      summary: 'a page that somebody writes to meanwhile: the write waits',
      set: (machine) => {
        const stage = ownPage(machine);
        const writer = machine.self.thread();
        /** @type {SteppedCall[]} */
        const others = [];
        // As soon as the page is on its way.
        machine.faults.at('unmap', () => {
          others.push(writer.steps.store(stage.address, word + 1n));
        });
        return { ...stage, others };
      },
    },
  ],
  [
    'pinned',
    {
      summary: 'a page with a long-term pin: it stays',
      set: (machine) =>
        ownPage(
          machine,
          ({ mainThread }, address) => void mainThread.pin({ address, pageCount: 1 }),
        ),
    },
  ],
  [
    'pipe',
    {
      summary: 'a page that a pipe refers to (vmsplice): it stays, but was unmapped for a while',
      set: (machine) =>
        ownPage(machine, ({ rings }, address) => void rings.splice({ address, pageCount: 1 })),
    },
  ],
  [
    'busy',
    {
      summary: 'a page that somebody looks at twice: it moves at the third try',
      set: (machine) =>
        ownPage(machine, (owner, address) => {
          machine.faults.busy(owner, { address, pageCount: 1 }, 2);
        }),
    },
  ],
  [
    'full',
    {
      summary: 'a target without memory',
      set: (machine) => ownPage(machine, () => void machine.faults.nodeFull(1)),
    },
  ],
  [
    'huge',
    {
      summary: 'a huge page: one entry, one folio',
      set: (machine) => {
        machine.hugePages = 'always';
        const owner = machine.self;
        const address = writtenPages(owner, { pageCount: hugePages });
        return { machine, address, processes: [owner], call: moveToNode1(owner, address) };
      },
    },
  ],
  [
    'unmapped',
    {
      summary: 'a page that its process drops while it is being copied: nobody gets it back',
      set: (machine) => {
        const stage = ownPage(machine);
        const { areas } = machine.self;
        const drop = () =>
          void areas.madvise({ address: stage.address, pageCount: 1 }, MADV.DONTNEED);
        machine.faults.at('copy', drop);
        return stage;
      },
    },
  ],
]);
