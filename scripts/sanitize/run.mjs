// @ts-check
// npm run sanitize: the addon under ASan and UBSan, on each Node.

import { availableParallelism } from 'node:os';
import { watchForInterruption } from '../guest/interruption.mjs';
import { build, buildPlain, findSanitizer } from './build.mjs';
import { fetchNode, headersOf, nodeReleases, ownNode } from './node-binaries.mjs';
import { insideMin, readOptions, usage } from './options.mjs';
import { plantedStorms, stormsOf, topUpRoundsMax, topUpStorm } from './plan.mjs';
import { runStorm } from './storm-process.mjs';
import { missingEntries, say, sayEnding, sayFindings, summarize, sumOf } from './summary.mjs';

const releaseOf = new Map(Object.entries(nodeReleases));
const exitCodes = { ok: 0, findings: 1, usage: 2, unavailable: 4 };

/** @typedef {import('./storm-process.mjs').Ending} Ending */
/** @typedef {import('./storm-process.mjs').Storm} Storm */
/** @typedef {import('./node-binaries.mjs').NodeBinary} NodeBinary */
/** @typedef {import('./options.mjs').Options} Options */

process.exitCode = await main();

async function main() {
  const options = read();
  if (typeof options === 'number') return options;
  const sanitizer = options.build === 'plain' ? { library: undefined } : await findSanitizer();
  if ('obstacle' in sanitizer) {
    process.stderr.write(`no sanitizer run: ${sanitizer.obstacle}\n`);
    return exitCodes.unavailable;
  }
  const { signal, exitCode } = watchForInterruption();
  const { library } = sanitizer;
  const status = await runAll(options, { library, signal });
  return exitCode() ?? status;
}

function read() {
  try {
    const options = readOptions(process.argv.slice(2));
    if (options !== 'help') return options;
    process.stdout.write(usage);
    return exitCodes.ok;
  } catch (error) {
    process.stderr.write(`${/** @type {Error} */ (error).message}\n${usage}`);
    return exitCodes.usage;
  }
}

/** @typedef {{ library: string | undefined, signal: AbortSignal }} Environment */

/**
 * @param {Options} options
 * @param {Environment} environment
 */
async function runAll(options, environment) {
  const startMs = performance.now();
  const { nodes, lacking } = await fetchNodes(options.nodes);
  for (const reason of lacking) say(`node ${reason}`);
  // Node-API is the same for all: other headers would only be another build.
  const headers = [ownNode(), ...nodes].map(headersOf).find((folder) => folder !== undefined);
  if (headers === undefined) {
    say('node_api.h was not found beside any of these Nodes');
    return exitCodes.unavailable;
  }
  const isPlain = options.build === 'plain';
  try {
    await (isPlain ? buildPlain() : build(headers));
  } catch (error) {
    say(`the build failed: ${/** @type {Error} */ (error).message}`);
    return exitCodes.findings;
  }
  say(`built in ${seconds(startMs)} s; seed ${options.seed}`);

  const work = { ...environment, jobs: options.jobs ?? availableParallelism() };
  const findings = [...lacking];
  /** @type {Ending[]} */
  const endings = [];
  for (const node of nodes) {
    if (environment.signal.aborted) break;
    if (!isPlain) findings.push(...(await checkPlanted(node, work)));
    if (options.isPlantedOnly || environment.signal.aborted) continue;
    const own = await runNode(node, options, work);
    endings.push(...own.endings);
    findings.push(...own.findings);
  }
  summarize(endings, { findings, seconds: seconds(startMs), releases: nodes });
  return findings.length === 0 ? exitCodes.ok : exitCodes.findings;
}

/**
 * @param {string[]} names
 * @returns {Promise<{ nodes: NodeBinary[], lacking: string[] }>}
 */
async function fetchNodes(names) {
  /** @type {NodeBinary[]} */
  const nodes = [];
  /** @type {string[]} */
  const lacking = [];
  for (const name of names) {
    try {
      nodes.push(name === 'host' ? ownNode() : await fetchNode(String(releaseOf.get(name))));
    } catch (error) {
      lacking.push(`${name} could not be had: ${/** @type {Error} */ (error).message}`);
    }
  }
  return { nodes, lacking };
}

/**
 * A sanitizer that is not there finds nothing: what it finds is looked at first.
 * @param {NodeBinary} node
 * @param {Environment & { jobs: number }} work
 * @returns {Promise<string[]>} what it did not find
 */
async function checkPlanted(node, work) {
  /** @type {string[]} */
  const missed = [];
  await inParallel(plantedStorms(node), work.jobs, async ({ words, ...storm }) => {
    const ending = await runStorm(storm, work);
    const isFound = ending.findings.some((finding) => {
      return words.every((word) => finding.includes(word));
    });
    const verdict = isFound ? 'found' : 'NOT FOUND';
    say(`node ${node.release}  ${storm.label.padEnd(24)} ${verdict}`);
    if (!isFound) missed.push(`node ${node.release}: ${storm.label} not found (${ending.log})`);
  });
  return work.signal.aborted ? [] : missed;
}

/**
 * @param {NodeBinary} node
 * @param {Options} options
 * @param {Environment & { jobs: number }} work
 */
async function runNode(node, options, work) {
  /** @type {Ending[]} */
  const endings = [];
  /** @param {Storm} storm */
  const runOne = async (storm) => {
    if (work.signal.aborted) return;
    const ending = await runStorm(storm, work);
    if (work.signal.aborted) return;
    endings.push(ending);
    sayEnding(ending);
    sayFindings(ending);
  };
  await inParallel(stormsOf(node, options), work.jobs, runOne);
  const wanted = options.isShort || !options.parts.includes('terminations') ? 0 : insideMin;
  for (let round = 1; round <= topUpRoundsMax && !work.signal.aborted; round += 1) {
    const missing = missingEntries(endings, wanted);
    if (missing.length === 0) break;
    await runOne(topUpStorm(node, missing, round, options));
  }
  const findings = endings.flatMap(({ findings: own }) => own);
  for (const name of missingEntries(endings, wanted)) {
    const count = sumOf(endings).tallies.get(name)?.inside ?? 0;
    findings.push(`node ${node.release}: only ${count} terminations inside ${name}`);
  }
  return { endings, findings };
}

/**
 * @template T
 * @param {T[]} items
 * @param {number} jobs
 * @param {(item: T) => Promise<void>} work
 */
async function inParallel(items, jobs, work) {
  const waiting = [...items];
  const runners = Array.from({ length: jobs }, async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  });
  await Promise.all(runners);
}

/** @param {number} startMs */
function seconds(startMs) {
  return ((performance.now() - startMs) / 1000).toFixed(1);
}
