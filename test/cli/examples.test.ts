/**
 * The examples of each command's help, and those of the README, run as they stand: by a shell that
 * finds node-numa on its path. Those that move between nodes run where there are two.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { commands } from '../../lib/cli/commands/index.ts';
import { memoryNodes } from '../facade/machine.ts';
import { readRepositoryFile } from '../style/repository.ts';
import { inGuest } from '../support/environment.ts';
import { numaCallsUnmet } from '../support/needs.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'examples-'));
const program = join(folder, 'node-numa');
writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${PROGRAM}" "$@"\n`, {
  mode: 0o755,
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Command lines of the README's shell blocks that begin with the program's name. */
function readmeLines(): string[] {
  const blocks = readRepositoryFile('README.md').matchAll(/```sh\n([\s\S]*?)```/g);
  return [...blocks]
    .flatMap(([, block]) => (block as string).split('\n'))
    .map((line) => line.replace(/ +#.*$/, '').replace(/^npx /, ''))
    .filter((line) => line.startsWith('node-numa '));
}

const lines = [
  ...commands.flatMap(({ examples }) => examples.map(({ line }) => line)),
  ...readmeLines(),
];

/** A guest, where a program takes seconds to start, shows a move; the host shows the others. */
function needsNodes(line: string): boolean {
  return /--to 1\b/.test(line);
}

/** Sets a policy or asks for places of pages of this host. */
function makesCalls(line: string): boolean {
  return /^node-numa (run|where .*--maps) /.test(`${line} `) && !/--machine/.test(line);
}

function isDry(line: string): boolean {
  return line.includes('--dry-run');
}

/** Why this host does not let us make them, as in a container. */
const obstacle = await numaCallsUnmet();

describe('examples', () => {
  test('every command has some, and the README too', () => {
    expect(commands.filter(({ examples }) => examples.length === 0)).toEqual([]);
    expect(readmeLines().length).toBeGreaterThan(4);
  });

  const shown = inGuest ? lines.filter((line) => needsNodes(line) && !isDry(line)) : lines;
  for (const line of new Set(shown)) {
    test(line, { timeout: 60_000 }, (context) => {
      const isMove = needsNodes(line);
      if (isMove && memoryNodes.length < 2) context.skip('needs 2 nodes with memory');
      if (makesCalls(line) && obstacle !== undefined) context.skip(obstacle);
      const env = { ...process.env, PATH: `${folder}:${process.env['PATH']}` };
      const ran = spawnSync('sh', ['-c', line], { env, encoding: 'utf8', cwd: folder });
      expect(ran.stderr).toBe('');
      // A move may leave what is pinned at the moment (3), and what other processes map, too (5).
      expect(isMove ? [0, 3, 5] : [0], ran.stdout).toContain(ran.status);
    });
  }
});
