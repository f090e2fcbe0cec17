/**
 * Runs what the README and examples/ show as it stands there: on this host's kernel where it has
 * two nodes, and on the simulator everywhere. Both print the same but for the line of the backend.
 */

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, type TestContext } from 'vitest';

const projectFolder = fileURLToPath(new URL('../..', import.meta.url));
const examples = readdirSync(`${projectFolder}/examples`).filter((name) => name.endsWith('.mjs'));

/** What relocates memory, with what each of them prints behind its backend. */
const RELOCATIONS: Record<string, (home: number, away: number, pages: number) => string[]> = {
  'careful-move.mjs': (home, away, pages) => {
    const half = (pages / 2).toLocaleString('en-US');
    return [
      `${pages / 2} pages would move to node ${away}`,
      'to know before: policy',
      `${half} pages to node ${away}: ${half} moved; done`,
      `${pages.toLocaleString('en-US')} pages: ${half} on node ${home}, ${half} on node ${away}`,
    ];
  },
  'view.mjs': (_, away, pages) => [
    `${pages / 2} of ${pages / 2} pages moved to node ${away}`,
    '0 bytes share a page with other memory',
    'the worker counted to 200000 of 200000',
  ],
  'relocate.mjs': (home, away, pages) => [
    `${pages} of ${pages} pages moved to node ${away}`,
    `pages by node before { '${home}': ${pages} } and after { '${away}': ${pages} }`,
    'the data is kept',
  ],
  'change-policy.mjs': (home, away, pages) => [
    `${pages / 2} pages moved to node ${away}, its policy is bind:${away}`,
    `pages by node before { '${home}': ${pages / 2} } and after { '${away}': ${pages / 2} }`,
    `with the rest written { '${away}': ${pages} }`,
    'the data is kept',
  ],
  'move-process.mjs': (home, away, pages) =>
    [1, 2].flatMap(() => [
      `${pages / 2} pages moved to node ${away}, its policy is bind:${home}`,
      'the data is kept',
    ]),
};
/** A worker would load what its process was told to load before. */
const WITH_WORKERS = ['view.mjs'];
const TOGETHER = Object.keys(RELOCATIONS).filter((name) => !WITH_WORKERS.includes(name));
/** What others print behind their backend, on each machine with two nodes. */
const OTHERS: Record<string, readonly RegExp[]> = {
  'place-pages.mjs': [
    /^weights of the machine: (none|\{ '0': 1, '1': 1)/m,
    /^by weights 3 to 1 \(placed\): \{ '0': 36864, '1': 12288 \}$/m,
    /^in halves \(policy\): 0,0,0,0,0,0,1,1,1,1,1,1$/m,
    /^page by page: 0,1,0,1,0,1,0,1,0,1,0,1$/m,
    /^CPUs [\d,-]+ and memory of node 0 bound$/m,
  ],
  'map-file.mjs': [
    /^on node \d+: \{ '\d+': 1024 \}\non node \d+: \{ '\d+': 1024 \}$/m,
    /^the file begins with Data$/m,
  ],
  'populate.mjs': [/^4 steps, pages by node \{ '\d+': 16384 \}$/m],
  'know-machine.mjs': [
    /^this thread may run on the CPUs [\d,-]+ of [\d,-]+$/m,
    /^CPU \d+ is on node \d+, in a package with the nodes \[ \d/m,
    /^it shares its last cache with the CPUs \d/m,
    /^nodes by bandwidth: \d+,\d+/m,
    /^netdev:lo: .+/m,
    /^memory of node 1: distance \d+, (is not told|\d+ ns to read)$/m,
  ],
};
const BUFFER_BYTES = 16 * 2 ** 20;

/** Memory of other kinds, and of several threads, likewise, by pages of that size. */
const KINDS: Record<string, (home: number, away: number, pageBytes: number) => string[]> = {
  'shared-memory.mjs': (home, away, pageBytes) =>
    [home, away, '\\d+'].map(
      (node, part) => `part ${part} { '${node}': ${2 ** 20 / pageBytes} } with its data`,
    ),
  'replicas.mjs': (home, away, pageBytes) => [
    ...[home, away].map((node) => `a copy on node ${node}: { '${node}': ${2 ** 20 / pageBytes} }`),
    'article 1234 costs 12.34',
    'with version 2 it costs 24.68',
  ],
};

export async function outputOf(parameters: string[], backend: string): Promise<string> {
  const env = { ...process.env, NODE_NUMA_BACKEND: backend };
  const run = promisify(execFile);
  const { stdout, stderr } = await run(process.execPath, parameters, { cwd: projectFolder, env });
  expect(stderr).toBe('');
  return stdout;
}

/** The code block of the README that is plain JavaScript. */
function readmeExample(): string {
  const readme = readFileSync(`${projectFolder}/README.md`, 'utf8');
  return /```js\n(.*?)```/s.exec(readme)?.[1] ?? '';
}

/** The nodes that an example uses there, and the size of a page. */
type Places = (context: TestContext) => [home: number, away: number, pageSizeBytes: number];

/** Declares the runs on one backend. */
export function exampleTests(backend: 'native' | 'simulator', placesOf: Places): void {
  it('has the examples that the README speaks of', () => {
    expect(examples).toEqual(expect.arrayContaining(Object.keys(RELOCATIONS)));
  });

  // In one process: under emulation its start takes longest.
  it(`runs ${TOGETHER.join(', ')} and that of the README`, async (context) => {
    const [home, away, pageSizeBytes] = placesOf(context);
    const imports = TOGETHER.flatMap((name) => ['--import', `./examples/${name}`]);
    const last = ['--input-type=module', '--eval', readmeExample()];
    const lines = (await outputOf([...imports, ...last], backend)).trim().split('\n');
    const isBackend = (line: string): boolean =>
      line.startsWith(`${backend}: asked for by NODE_NUMA_BACKEND`);
    expect(lines.filter(isBackend)).toHaveLength(TOGETHER.length);
    const rest = lines.filter((line) => !isBackend(line));
    const expected = TOGETHER.flatMap(
      (name) => RELOCATIONS[name]?.(home, away, BUFFER_BYTES / pageSizeBytes) ?? [],
    );
    expect(rest.splice(0, expected.length)).toEqual(expected);
    expect(rest.join('\n')).toContain(`moved: ${(16 * BUFFER_BYTES) / pageSizeBytes}`);
  });

  it.for(WITH_WORKERS)('runs examples/%s', async (name, context) => {
    const [home, away, pageSizeBytes] = placesOf(context);
    const [first, ...lines] = (await outputOf([`examples/${name}`], backend)).trim().split('\n');
    expect(first).toMatch(new RegExp(`^${backend}: asked for by NODE_NUMA_BACKEND`));
    expect(lines).toEqual(RELOCATIONS[name]?.(home, away, BUFFER_BYTES / pageSizeBytes));
  });

  it.for(Object.keys(KINDS))('runs examples/%s', async (name, context) => {
    const [home, away, pageSizeBytes] = placesOf(context);
    const [first, ...lines] = (await outputOf([`examples/${name}`], backend)).trim().split('\n');
    expect(first).toMatch(new RegExp(`^${backend}: asked for by NODE_NUMA_BACKEND`));
    const expected = KINDS[name]?.(home, away, pageSizeBytes) ?? [];
    expect(lines).toHaveLength(expected.length);
    for (const [index, line] of lines.entries()) {
      expect(line).toMatch(new RegExp(`^${expected[index]}$`));
    }
  });

  it(`runs ${Object.keys(OTHERS).join(', ')}`, async (context) => {
    placesOf(context);
    const imports = Object.keys(OTHERS).flatMap((name) => ['--import', `./examples/${name}`]);
    const output = await outputOf([...imports, '--eval', ''], backend);
    expect(output).toMatch(new RegExp(`^${backend}: asked for by NODE_NUMA_BACKEND`));
    for (const line of Object.values(OTHERS).flat()) expect(output).toMatch(line);
  });
}
