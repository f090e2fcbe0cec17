// @ts-check
// Kept answers: what kernels replied to random programs, in test/differential/answers. A set has a
// file of replies, those that several kernels gave only once, and an entry in record.json: by which
// release each was given, and hashes of what they answer to.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { projectFolder } from '../guest/host.mjs';
import { kernelLines } from '../guest/kernel.mjs';

export const allLines = [...kernelLines.keys()];
const answersFolder = join(projectFolder, 'test/differential/answers');
const recordFile = join(answersFolder, 'record.json');

/** What to do where answers do not fit what is asked. */
export const remedy = 'npm run answers -- --record asks all of them anew';

/** @typedef {import('../../test/differential/generate.ts').Kind} Kind */

/**
 * Programs of one kind, from seed 1 on.
 * @typedef {object} AnswerSet
 * @property {Kind} kind
 * @property {number} programCount
 * @property {readonly string[]} lines of kernels that can run them
 * @property {number} sampledLines so many of them are asked again in a sample
 * @property {string} machine name of a file of machines/
 */

/**
 * So many that the simulator does all of them in seconds.
 * @type {readonly AnswerSet[]}
 */
export const answerSets = [
  {
    kind: 'plain',
    programCount: 1000,
    lines: allLines,
    sampledLines: 2,
    machine: 'four-nodes-single-cpu',
  },
  {
    kind: 'objects',
    programCount: 300,
    lines: allLines,
    sampledLines: 1,
    machine: 'four-nodes-single-cpu',
  },
  {
    kind: 'v2',
    programCount: 160,
    lines: allLines,
    sampledLines: 1,
    machine: 'four-nodes-two-cpus',
  },
];

/** @typedef {'programs' | 'puppet' | 'machine' | 'contract'} Question */
/** @typedef {Record<Question, string>} Hashes of what replies answer to, and depend on */

/**
 * @typedef {object} KeptAnswers
 * @property {Hashes} hashes when they were given
 * @property {Record<string, string>} releases line → the kernel that gave them
 * @property {Map<string, string[]>} replies line → the reply to each program, in order
 */

/** @param {AnswerSet} set */
const repliesFile = ({ kind }) => join(answersFolder, `${kind}.br`);

/** @param {string | Buffer} content */
export function hashOf(content) {
  return createHash('sha256').update(content).digest('hex').slice(0, 16);
}

/**
 * What the answers of a set depend on, as it is now.
 * @param {AnswerSet} set
 * @param {string} programs hash of their text
 * @returns {Hashes}
 */
export function currentHashes({ machine }, programs) {
  return {
    programs,
    puppet: hashOfFiles('test/puppet', /\.[ch]$/),
    machine: hashOfFiles('machines', new RegExp(`^${machine}\\.json$`)),
    contract: hashOfFiles('docs/contract', /^\d.*\.md$/),
  };
}

/**
 * @param {string} folder of the project
 * @param {RegExp} pattern of names
 */
function hashOfFiles(folder, pattern) {
  const path = join(projectFolder, folder);
  const names = readdirSync(path).filter((name) => pattern.test(name));
  const hashes = names.sort().map((name) => `${name} ${hashOf(readFileSync(join(path, name)))}`);
  return hashOf(hashes.join('\n'));
}

/**
 * @param {Hashes} kept
 * @param {Hashes} current
 * @returns {Question[]} what has changed since
 */
export function staleParts(kept, current) {
  const parts = /** @type {Question[]} */ (Object.keys(current));
  return parts.filter((part) => kept[part] !== current[part]);
}

/** @returns {Record<string, Omit<KeptAnswers, 'replies'>>} kind → what is known of its answers */
function readRecord() {
  return existsSync(recordFile) ? JSON.parse(readFileSync(recordFile, 'utf8')) : {};
}

/**
 * @param {AnswerSet} set
 * @returns {KeptAnswers | undefined} nothing where none were recorded
 */
export function readAnswers(set) {
  const entry = readRecord()[set.kind];
  const file = repliesFile(set);
  if (entry === undefined || !existsSync(file)) return undefined;
  const lines = Object.keys(entry.releases);
  const replies = unpacked(brotliDecompressSync(readFileSync(file)).toString('latin1'), lines);
  return { ...entry, replies };
}

/**
 * @param {AnswerSet} set
 * @param {KeptAnswers} answers
 * @returns {string} a line about them
 */
export function writeAnswers(set, { hashes, releases, replies }) {
  mkdirSync(answersFolder, { recursive: true });
  const lines = set.lines.filter((line) => releases[line] !== undefined);
  const text = packed(lines.map((line) => replies.get(line) ?? []));
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
  };
  const bytes = brotliCompressSync(Buffer.from(text, 'latin1'), { params });
  writeFileSync(repliesFile(set), bytes);
  const inOrder = Object.fromEntries(lines.map((line) => [line, releases[line]]));
  const record = { ...readRecord(), [set.kind]: { hashes, releases: inOrder } };
  writeFileSync(recordFile, `${JSON.stringify(record, null, 2)}\n`);
  const file = relative(projectFolder, repliesFile(set));
  const size = `${Math.ceil(bytes.length / 1000)} kB`;
  return `${set.kind}: ${set.programCount} programs of ${lines.join(', ')}, ${size} in ${file}`;
}

/**
 * For each program the different replies, behind a line that says which of them each kernel gave.
 * @param {readonly (readonly string[])[]} replies of each kernel
 */
function packed(replies) {
  const [first = []] = replies;
  const blocks = first.map((_, index) => {
    const given = replies.map((list) => list[index]);
    const distinct = [...new Set(given)];
    return [given.map((reply) => distinct.indexOf(reply)).join(''), ...distinct].join('\n');
  });
  return blocks.join('\n');
}

/**
 * @param {string} text
 * @param {readonly string[]} lines
 * @returns {Map<string, string[]>}
 */
function unpacked(text, lines) {
  const rows = text.split('\n');
  /** @type {Map<string, string[]>} */
  const replies = new Map(lines.map((line) => [line, []]));
  for (let at = 0; at < rows.length; ) {
    const choices = [.../** @type {string} */ (rows[at])].map(Number);
    for (const [index, line] of lines.entries()) {
      replies.get(line)?.push(rows[at + 1 + /** @type {number} */ (choices[index])] ?? '');
    }
    at += Math.max(...choices) + 2;
  }
  return replies;
}
