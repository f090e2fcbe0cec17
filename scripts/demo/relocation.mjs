// @ts-check
// The main job, shown and proved: a mapping that was filled on one node moves to others at the same
// addresses with its data intact, and the kernel, or the simulator, says where each page is.
// Exit status 0 only if every page is where it was asked to be.

import { randomFillSync } from 'node:crypto';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { crc32 } from 'node:zlib';
import { bind, NumaError, openNuma } from 'node-numa';
import { defaultMachine } from 'node-numa/simulator';
import { Colours } from '../../dist/cli/render/colours.js';
import { cellText, pageMap, pageMapLegend, pagesPerCell } from '../../dist/cli/render/page-map.js';
import { formatTable, grouped } from './table.mjs';

/** @typedef {import('node-numa').Numa} Numa */
/** @typedef {import('node-numa').MappedBuffer} MappedBuffer */
/** @typedef {import('node-numa').MigrationReport} MigrationReport */

const MIB = 2 ** 20;
const { values } = parseArgs({ options: { mib: { type: 'string', default: '32' } } });
const sizeBytes = Number(values.mib) * MIB;

/** @param {string} [line] */
const print = (line = '') => process.stdout.write(`${line}\n`);

const colours = new Colours(isPainted());
const mapColumns = 64;

const numa = openNuma();
printMachine(numa);
const isMoved = await moveAlong(numa);
const isCompared = await compareThreeWays(numa);
await moveWithPinnedPage(numa);
print();
print(
  isMoved && isCompared ? 'every page is where it was asked to be' : 'some pages stayed behind',
);
process.exitCode = isMoved && isCompared ? 0 : 1;

/** In a guest, whose outputs are no terminals, FORCE_COLOR says that the one outside is. */
function isPainted() {
  const { NO_COLOR: no, FORCE_COLOR: forced } = process.env;
  return forced !== undefined ? forced !== '0' : process.stdout.isTTY === true && !no;
}

/** @param {Numa} numa */
function printMachine({ backend, topology }) {
  print(`backend   ${backend.kind}: ${backend.reason}`);
  print(`kernel    ${backend.kernel}, ${backend.libnuma ?? 'without libnuma'}`);
  for (const node of topology.nodes) {
    const cpus = node.cpus?.length === 0 ? 'no CPU' : `CPU ${node.cpus?.join(',') ?? '?'}`;
    const distances = topology.nodes
      .map(({ id }) => topology.distance(node.id, id) ?? '?')
      .join(' ');
    const memory = `${node.memoryBytes === null ? '?' : Math.round(node.memoryBytes / MIB)} MiB`;
    print(`node ${node.id}    ${memory.padStart(8)}, ${cpus.padEnd(8)} distances ${distances}`);
  }
}

/**
 * Fills a buffer on the first node and moves it to the next, then on to one without CPUs.
 * @param {Numa} numa
 * @returns {Promise<boolean>} every page arrived with its data
 */
async function moveAlong(numa) {
  const [home, ...targets] = route(numa);
  const buffer = fill(numa, home);
  const { address } = buffer;
  const checksum = crc32(buffer.bytes);
  print();
  print(`1. ${sizeBytes / MIB} MiB at 0x${address.toString(16)}, filled on node ${home}, moved on`);
  await printPageMap(numa, buffer, `filled on ${home}`);
  const rows = [rowOf(numa, `filled on ${home}`, (await buffer.residency()).byNode, checksum)];
  let isGood = true;
  let from = home;
  for (const to of targets) {
    const report = await buffer.migrate({ to });
    const after = crc32(buffer.bytes);
    const rate = grouped((report.pages.moved / report.durationNs) * 1e9);
    const row = rowOf(numa, `${from} -> ${to}`, (await buffer.residency()).byNode, after);
    rows.push([...row, grouped(report.pages.moved), rate]);
    await printPageMap(numa, buffer, `${from} -> ${to}`);
    const isThere = report.complete && report.after[to] === report.pages.total;
    isGood = isGood && isThere && after === checksum && buffer.address === address;
    from = to;
  }
  const nodes = numa.topology.nodes.map(({ id }) => `node ${id}`);
  print(formatTable(['pages on', ...nodes, 'checksum', 'moved', 'pages/s'], rows));
  buffer.release();
  return isGood;
}

/**
 * The buffer as a row of cells: a block of pages each, by the node that has them.
 * @param {Numa} numa
 * @param {MappedBuffer} buffer
 * @param {string} label
 */
async function printPageMap(numa, buffer, label) {
  const pageCount = Math.ceil(buffer.lengthBytes / numa.pageSizeBytes);
  const runs = await numa.process().locateRuns({ address: buffer.address, pageCount });
  const placed = runs.map(({ address, ...run }) => {
    return { ...run, firstPage: Number((address - buffer.address) / BigInt(numa.pageSizeBytes)) };
  });
  const nodes = numa.topology.online.toArray();
  const options = { columns: mapColumns, colours, nodes };
  for (const row of pageMap(pageCount, placed, options)) print(`   ${label.padEnd(14)}${row}`);
  if (label.startsWith('filled')) {
    const cell = cellText(pagesPerCell(pageCount, options), numa.pageSizeBytes);
    print(`   ${''.padEnd(14)}${cell}: ${pageMapLegend(nodes, colours).join('  ')}`);
  }
}

/**
 * The kernel's three ways to move memory, each from the first node to the second.
 * @param {Numa} numa
 * @returns {Promise<boolean>} every page of the three buffers arrived
 */
async function compareThreeWays(numa) {
  const [from, to] = route(numa);
  /** @type {[string, string, (buffer: MappedBuffer) => unknown][]} */
  const ways = [
    ['mbind', 'the range, its policy too', setPolicyWithMove],
    ['move_pages', 'the pages of the range', (buffer) => buffer.migrate({ to })],
    ['migrate_pages', 'the whole process', () => numa.process().migrate({ from, to })],
  ];
  /** @param {MappedBuffer} buffer */
  function setPolicyWithMove(buffer) {
    buffer.setPolicy(bind(to), { move: 'own', strict: true });
  }
  print();
  print(`2. the kernel's three ways from node ${from} to node ${to}`);
  const rows = [];
  let isGood = true;
  for (const [call, scope, move] of ways) {
    const buffer = fill(numa, from);
    const checksum = crc32(buffer.bytes);
    const startMs = performance.now();
    await move(buffer);
    const milliseconds = (performance.now() - startMs).toFixed(0);
    const { pages, byNode } = await buffer.residency();
    const moved = byNode[to] ?? 0;
    const kept = crc32(buffer.bytes) === checksum ? 'kept' : 'LOST';
    rows.push([
      call,
      scope,
      grouped(moved),
      `${pages.total - moved}`,
      kept,
      `${buffer.policy()}`,
      milliseconds,
    ]);
    isGood = isGood && moved === pages.total && kept === 'kept';
    buffer.release();
  }
  const heads = ['call', 'moves', 'arrived', 'left', 'data', 'policy after', 'ms'];
  print(formatTable(heads, rows, 2));
  return isGood;
}

/**
 * A page that a pipe refers to cannot move: strict says so, and the report is exact. This step is
 * meant to fail and has no part in the exit status.
 * @param {Numa} numa
 */
async function moveWithPinnedPage(numa) {
  const [home, to] = route(numa);
  const buffer = fill(numa, home);
  const pinned = Math.floor(buffer.pageCount / 2);
  const unpin = pinPage(numa, buffer.address + BigInt(pinned * numa.pageSizeBytes));
  print();
  print(`3. strict, with page ${pinned} of ${buffer.pageCount} pinned (meant to fail)`);
  try {
    const report = await buffer.migrate({ to, strict: true });
    print(`   UNEXPECTED: not refused, ${report.pages.moved} pages moved: the page was not pinned`);
  } catch (error) {
    if (!(error instanceof NumaError)) throw error;
    print(`   ${error.code}: ${error.message}`);
    const { pages, after } = /** @type {MigrationReport} */ (error.report);
    const counts = Object.entries(pages).filter(([, count]) => count > 0);
    print(`   report: ${counts.map(([name, count]) => `${name} ${count}`).join('  ')}`);
    print(`   pages by node now: ${JSON.stringify(after)}`);
  } finally {
    unpin();
    buffer.release();
  }
}

/**
 * Keeps one page from moving, by a pipe that refers to it or, on the simulator, by a pin.
 * @param {Numa} numa
 * @param {bigint} address
 * @returns {() => void} lets it go
 */
function pinPage({ backend, pageSizeBytes }, address) {
  if (backend.kind === 'simulator') {
    return defaultMachine().self.mainThread.pin({ address, pageCount: 1 });
  }
  const { pin, unpin } = createRequire(import.meta.url)('../../build/Release/pin_page.node');
  const id = pin(address, pageSizeBytes);
  return () => unpin(id);
}

/**
 * A buffer with random bytes, its pages on one node, its policy the default again.
 * @param {Numa} numa
 * @param {number} node
 */
function fill(numa, node) {
  const buffer = numa.allocate(sizeBytes);
  numa.thread.withPolicy(bind(node), () => randomFillSync(buffer.bytes));
  return buffer;
}

/**
 * The first two nodes with memory and, if there is one, a node with memory and no CPU.
 * @param {Numa} numa
 * @returns {[number, number, ...number[]]}
 */
function route({ topology }) {
  const [first, second, ...others] = topology.withMemory;
  const memoryOnly = others.find((id) => !topology.withCpus.has(id));
  if (first === undefined || second === undefined) {
    throw new Error('a relocation needs two nodes with memory');
  }
  const third = memoryOnly ?? others[0];
  return third === undefined ? [first, second] : [first, second, third];
}

/**
 * @param {Numa} numa
 * @param {string} title
 * @param {Readonly<Record<number, number>>} byNode
 * @param {number} checksum
 */
function rowOf({ topology }, title, byNode, checksum) {
  const counts = topology.nodes.map(({ id }) => grouped(byNode[id] ?? 0));
  return [title, ...counts, checksum.toString(16).padStart(8, '0')];
}
