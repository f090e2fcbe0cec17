/**
 * A program that was made one file: it runs where nothing of the package is, on the simulator, and
 * says what to do where the addon is asked for.
 */

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inGuest } from '../support/environment.ts';

type Format = 'esm' | 'cjs';
/** Makes one file of `entry` in each format. */
type Bundler = (entry: string, fileOf: (format: Format) => string) => Promise<void>;

const FORMATS: readonly Format[] = ['esm', 'cjs'];
/** For a machine that does other things, too. */
const MINUTE = 60_000;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Uses each entry of the package; the last line asks for what no bundle has. */
const PROGRAM = `
import { bind, openNuma } from 'node-numa';
import { Machine, presets } from 'node-numa/simulator';
import { openSyscalls } from 'node-numa/syscalls';
import { withMachine } from 'node-numa/testing';

async function run() {
  const numa = openNuma({ backend: 'simulator' });
  const buffer = numa.allocate(10 * numa.pageSizeBytes, { policy: bind(0) });
  buffer.bytes.fill(42);
  const { complete, pages } = await buffer.migrate({ to: 1 });
  buffer.release();
  const machine = new Machine(presets.twoSockets);
  const nodeCount = openNuma({ machine }).topology.nodes.length;
  const bare = openSyscalls(numa).getMempolicy({ flags: 0, maxnode: 0 });
  const tested = await withMachine({}, ({ numa: own }) => own.backend.kind);
  let failure = {};
  try {
    openNuma({ backend: 'native' });
  } catch ({ code, message, hint }) {
    failure = { code, message, hint };
  }
  console.log(JSON.stringify({ complete, moved: pages.moved, nodeCount, bare, tested, failure }));
}
run();
`;

/** Bundlers are loaded where they are used: a guest has none. */
const BUNDLERS: Readonly<Record<string, Bundler>> = {
  esbuild: async (entry, fileOf) => {
    const { build } = await import('esbuild');
    for (const format of FORMATS) {
      await build({
        ...{ entryPoints: [entry], outfile: fileOf(format), format },
        ...{ bundle: true, platform: 'node', minify: true },
        // It tells that import.meta is empty in CommonJS.
        logOverride: { 'empty-import-meta': 'silent' },
        logLevel: 'warning',
      });
    }
  },
  rollup: async (entry, fileOf) => {
    const { rollup } = await import('rollup');
    const { resolve } = createRequire(entry);
    const resolveId = (id: string) => (id.startsWith('node-numa') ? resolve(id) : null);
    const bundle = await rollup({
      input: entry,
      external: /^node:/,
      plugins: [{ name: 'packages', resolveId }],
      onwarn: ({ message }) => expect(message).toMatch(/Circular dependency/),
    });
    for (const format of FORMATS) await bundle.write({ file: fileOf(format), format });
  },
  webpack: async (entry, fileOf) => {
    const { default: webpack } = await import('webpack');
    const compiler = webpack(
      FORMATS.map((format) => ({
        ...{ entry, target: 'node20', mode: 'none' as const },
        experiments: { outputModule: format === 'esm' },
        output: {
          ...{ path: dirname(fileOf(format)), filename: basename(fileOf(format)) },
          library: { type: format === 'esm' ? 'module' : 'commonjs2' },
        },
      })),
    );
    const stats = await promisify(compiler.run.bind(compiler))();
    expect(stats?.toString({ all: false, errors: true, warnings: true })).toBe('');
  },
};

/** What a program prints that has only Node. */
async function answerOf(file: string): Promise<unknown> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { env: {} });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

const folder = mkdtempSync(join(tmpdir(), 'node-numa-bundle-'));
const installed = join(folder, 'installed');
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(() => {
  const copy = join(installed, 'node_modules/node-numa');
  mkdirSync(copy, { recursive: true });
  for (const name of ['package.json', 'dist']) {
    cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  }
  writeFileSync(join(installed, 'program.mjs'), PROGRAM);
});

beforeEach((context) => {
  if (inGuest) context.skip('bundles are made on the host');
});

describe('a bundle', () => {
  const fileOf = (name: string) => (format: Format) =>
    join(folder, `${name}.${format === 'esm' ? 'mjs' : 'cjs'}`);

  test.each(Object.entries(BUNDLERS))(
    'by %s is made without a warning',
    async (name, bundle) => bundle(join(installed, 'program.mjs'), fileOf(name)),
    MINUTE,
  );

  test(
    'loads and simulates alone, and says what native needs',
    async () => {
      rmSync(installed, { recursive: true });
      const files = Object.keys(BUNDLERS).flatMap((name) => FORMATS.map(fileOf(name)));
      for (const file of files) {
        expect(await answerOf(file), file).toEqual({
          ...{ complete: true, moved: 10, nodeCount: 2, tested: 'simulator' },
          bare: { ok: true, value: expect.anything() },
          failure: {
            code: 'NUMA_BACKEND_UNAVAILABLE',
            message: expect.stringContaining(
              'a bundle has the JavaScript of node-numa, not its addon',
            ),
            hint: expect.stringContaining("external: ['node-numa']"),
          },
        });
      }
    },
    MINUTE,
  );
});
