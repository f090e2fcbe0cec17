/** Programs at the limits of their process, on this host's kernel: errors, and nothing is lost. */

import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../facade/workers/low-limits.mjs', import.meta.url));
/** As many as its policies cut the program's buffer into. */
const MAPPINGS_MAX = 2 ** 17;
const dist = new URL('../../dist/index.js', import.meta.url);
const lessMemory = (hint: string) => ({
  code: 'NUMA_OUT_OF_MEMORY',
  hint: expect.stringContaining(hint),
});

const TOO_MANY = { code: 'NUMA_SYSTEM_ERROR', hint: expect.stringContaining('ulimit -n') };

/** What ulimit sets, the name of the case, what it tells. */
const CASES: readonly (readonly [string, string, string, object])[] = [
  [
    'of addresses is an error of allocate()',
    'ulimit -v 40000000',
    'addresses',
    { refused: [lessMemory('RLIMIT_AS'), lessMemory('RLIMIT_AS')], works: true },
  ],
  [
    'of descriptors is an error of what has one, and moves need none',
    'ulimit -n 64',
    'descriptors',
    { refused: Array(3).fill(TOO_MANY), complete: true, works: true, left: true },
  ],
  [
    'of locked memory is no matter: nothing is locked',
    'ulimit -l 0',
    'locked',
    { complete: true, works: true },
  ],
];

async function run(limit: string, name: string): Promise<unknown> {
  const script = `${limit} && exec "$0" --expose-gc "$1" "$2"`;
  const words = ['-c', script, process.execPath, PROGRAM, name];
  const { stdout } = await promisify(execFile)('sh', words);
  return JSON.parse(stdout);
}

test.each(CASES)('a limit %s', async (_, limit, name, told) => {
  expect(existsSync(dist), 'npm run build:ts').toBe(true);
  expect(await run(limit, name)).toMatchObject(told);
});

test('a limit of mappings is an error of setPolicy(), and release() gives them back', async (c) => {
  const limit = Number(readFileSync('/proc/sys/vm/max_map_count', 'utf8'));
  if (limit > MAPPINGS_MAX)
    c.skip(`needs a limit of mappings that is soon reached; it is ${limit}`);
  const refused = [lessMemory('vm.max_map_count')];
  const told = { refused, many: true, works: true, left: true };
  expect(await run('true', 'mappings')).toMatchObject(told);
});

test('a view that nobody has any more gives its policy back', async () => {
  expect(await run('true', 'forgotten')).toEqual({ during: 'prefer:0', after: 'default' });
});
