// @ts-check
// What a sanitizer run says: a line for each storm, findings as they come, the table of entries.

/** @typedef {import('./storm-process.mjs').Ending} Ending */

/** @param {string} line */
export const say = (line) => {
  process.stdout.write(`${line}\n`);
};

/** @param {Ending} ending */
export function sayEnding({ storm, seconds, result, findings }) {
  const verdict = findings.length === 0 ? 'ok' : 'FINDING';
  const counts = Object.entries(result ?? {})
    .filter(([, value]) => typeof value === 'number')
    .map(([name, value]) => `${name} ${value}`);
  const heading = `node ${storm.node.release}  ${storm.label.padEnd(24)}`;
  say(`${heading} ${seconds.toFixed(1).padStart(6)} s  ${verdict}  ${counts.join(', ')}`);
}

/** @param {Ending} ending */
export function sayFindings({ storm, findings, log }) {
  for (const finding of findings) {
    say(`\n${finding}\n`);
    const { names: _, ...options } = storm.options;
    say(`  with ${JSON.stringify(options)}`);
    say(`  whole output: ${log}\n`);
  }
}

/**
 * Over several storms.
 * @param {Ending[]} endings
 */
export function sumOf(endings) {
  /** @type {Map<string, { inside: number, calls: number }>} */
  const tallies = new Map();
  const counts = { workers: 0, withPending: 0, releases: 0 };
  for (const { result } of endings) {
    for (const name of /** @type {(keyof typeof counts)[]} */ (Object.keys(counts))) {
      counts[name] += result?.[name] ?? 0;
    }
    for (const [name, { inside, calls }] of Object.entries(result?.['tallies'] ?? {})) {
      const sum = tallies.get(name) ?? { inside: 0, calls: 0 };
      tallies.set(name, { inside: sum.inside + inside, calls: sum.calls + calls });
    }
  }
  return { ...counts, tallies };
}

/**
 * @param {Ending[]} endings
 * @param {number} wanted
 * @returns {string[]}
 */
export function missingEntries(endings, wanted) {
  const { tallies } = sumOf(endings);
  return [...tallies].filter(([, { inside }]) => inside < wanted).map(([name]) => name);
}

/**
 * @param {Ending[]} endings
 * @param {{ findings: string[], seconds: string, releases: { release: string }[] }} run
 */
export function summarize(endings, { findings, seconds, releases }) {
  const perNode = releases.map(({ release }) => ({
    release,
    sum: sumOf(endings.filter(({ storm }) => storm.node.release === release)),
  }));
  const names = [...sumOf(endings).tallies.keys()].sort();
  if (names.length > 0) {
    say('\nterminations inside of each entry');
    say(row('entry', [...releases.map(({ release }) => release), 'calls']));
    for (const name of names) {
      const counts = perNode.map(({ sum }) => String(sum.tallies.get(name)?.inside ?? 0));
      say(row(name, [...counts, String(sumOf(endings).tallies.get(name)?.calls ?? 0)]));
    }
    for (const { release, sum } of perNode) {
      const { workers, withPending, releases: count } = sum;
      const pending = `${withPending} of them with calls on the pool`;
      say(`node ${release}: ${workers} workers terminated, ${pending}; ${count} releases`);
    }
  }
  const { workers, releases: released } = sumOf(endings);
  const where = releases.map(({ release }) => release).join(', ');
  for (const finding of findings) say(`finding: ${finding.split('\n')[0]}`);
  say(
    `sanitize: ${workers} workers terminated, ${released} releases under pending operations, ` +
      `Node ${where}: ${findings.length} findings, ${seconds} s`,
  );
}

/**
 * @param {string} name
 * @param {string[]} cells
 */
function row(name, cells) {
  return `${name.padEnd(26)}${cells.map((cell) => cell.padStart(11)).join('')}`;
}
