// @ts-check
// Which storms a run is made of.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../guest/host.mjs';
import { insideMin } from './options.mjs';

/** Of one process: a crash hides what others of the same process would have found. */
const workersPerStorm = 200;
const releasesPerStorm = 2500;
/** Workers that are alive at the same time. */
const concurrency = 4;
/** How often entries that were not met often enough are tried again, and with how many workers. */
export const topUpRoundsMax = 5;
const workersPerMissing = 2;

const shortLives = 10;
const longHostile = { rounds: 20, exits: 150, tamperings: 4 };
const shortHostile = { rounds: 1, exits: 2, tamperings: 1 };
const longSharing = { rounds: 100, synchronous: 200_000 };
const shortSharing = { rounds: 2, synchronous: 2000 };

/** Each fault of test/native/planted_faults.cc, and what must be said of it. */
const plantedFaults = [
  { entry: 'planted_use_after_free', words: ['heap-use-after-free', 'PlantedUseAfterFree'] },
  { entry: 'planted_undefined', words: ['signed integer overflow', 'PlantedUndefined'] },
  { entry: 'planted_unchecked', words: ['null pointer', 'PlantedUnchecked'] },
];

/** @typedef {import('./storm-process.mjs').Storm} Storm */
/** @typedef {import('./node-binaries.mjs').NodeBinary} NodeBinary */

/**
 * @param {NodeBinary} node
 * @returns {(Storm & { words: string[] })[]}
 */
export function plantedStorms(node) {
  return plantedFaults.map(({ entry, words }) => ({
    node,
    build: 'planted',
    name: 'terminations',
    label: entry,
    options: { seed: 1, workers: 8, concurrency, entries: [entry] },
    words,
  }));
}

/**
 * @param {NodeBinary} node
 * @param {import('./options.mjs').Options} options
 * @returns {Storm[]}
 */
export function stormsOf(node, { parts, build, workers, releases, seed, isShort }) {
  /** @type {(name: string, number: number, own: object) => Storm} */
  const storm = (name, number, own) => ({
    node,
    build,
    name,
    label: `${name}-${number}`,
    options: { seed: seed * 1000 + number, ...own },
  });
  const all = [
    ...shares(workers, workersPerStorm).map((count, index) =>
      storm('terminations', index + 1, { workers: count, concurrency }),
    ),
    // In one process: what it keeps of so many is what is looked for.
    storm('lives', 1, { workers: isShort ? shortLives : workers, concurrency }),
    ...shares(releases, releasesPerStorm).map((count, index) =>
      storm('releases', index + 1, { releases: count }),
    ),
    storm('hostile', 1, { names: namesInSources(), ...(isShort ? shortHostile : longHostile) }),
    storm('sharing', 1, isShort ? shortSharing : longSharing),
  ];
  return all.filter(({ name }) => parts.includes(name));
}

/**
 * For the entries in which too few workers were terminated.
 * @param {NodeBinary} node
 * @param {string[]} entries
 * @param {number} round
 * @param {import('./options.mjs').Options} options
 * @returns {Storm}
 */
export function topUpStorm(node, entries, round, { build, seed }) {
  const workers = entries.length * insideMin * workersPerMissing;
  return {
    node,
    build,
    name: 'terminations',
    label: `terminations-again-${round}`,
    options: { seed: seed * 1000 + 500 + round, workers, concurrency, entries },
  };
}

/**
 * @param {number} total
 * @param {number} most of one share
 */
function shares(total, most) {
  const count = Math.ceil(total / most);
  return Array.from({ length: count }, (_, index) => {
    return Math.floor((total * (index + 1)) / count) - Math.floor((total * index) / count);
  });
}

/** Every word that the addon's sources quote: properties of its answers are among them. */
function namesInSources() {
  const folder = join(projectFolder, 'native');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const texts = files
    .filter((name) => /\.(cc|h)$/.test(name))
    .map((name) => readFileSync(join(folder, name), 'utf8'));
  const quoted = texts.flatMap((text) => [...text.matchAll(/"([A-Za-z_]\w*)"/g)]);
  return [...new Set(quoted.map((match) => match[1]))];
}
