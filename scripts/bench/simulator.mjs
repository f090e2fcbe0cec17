// @ts-check
// node scripts/bench/simulator.mjs: how fast is the simulator, against a loop over a typed array
// in the same run, and how much memory does a machine of 1 TB take? Prints, asserts nothing.

import { parseArgs } from 'node:util';
import { bind, interleave, openNuma } from 'node-numa';
import { kernelLines, Machine } from 'node-numa/simulator';
import { MPOL_MF, openSyscalls } from 'node-numa/syscalls';
import { Samples, timed } from './samples.mjs';

const usage = `usage: node scripts/bench/simulator.mjs [--rounds N] [--terabyte]

Page walks and bulk moves of the simulator, in pages per second, beside a loop over a typed array
that has one entry for each page: ordinary pages, pinned ones, which stay, and huge ones.
--terabyte also fills a machine of 1 TB, with pages that are alike
and with pages on changing nodes, and prints the memory that this process takes (it needs 1.2 GB and
some seconds).
`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '31' },
    terabyte: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const rounds = Number(values.rounds);
const pageSizeBytes = 4096;
const pageCount = 2 ** 18;
const mib = 2 ** 20;
/** Between these moves differ most. */
const kernels = kernelLines.filter((_, at) => at === 0 || at === kernelLines.length - 1);
const held = /** @type {const} */ (['pinned', 'huge']);
const verbs = /** @type {const} */ (['mbind', 'move_pages']);

/** @param {string} line */
const say = (line) => process.stdout.write(`${line}\n`);

if (values.help) process.stdout.write(usage);
else {
  await measureSpeed();
  measureTerabyte();
}

/**
 * @param {number} gib of each of two nodes
 * @param {import('node-numa/simulator').KernelLine} [kernel]
 */
function machineOf(gib, kernel) {
  const description = {
    name: 'bench',
    description: '',
    nodes: [0, 1].map((id) => ({ id, memoryMiB: gib * 1024, cpus: [id] })),
    distances: [
      [10, 20],
      [20, 10],
    ],
  };
  return new Machine(description, kernel === undefined ? {} : { kernel });
}

async function measureSpeed() {
  const samples = new Samples();
  for (let round = 0; round < rounds; round += 1) {
    await measureRaw(samples);
    await measureLayout(samples, 'alike', false);
    await measureLayout(samples, 'in turns', true);
    for (const kernel of kernels) for (const kind of held) await measureHeld(samples, kernel, kind);
  }
  say(`${pageCount} pages, median of ${rounds} rounds, million pages/s (x of the raw loop)`);
  const rate = (/** @type {string} */ name) => (pageCount / samples.median(name)) * 1000;
  for (const verb of ['walk', 'move']) {
    const raw = rate(`raw ${verb}`);
    say(`${verb.padEnd(6)} raw loop         ${raw.toFixed(1).padStart(9)}`);
    for (const layout of ['alike', 'in turns']) {
      const ours = rate(`${layout} ${verb}`);
      const shown = ours.toFixed(1).padStart(9);
      say(`${verb.padEnd(6)} pages ${layout.padEnd(10)} ${shown}  ${(ours / raw).toFixed(2)}x`);
    }
  }
  for (const kernel of kernels) {
    for (const what of held.flatMap((kind) => verbs.map((verb) => `${kind} ${verb}`))) {
      const ours = rate(`${kernel} ${what}`);
      const ratio = (ours / rate('raw move')).toFixed(3);
      say(`${kernel.padEnd(6)} ${what.padEnd(17)} ${ours.toFixed(1).padStart(8)}  ${ratio}x`);
    }
  }
}

/** @param {Samples} samples */
async function measureRaw(samples) {
  const table = new Uint32Array(pageCount).map((_, page) => page % 2);
  const status = new Int32Array(pageCount);
  const walk = () => {
    for (let page = 0; page < pageCount; page += 1)
      status[page] = /** @type {number} */ (table[page]);
  };
  const move = () => {
    for (let page = 0; page < pageCount; page += 1) {
      if (table[page] !== 1) table[page] = 1;
      status[page] = 1;
    }
  };
  samples.add('raw walk', await timed(walk));
  samples.add('raw move', await timed(move));
}

/**
 * @param {Samples} samples
 * @param {string} layout
 * @param {boolean} isMixed
 */
async function measureLayout(samples, layout, isMixed) {
  const machine = machineOf(4);
  const numa = openNuma({ machine });
  const calls = openSyscalls(numa);
  const options = isMixed ? { policy: interleave('0-1') } : {};
  const buffer = numa.allocate(pageCount * pageSizeBytes, options);
  buffer.touch();
  const status = new Int32Array(pageCount);
  const pages = { address: buffer.address, pageCount };
  const call = { pid: 0, pages, flags: MPOL_MF.MOVE, status };
  samples.add(`${layout} walk`, await timed(() => calls.movePagesSync({ ...call, nodes: null })));
  samples.add(`${layout} move`, await timed(() => calls.movePagesSync({ ...call, nodes: 1 })));
  if (status.some((node) => node !== 1)) throw new Error('not every page has moved');
}

/**
 * Pages that something holds, or that move as one: by mbind, then, where they are or back again, by
 * move_pages.
 * @param {Samples} samples
 * @param {import('node-numa/simulator').KernelLine} kernel
 * @param {typeof held[number]} kind
 */
async function measureHeld(samples, kernel, kind) {
  const machine = machineOf(4, kernel);
  if (kind === 'huge') machine.hugePages = 'always';
  const numa = openNuma({ machine });
  const calls = openSyscalls(numa);
  const buffer = numa.allocate(pageCount * pageSizeBytes, { policy: bind(0) });
  buffer.touch();
  const pages = { address: buffer.address, pageCount };
  if (kind === 'pinned') machine.self.mainThread.pin(pages);
  const move = () => buffer.setPolicy(bind(1), { move: 'own' });
  samples.add(`${kernel} ${kind} mbind`, await timed(move));
  const call = { pid: 0, pages, flags: MPOL_MF.MOVE, status: new Int32Array(pageCount) };
  const nodes = kind === 'huge' ? 0 : 1;
  const again = () => calls.movePagesSync({ ...call, nodes });
  samples.add(`${kernel} ${kind} move_pages`, await timed(again));
}

/** The worst case for its tables: no two pages in a row are alike. */
function measureTerabyte() {
  if (!values.terabyte) return;
  const before = process.memoryUsage().rss;
  const show = (/** @type {string} */ what) => {
    const mebibytes = (process.memoryUsage().rss - before) / mib;
    say(`${what}: ${mebibytes.toFixed(0)} MiB`);
  };
  const numa = openNuma({ machine: machineOf(512) });
  const policy = interleave('0-1');
  const free = Number(numa.freeMemory(0)) + Number(numa.freeMemory(1));
  const usable = Math.floor((free * 0.98) / 2 ** 30) * 2 ** 30;
  const alike = numa.allocate(usable);
  alike.touch();
  show(`1 TB, ${usable / pageSizeBytes} pages touched, alike`);
  alike.release();
  numa.allocate(usable, { policy }).touch();
  show(`1 TB, ${usable / pageSizeBytes} pages touched, in turns`);
}
