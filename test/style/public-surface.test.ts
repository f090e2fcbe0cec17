/**
 * The declarations that users compile against, as one text: the public surface changes only on
 * purpose. After such a change: npx vitest run test/style -u
 */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { reachableDeclarations } from '../../scripts/pack/declarations.mjs';
import { ROOT } from './repository.ts';

const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');

/** The declarations that tsconfig.build.json emits, by file name beneath lib/. */
function emitDeclarations(): Map<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'node-numa-declarations-'));
  try {
    // The build has checked the types.
    const options = '--emitDeclarationOnly --noCheck --declarationMap false --removeComments';
    const config = ['-p', join(ROOT, 'tsconfig.build.json'), '--outDir', folder];
    execFileSync(process.execPath, [compiler, ...config, ...options.split(' ')]);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const paths = files.filter((path) => path.endsWith('.d.ts'));
    return new Map(paths.map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

let emitted: ReadonlyMap<string, string> | undefined;

/** The compiler is a tool of the host: the guest runs what it has made. */
function needDeclarations(context: TestContext): ReadonlyMap<string, string> {
  if (!existsSync(compiler)) context.skip('typescript is not installed here');
  emitted ??= emitDeclarations();
  return emitted;
}

// The compiler reads all of lib.
const options = { timeout: 60_000 };

test('the public surface is the recorded one', options, async (context) => {
  const declarations = needDeclarations(context);
  const paths = reachableDeclarations((path) => declarations.get(path) ?? '');
  expect(paths.length).toBeGreaterThan(10);
  expect(paths.filter((path) => !declarations.has(path))).toEqual([]);
  const surface = paths.map((path) => `// ${path}\n${declarations.get(path)?.trim()}\n`).join('\n');
  await expect(surface).toMatchFileSnapshot('__snapshots__/public-surface.d.ts.snapshot');
});

test('no declaration names a file of the addon or the loader', (context) => {
  const declarations = needDeclarations(context);
  const paths = reachableDeclarations((path) => declarations.get(path) ?? '');
  expect(paths.filter((path) => path.startsWith('native-backend/'))).toEqual([]);
});
