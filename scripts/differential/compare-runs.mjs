// @ts-check
// Two runs of a script: which programs did something else, and by what names that is known.

/** @typedef {import('./bundle.mjs').Harness} Harness */
/** @typedef {import('./script.mjs').Script} Script */
/** @typedef {import('../../test/differential/program.ts').Program} Program */
/** @typedef {import('../../test/differential/known-differences.ts').Verdict} Verdict */

/**
 * Of each program the line of replies, or what they came to.
 * @typedef {object} Run
 * @property {string} release
 * @property {readonly string[]} replies
 */

/** @typedef {{ index: number, program: Program, verdict: Verdict }} Found */

/**
 * @typedef {object} Comparison
 * @property {{ a: string, b: string }} releases the older one first
 * @property {number} programCount
 * @property {Found[]} found programs whose outcomes differ
 * @property {string[]} stale names of what should part the two releases and was not met
 */

/**
 * @template {{ release: string }} T
 * @param {Harness} harness
 * @param {readonly [T, T]} runs
 * @returns {readonly [T, T]} the older release first
 */
export function inOrder(harness, [a, b]) {
  return harness.compareReleases(a.release, b.release) <= 0 ? [a, b] : [b, a];
}

/**
 * @param {Harness} harness
 * @param {Script} script
 * @param {readonly [Run, Run]} runs in any order
 * @returns {Promise<Comparison>}
 */
export async function compareRuns(harness, script, runs) {
  const [a, b] = inOrder(harness, runs);
  const releases = { a: a.release, b: b.release };
  /** @type {Found[]} */
  const found = [];
  for (let index = 0; index < script.programCount; index += 1) {
    const left = /** @type {string} */ (a.replies[index]);
    const right = /** @type {string} */ (b.replies[index]);
    if (left === right) continue;
    const program = script.programAt(index);
    const outcomes = [
      await harness.readOutcome(program, left),
      await harness.readOutcome(program, right),
    ];
    const [older, newer] = /** @type {[import('./bundle.mjs').Outcome, any]} */ (outcomes);
    const verdict = harness.classify(program, older, newer, releases);
    if (verdict.first || verdict.known.length > 0) found.push({ index, program, verdict });
  }
  const met = new Set(found.flatMap(({ verdict }) => verdict.known));
  const stale = harness
    .knownBetween(releases, script.programAt(script.programCount - 1))
    .filter(({ name, isRare }) => !isRare && !met.has(name))
    .map(({ name }) => name);
  return { releases, programCount: script.programCount, found, stale };
}

/**
 * What kind of new difference it is: the call, and the fields that differ.
 * @param {Verdict} verdict
 */
export function kindOf({ first }) {
  if (!first) return undefined;
  return `${first.step?.call ?? 'last'}-${first.fields.join('-')}`.toLowerCase();
}

/** @param {Comparison} comparison */
export function hasNew({ found }) {
  return found.some(({ verdict }) => verdict.first);
}

/**
 * A line for each difference, by name; known ones with their entry of the contract.
 * @param {Harness} harness
 * @param {Comparison} comparison
 * @returns {string[]}
 */
export function toTexts(harness, { releases, programCount, found, stale }) {
  /** @type {Map<string, number[]>} */
  const seeds = new Map();
  for (const { program, verdict } of found) {
    const kind = kindOf(verdict);
    const names = kind ? [...verdict.known, `NEW: ${kind}`] : verdict.known;
    for (const name of names) seeds.set(name, [...(seeds.get(name) ?? []), program.seed]);
  }
  const { KNOWN, KERNEL_FACTS } = harness;
  const entries = new Map(KNOWN.map(({ name, fact }) => [name, KERNEL_FACTS[fact][0].join(', ')]));
  const title = (/** @type {string} */ name) =>
    entries.has(name) ? `${name} (${entries.get(name)})` : name;
  return [
    `${releases.a} and ${releases.b}: ${found.length} of ${programCount} programs differ`,
    ...[...seeds].map(([name, list]) => {
      return `  ${title(name)}: ${list.length} programs, seeds ${list.slice(0, 6).join(', ')}`;
    }),
    ...stale.map((name) => `  STALE: ${title(name)}: known, and not met`),
  ];
}
