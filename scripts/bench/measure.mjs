// @ts-check
// The part of the benchmark that runs in the guest: measures, prints the tables, and judges.
// `node scripts/bench/measure.mjs ROUNDS`; bench.mjs starts it.

import { release } from 'node:os';
import { openNuma } from 'node-numa';
import { openNativeBackend } from '../../dist/native-backend/native-backend.js';
import { formatTable } from '../demo/table.mjs';
import { measureCopies } from './copies.mjs';
import { recordMoves } from './recording-backend.mjs';
import { ReferenceProcess } from './reference.mjs';
import {
  chunkPageCounts,
  locatedPageCount,
  measureChunks,
  measureLocating,
  measureLocatingMixed,
  measureMoves,
  measureSinglePage,
  movedPageCount,
} from './stages.mjs';

/** @typedef {import('./samples.mjs').Samples} Samples */

/**
 * A ratio of two medians and the bar that it must not pass.
 * @typedef {object} Bar
 * @property {string} title
 * @property {Samples} samples
 * @property {string} ours
 * @property {string} theirs
 * @property {number} [max] absent: only printed
 */

// Some kernels run at half speed in their first seconds under counted instructions: Debian's 6.12
// and 6.18 do, until early boot work has ended. No sample is taken before that time is over.
const burnNs = 2.5e9;

/** @param {string} [line] */
const print = (line = '') => process.stdout.write(`${line}\n`);

/** @param {number} ns */
const milliseconds = (ns) => (ns / 1e6).toFixed(3);
/** @param {number} ns */
const microseconds = (ns) => (ns / 1e3).toFixed(1);
/** @param {number} share */
const percent = (share) => `${(share * 100).toFixed(1)} %`;

process.exitCode = await main(Number(process.argv[2] ?? 9));

/** @param {number} rounds */
async function main(rounds) {
  const opened = openNativeBackend();
  if (!opened.ok) throw new Error(`${opened.reason}; ${opened.hint}`);
  const { backend } = opened;
  burn();
  const recorder = recordMoves(backend);
  const separate = new ReferenceProcess();
  const bench = {
    ...{ backend, separate, rounds, takeMoveNs: recorder.takeMoveNs },
    numa: openNuma({ backend }),
    recordingNuma: openNuma({ backend: recorder.backend }),
  };
  print(`Linux ${release()}, Node ${process.version}, ${rounds} rounds, medians of guest time`);
  const moves = await measureMoves(bench);
  const locating = await measureLocating(bench);
  const mixed = await measureLocatingMixed(bench);
  const copies = await measureCopies(bench);
  const isGood = judge(barsOf(moves, locating, mixed, copies));
  printChunks(await measureChunks(bench), locating);
  printSinglePage(await measureSinglePage(bench));
  separate.close();
  return isGood ? 0 : 1;
}

function burn() {
  const start = process.hrtime.bigint();
  while (Number(process.hrtime.bigint() - start) < burnNs);
}

/**
 * @param {Samples} moves
 * @param {Samples} locating
 * @param {Samples} mixed
 * @param {Samples} copies
 * @returns {Bar[]}
 */
function barsOf(moves, locating, mixed, copies) {
  const [moved, located] = [{ samples: moves }, { samples: locating }];
  // Later kernels have an mbind of their own speed: the bar is set for this line.
  const mbindMax = release().startsWith('6.1.') ? { max: 1.05 } : {};
  return [
    { title: '1 move phase', ...moved, ours: 'move phase', theirs: 'C move_pages', max: 1.02 },
    { title: '2 move phase', ...moved, ours: 'move phase', theirs: 'C mbind', ...mbindMax },
    { title: '3 full receipt', ...moved, ours: 'migrate', theirs: 'C receipt', max: 1.05 },
    { title: '4 locating', ...located, ours: 'residency', theirs: 'C query', max: 1.1 },
    { title: '5 copies', samples: copies, ours: 'migrate by copy', theirs: 'C mbind, to move' },
    { title: '6 copies', samples: copies, ours: 'migrate, huge', theirs: 'C mbind, huge' },
    { title: 'locating', samples: mixed, ours: 'residency, mixed', theirs: 'C query, mixed' },
    { title: 'receipt', ...moved, ours: 'migrate', theirs: 'C locate, move' },
    { title: 'blocking', ...located, ours: 'residencySync', theirs: 'C query' },
    { title: 'move phase', ...moved, ours: 'move phase', theirs: 'C process: move_pages' },
    { title: 'move phase', ...moved, ours: 'move phase', theirs: 'C process: mbind' },
    { title: 'locating', ...located, ours: 'residency', theirs: 'C process: query' },
  ];
}

/**
 * @param {Bar[]} bars
 * @returns {boolean} no bar is missed
 */
function judge(bars) {
  const rows = bars.map(({ title, samples, ours, theirs, max }) => {
    const ratio = samples.median(ours) / samples.median(theirs);
    const verdict = max === undefined ? '' : ratio <= max ? 'met' : 'MISSED';
    const times = [ours, theirs].flatMap((name) => {
      return [milliseconds(samples.median(name)), percent(samples.spread(name))];
    });
    const bar = max === undefined ? 'none' : `<= ${max.toFixed(2)}`;
    return [title, ours, theirs, ...times, ratio.toFixed(3), bar, verdict];
  });
  print();
  print(`moving ${movedPageCount} pages there and back, locating ${locatedPageCount} pages twice`);
  const heads = ['what', 'ours', 'reference', 'ours ms', 'spread', 'ref. ms', 'spread'];
  print(formatTable([...heads, 'ratio', 'bar', 'verdict'], rows, 3));
  return rows.every((row) => row.at(-1) !== 'MISSED');
}

/**
 * @param {Samples} moves
 * @param {Samples} locating
 */
function printChunks(moves, locating) {
  const largest = Math.max(...chunkPageCounts);
  const oneMove = moves.median(`C move ${largest}`);
  const oneQuery = locating.median('C query');
  const rows = chunkPageCounts.map((chunk) => {
    const [move, cMove] = [moves.median(`move ${chunk}`), moves.median(`C move ${chunk}`)];
    const [query, cQuery] = [`query ${chunk}`, `C query ${chunk}`].map((name) => {
      return locating.median(name);
    });
    const moveCalls = (2 * movedPageCount) / chunk;
    const queryCalls = (2 * locatedPageCount) / chunk;
    return [
      `${chunk}`,
      ratioOf(cMove, oneMove),
      ratioOf(move, oneMove),
      microseconds((move - cMove) / moveCalls),
      ratioOf(cQuery, oneQuery),
      ratioOf(query, oneQuery),
      microseconds(((query ?? 0) - (cQuery ?? 0)) / queryCalls),
    ];
  });
  print();
  print('chunk size: bare calls of the backend, and of C, against one C call for all pages');
  const heads = ['pages', 'C moves', 'moves', 'JS us/call', 'C queries', 'queries', 'JS us/call'];
  print(formatTable(heads, rows, 0));
}

/**
 * @param {number | undefined} time
 * @param {number} base
 */
function ratioOf(time, base) {
  return ((time ?? Number.NaN) / base).toFixed(3);
}

/** @param {Samples} samples */
function printSinglePage(samples) {
  const moving = ['C move_pages', 'backend.movePages', 'migrate'];
  const names = [...moving, 'C query', 'residency', 'residencySync'];
  const rows = names.map((name) => [name, microseconds(samples.median(name) / 2)]);
  print();
  print('fixed cost: one page');
  print(formatTable(['call', 'us'], rows));
}
