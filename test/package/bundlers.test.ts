/**
 * A program that was made one file: it runs where nothing of the package is, on the simulator and,
 * where it says how it comes to the addon, natively. The rows of docs/bundlers.md.
 */

import { execFile } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Plugin } from 'rollup';
import { afterAll, beforeAll, beforeEach, describe, expect, type TestContext, test } from 'vitest';
import { prebuildName } from '../../lib/native-backend/load-addon.ts';
import { writePrebuild } from '../../scripts/pack/prebuild.mjs';
import { inGuest } from '../support/environment.ts';
import { numaCallsUnmet } from '../support/needs.ts';

/** For a machine that does other things, too. */
const MINUTE = 60_000;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ADDON = join(ROOT, 'build/Release/node_numa.node');
/** Its entry in package.json is what a bundler can follow. */
const PREBUILT = 'linux-x64';

/** How a program comes to the addon: statements, and what it gives to openNuma(). */
interface Way {
  readonly statements?: string;
  readonly binding: string;
}

/** Its file, which was copied beside the bundle. */
const BESIDE: Way = { binding: "new URL('./node_numa.node', import.meta.url)" };
const WAYS = {
  asFile: {
    statements: `import file from 'node-numa/prebuilds/${PREBUILT}/node_numa.node';`,
    binding: 'new URL(file, import.meta.url)',
  },
  asModule: {
    statements: `import addon from 'node-numa/${PREBUILT}';`,
    binding: 'addon',
  },
  asAsset: {
    binding: `new URL('node-numa/prebuilds/${PREBUILT}/node_numa.node', import.meta.url)`,
  },
  beside: BESIDE,
  /** Of a single executable. */
  asset: {
    statements: `
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getRawAsset } from 'node:sea';
function unpack() {
  const file = join(mkdtempSync(join(tmpdir(), 'addon-')), 'node_numa.node');
  writeFileSync(file, new Uint8Array(getRawAsset('node_numa.node')));
  return file;
}`,
    binding: 'unpack()',
  },
} satisfies Record<string, Way>;

/** Uses each entry of the package; then asks for the addon as no bundle has it, and as it has. */
const programOf = ({ statements = '', binding }: Way): string => `
import { bind, openNuma } from 'node-numa';
import { Machine, presets } from 'node-numa/simulator';
import { openSyscalls } from 'node-numa/syscalls';
import { withMachine } from 'node-numa/testing';
${statements}

function nativeWith(options) {
  try {
    const numa = openNuma({ backend: 'native', ...options });
    const buffer = numa.allocate(4 * numa.pageSizeBytes);
    buffer.bytes.fill(42);
    const found = Object.values(buffer.residencySync().byNode);
    buffer.release();
    return { kind: numa.backend.kind, pages: found.reduce((sum, count) => sum + count, 0) };
  } catch ({ code, message, hint }) {
    return { code, message, hint };
  }
}

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
  const failure = nativeWith({});
  const native = nativeWith({ nativeBinding: ${binding} });
  const seen = { nodeCount, bare, tested, failure, native };
  console.log(JSON.stringify({ complete, moved: pages.moved, ...seen }));
}
run();
`;

/** What is made, and how the program in it comes to the addon. */
interface Row {
  readonly file: string;
  readonly way: keyof typeof WAYS;
  /** Bundlers are loaded where they are used: a guest has none. */
  readonly make: (entry: string, file: string) => Promise<void>;
}

async function esbuild(entry: string, file: string, loader: 'file' | 'copy'): Promise<void> {
  const { build } = await import('esbuild');
  await build({
    ...{ entryPoints: [entry], outfile: file, format: file.endsWith('.mjs') ? 'esm' : 'cjs' },
    ...{ bundle: true, platform: 'node', minify: true, loader: { '.node': loader } },
    // It tells that import.meta is empty in CommonJS.
    logOverride: { 'empty-import-meta': 'silent' },
    logLevel: 'warning',
  });
}

async function rollup(entry: string, file: string): Promise<void> {
  const { rollup: roll } = await import('rollup');
  const { resolve } = createRequire(entry);
  const resolveId = (id: string) => (id.startsWith('node-numa') ? resolve(id) : null);
  const packages: Plugin = { name: 'packages', resolveId };
  const bundle = await roll({
    input: entry,
    external: /^node:/,
    plugins: [packages],
    onwarn: ({ message }) => expect(message).toMatch(/Circular dependency/),
  });
  await bundle.write({ file, format: file.endsWith('.mjs') ? 'esm' : 'cjs' });
  copyFileSync(ADDON, join(dirname(file), 'node_numa.node'));
}

async function webpack(entry: string, file: string): Promise<void> {
  const { default: pack } = await import('webpack');
  const isModule = file.endsWith('.mjs');
  const compiler = pack({
    ...{ entry, target: 'node20', mode: 'none' },
    experiments: { outputModule: isModule },
    output: {
      ...{ path: dirname(file), filename: basename(file) },
      library: { type: isModule ? 'module' : 'commonjs2' },
    },
  });
  const stats = await promisify(compiler.run.bind(compiler))();
  expect(stats?.toString({ all: false, errors: true, warnings: true })).toBe('');
}

/** For a server: with what it imports in the bundle. */
async function viteSsr(entry: string, file: string): Promise<void> {
  const { build } = await import('vite');
  await build({
    ...{ root: dirname(entry), configFile: false, logLevel: 'warn' },
    ssr: { noExternal: true, target: 'node' },
    build: {
      ...{ ssr: entry, outDir: dirname(file), emptyOutDir: false },
      rollupOptions: { output: { entryFileNames: basename(file) } },
    },
  });
  copyFileSync(ADDON, join(dirname(file), 'node_numa.node'));
}

/** Node's own file with the program and the addon in it. */
async function singleExecutable(entry: string, file: string): Promise<void> {
  const script = `${file}.cjs`;
  await esbuild(entry, script, 'file');
  const [config, blob] = [`${file}.json`, `${file}.blob`];
  const assets = { 'node_numa.node': ADDON };
  const options = { main: script, output: blob, disableExperimentalSEAWarning: true, assets };
  writeFileSync(config, JSON.stringify(options));
  await promisify(execFile)(process.execPath, ['--experimental-sea-config', config]);
  copyFileSync(process.execPath, file);
  chmodSync(file, 0o755);
  const { inject } = createRequire(import.meta.url)('postject') as {
    inject(file: string, name: string, data: Buffer, options: object): Promise<void>;
  };
  const sentinelFuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
  await inject(file, 'NODE_SEA_BLOB', readFileSync(blob), { sentinelFuse });
}

const ROWS: Readonly<Record<string, Row>> = {
  'esbuild, ES module': {
    ...{ file: 'esbuild.mjs', way: 'asFile' },
    make: (entry, file) => esbuild(entry, file, 'file'),
  },
  'esbuild, CommonJS': {
    ...{ file: 'esbuild.cjs', way: 'asModule' },
    make: (entry, file) => esbuild(entry, file, 'copy'),
  },
  'rollup, ES module': { file: 'rollup.mjs', way: 'beside', make: rollup },
  'rollup, CommonJS': { file: 'rollup.cjs', way: 'beside', make: rollup },
  'webpack, ES module': { file: 'webpack.mjs', way: 'asAsset', make: webpack },
  'webpack, CommonJS': { file: 'webpack.cjs', way: 'asAsset', make: webpack },
  'vite, for a server': { file: 'vite.mjs', way: 'beside', make: viteSsr },
  'single executable': { file: 'program', way: 'asset', make: singleExecutable },
};

/** What a program prints that has only Node. */
async function answerOf(file: string): Promise<unknown> {
  const words = file.endsWith('js') ? [process.execPath, file] : [file];
  const options = { env: {}, cwd: tmpdir() };
  const { stdout, stderr } = await promisify(execFile)(words[0] as string, words.slice(1), options);
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

const folder = mkdtempSync(join(tmpdir(), 'node-numa-bundle-'));
const installed = join(folder, 'installed');
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(() => {
  if (!existsSync(ADDON)) return;
  const copy = join(installed, 'node_modules/node-numa');
  mkdirSync(copy, { recursive: true });
  for (const name of ['package.json', 'dist']) {
    cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  }
  writePrebuild(ADDON, join(copy, 'prebuilds', PREBUILT));
  for (const [name, way] of Object.entries(WAYS)) {
    writeFileSync(join(installed, `${name}.mjs`), programOf(way));
  }
});

const obstacle = await numaCallsUnmet();

/** Why no row can be shown here. */
function hindrance(): string | undefined {
  if (inGuest) return 'bundles are made on the host';
  if (!existsSync(ADDON)) return 'the addon is not built: npm run build:native';
  return prebuildName() === PREBUILT ? undefined : `this is ${prebuildName()}, not ${PREBUILT}`;
}

beforeEach((context: TestContext) => {
  const reason = hindrance();
  if (reason !== undefined) context.skip(reason);
});

describe('a bundle', () => {
  const fileOf = ({ file }: Row): string => join(folder, `made by ${file}`, file);

  test.each(Object.entries(ROWS))(
    'is made without a warning: %s',
    async (_name, row) => {
      mkdirSync(dirname(fileOf(row)));
      await row.make(join(installed, `${row.way}.mjs`), fileOf(row));
    },
    MINUTE,
  );

  test(
    'loads and simulates alone, says what native needs, and is native with it',
    async () => {
      rmSync(installed, { recursive: true });
      for (const [name, row] of Object.entries(ROWS)) {
        expect(await answerOf(fileOf(row)), name).toEqual({
          ...{ complete: true, moved: 10, nodeCount: 2, tested: 'simulator' },
          bare: { ok: true, value: expect.anything() },
          failure: {
            code: 'NUMA_BACKEND_UNAVAILABLE',
            message: expect.stringContaining(
              'a bundle has the JavaScript of node-numa, not its addon',
            ),
            hint: expect.stringMatching(
              /nativeBinding.*NODE_NUMA_BINDING.*external: \['node-numa'\]/,
            ),
          },
          native:
            obstacle === undefined ? { kind: 'native', pages: 4 } : expect.objectContaining({}),
        });
      }
    },
    MINUTE,
  );
});
