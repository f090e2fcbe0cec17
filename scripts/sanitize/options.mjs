// @ts-check
// What npm run sanitize is asked for.

import { parseArgs } from 'node:util';
import { nodeReleases } from './node-binaries.mjs';

export const partNames = /** @type {const} */ ([
  ...['terminations', 'lives', 'releases', 'hostile', 'sharing'],
]);

export const usage = `usage: npm run sanitize -- [options]

Builds the addon with ASan and UBSan and runs storms against it: workers that are terminated inside
of every entry, and with memory of each kind and moves under way, releases under pending operations,
hostile arguments, memory that threads share. A build with faults on purpose shows first that they
would be found.

  --node A,B      releases of Node by major version, or \`host\`; default: \
${Object.keys(nodeReleases).join(',')}
  --part A,B      ${partNames.join(', ')}; default: all
  --workers N     workers that are terminated, for each Node and either part; default: 2000
  --releases N    releases under pending operations, for each Node; default: 10000
  --seed N        of the random choices; default: 1. Threads make no two runs alike
  --jobs N        storms that run at once; default: as many as there are CPUs
  --plain         the addon as it is built, without sanitizers: what is kept of its workers
  --planted       the build with faults on purpose, and nothing else
  --short         this Node, few workers and few releases: the form for CI
  --help          this text

Whole outputs are kept in .cache/sanitize/logs.
Exit status: 0 no finding, 1 findings, 2 bad usage, 4 no compiler with sanitizers.
`;

export const insideMin = 20;

/**
 * @typedef {object} Options
 * @property {string[]} nodes major versions, or \`host\`
 * @property {readonly string[]} parts
 * @property {number} workers
 * @property {number} releases
 * @property {number} seed
 * @property {number | undefined} jobs
 * @property {keyof typeof import('./build.mjs').packageFolders} build
 * @property {boolean} isPlantedOnly
 * @property {boolean} isShort
 */

/**
 * @param {string[]} words
 * @returns {Options | 'help'}
 */
export function readOptions(words) {
  const { values } = parseArgs({
    args: words,
    options: {
      node: { type: 'string' },
      part: { type: 'string' },
      workers: { type: 'string' },
      releases: { type: 'string' },
      seed: { type: 'string', default: '1' },
      jobs: { type: 'string' },
      plain: { type: 'boolean', default: false },
      planted: { type: 'boolean', default: false },
      short: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const isShort = values.short;
  const majors = Object.keys(nodeReleases);
  return {
    nodes: chosen('--node', values.node, [...majors, 'host'], isShort ? ['host'] : majors),
    parts: chosen('--part', values.part, partNames, partNames),
    workers: wholeNumber('--workers', values.workers, isShort ? 30 : 2000),
    releases: wholeNumber('--releases', values.releases, isShort ? 112 : 10_000),
    seed: wholeNumber('--seed', values.seed, 1),
    jobs: values.jobs === undefined ? undefined : wholeNumber('--jobs', values.jobs, 1),
    build: values.plain ? 'plain' : 'addon',
    isPlantedOnly: values.planted,
    isShort,
  };
}

/**
 * @param {string} name
 * @param {string | undefined} text
 * @param {readonly string[]} known
 * @param {readonly string[]} otherwise
 */
function chosen(name, text, known, otherwise) {
  const words = text?.split(',') ?? [...otherwise];
  const strange = words.find((word) => !known.includes(word));
  if (strange !== undefined) {
    throw new Error(`${name} ${strange}: none of ${known.join(', ')}`);
  }
  return words;
}

/**
 * @param {string} name
 * @param {string | undefined} text
 * @param {number} otherwise
 */
function wholeNumber(name, text, otherwise) {
  const value = text === undefined ? otherwise : Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`${name} ${text}: no whole number`);
  return value;
}
