/** The tarball that users install: what is in it, and that it works in an empty project. */

import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { compareReleases, oldestKernelLine } from '../../lib/core/kernels.ts';
import { prebuildName } from '../../lib/native-backend/load-addon.ts';
import { parts, publicModules } from '../../scripts/pack/bundle.mjs';
import { publicTypes, reachableDeclarations } from '../../scripts/pack/declarations.mjs';
import { inGuest } from '../support/environment.ts';
import { numaCallsUnmet } from '../support/needs.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CONSUMER = fileURLToPath(new URL('consumer', import.meta.url));
const MINUTES = 60_000;

/** What npm says of a tarball that it made. */
interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

interface Manifest {
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly gypfile?: boolean;
}

/** Why nothing can be packed here. */
const hindrance = inGuest
  ? 'packages are made on the host'
  : existsSync(join(ROOT, 'build/Release/node_numa.node'))
    ? undefined
    : 'the addon is not built: npm run build:native';

let project = '';
let packed: Packed;

/** A test runner's own settings are not a user's. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_|VITEST|TEST$)/.test(name)),
);

function npm(parameters: string[], cwd: string): string {
  return execFileSync('npm', [...parameters, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function runNode(parameters: string[], cwd = project): { stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, parameters, {
    cwd,
    env,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`node ${parameters.join(' ')}: ${stdout}${stderr}`);
  return { stdout, stderr };
}

const compiledConfigs = new Set<string>();

/** Every declaration is checked, those of the package too; once for all tests that need it. */
function compile(config: string): void {
  if (compiledConfigs.has(config)) return;
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const types = join(ROOT, 'node_modules/@types');
  expect(runNode([compiler, '-p', config, '--typeRoots', types]).stdout).toBe('');
  compiledConfigs.add(config);
}

/** The examples of docs/testing.md in one language. */
function examplesIn(language: 'ts' | 'js'): string[] {
  const text = readFileSync(join(project, 'node_modules/node-numa/docs/testing.md'), 'utf8');
  const blocks = [...text.matchAll(/```(\w+)\n(.*?)```/gs)];
  return blocks.filter((block) => block[1] === language).map((block) => block[2] as string);
}

beforeAll(() => {
  if (hindrance !== undefined) return;
  project = mkdtempSync(join(tmpdir(), 'node-numa-package-'));
  const output = npm(['pack', '--json', '--pack-destination', project], ROOT);
  [packed] = JSON.parse(output) as [Packed];
  cpSync(CONSUMER, project, { recursive: true });
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }\n');
  npm(['install', '--prefer-offline', join(project, packed.filename)], project);
}, 3 * MINUTES);

afterAll(() => {
  if (project !== '') rmSync(project, { recursive: true });
});

beforeEach((context) => {
  if (hindrance !== undefined) context.skip(hindrance);
});

describe('the tarball', () => {
  const paths = (): string[] => packed.files.map(({ path }) => path);

  test('has the code, its types, the addon of this platform, and the sources', () => {
    const kilobytes = (bytes: number) => `${Math.ceil(bytes / 1024)} kB`;
    const addon = packed.files.find(
      ({ path }) => path === `prebuilds/${prebuildName()}/node_numa.node`,
    );
    process.stdout.write(
      `tarball: ${kilobytes(packed.size)}, unpacked ${kilobytes(packed.unpackedSize)}, ` +
        `addon ${kilobytes(addon?.size ?? 0)}\n`,
    );
    expect(addon).toBeDefined();
    expect(paths()).toEqual(
      expect.arrayContaining([
        ...['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'],
        ...['dist/index.js', 'dist/types/index.d.ts', 'native/addon.cc', 'native/binding.gyp'],
        ...['scenarios/page.json', 'docs/schema/scenario.schema.json'],
      ]),
    );
    expect(packed.size).toBeLessThan(600 * 1024);
    expect(packed.unpackedSize).toBeLessThan(1.95e6);
    expect(packed.files.length).toBeLessThan(400);
  });

  test('has nothing that only tests or developers need', () => {
    const unwanted =
      /pin_page|refusals\.|puppet|\.test\.|^(test|scripts|build|lib|docs\/contract)\/|^\.|tsconfig/;
    expect(paths().filter((path) => unwanted.test(path))).toEqual([]);
  });

  test('has bundles of what can be imported and run, and the types that they have', () => {
    const inDist = paths().filter((path) => path.startsWith('dist/'));
    const isPart = (path: string): boolean => path.startsWith(`dist/${parts}/`);
    const scripts = inDist.filter((path) => path.endsWith('.js') && !isPart(path));
    expect(scripts.sort()).toEqual(publicModules.map((name) => `dist/${name}.js`).sort());
    const textOf = (path: string) => readFileSync(join(ROOT, 'dist', path), 'utf8');
    const types = reachableDeclarations(textOf).map((path) => `dist/${publicTypes}/${path}`);
    expect(inDist.filter((path) => path.endsWith('.d.ts')).sort()).toEqual(types.sort());
    expect(inDist).toHaveLength(scripts.length + types.length + inDist.filter(isPart).length);
  });

  test('has an addon that loads wherever this Node.js does', (context) => {
    const folder = join(project, 'node_modules/node-numa/prebuilds', prebuildName());
    const file = join(folder, 'node_numa.node');
    const read = (what: string) => spawnSync('readelf', [what, file], { encoding: 'utf8' });
    const { status, stdout } = read('-V');
    if (status !== 0) context.skip('readelf is not installed');
    const versions = [...stdout.matchAll(/Name: (GLIBC|GLIBCXX)_([\d.]+)/g)];
    const newest = (name: string): string | undefined =>
      versions
        .filter((match) => match[1] === name)
        .map((match) => match[2] as string)
        .sort(compareReleases)
        .at(-1);
    expect(compareReleases(newest('GLIBC') as string, '2.28')).toBeLessThanOrEqual(0);
    expect(compareReleases(newest('GLIBCXX') as string, '3.4.25')).toBeLessThanOrEqual(0);
    // A runtime without libuv ends the process where a strong name of it is met.
    const ofLibuv = read('--dyn-syms')
      .stdout.split('\n')
      .filter((line) => / uv_/.test(line));
    expect(ofLibuv.length).toBeGreaterThan(0);
    expect(ofLibuv.filter((line) => !/ WEAK /.test(line))).toEqual([]);
  });

  test('runs nothing when it is installed', () => {
    const path = join(project, 'node_modules/node-numa/package.json');
    const { scripts = {}, gypfile } = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
    const lifecycle = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish'];
    expect(lifecycle.filter((name) => name in scripts)).toEqual([]);
    expect(gypfile).toBe(false);
    expect(existsSync(join(project, 'node_modules/node-numa/binding.gyp'))).toBe(false);
    // Yarn 4 installs it for every script that has its name.
    expect(JSON.stringify(scripts)).not.toContain('node-gyp');
    expect(existsSync(join(project, 'node_modules/node-numa/build'))).toBe(false);
  });
});

describe('the program of an empty project that installed it', () => {
  test('plays the scenarios of the package, whose schema can be had', () => {
    const program = join(project, 'node_modules/.bin/node-numa');
    const { stdout, stderr } = runNode([program, 'simulate', 'page', '--kernel', oldestKernelLine]);
    expect([stdout, stderr]).toEqual([expect.stringContaining('all as expected'), '']);
    const schema = runNode(['--print', "require('node-numa/schema/scenario.json').title"]);
    expect(schema.stdout.trim()).toBe('A scenario of node-numa');
  });
});

describe('an empty project that installed it', () => {
  function expectWorks({ stdout, stderr }: { stdout: string; stderr: string }): void {
    expect(stderr).toBe('');
    const answer = JSON.parse(stdout) as { byNode: Record<string, number> };
    expect(answer).toMatchObject({ kind: 'native', isBuffer: true, complete: true, total: 10 });
    expect(Object.values(answer.byNode)).toEqual([10]);
  }

  beforeEach(async (context) => {
    const obstacle = await numaCallsUnmet();
    if (obstacle !== undefined) context.skip(obstacle);
  });

  test('works from an ECMAScript module', () => {
    expectWorks(runNode(['esm.mjs']));
  });

  test('works from CommonJS, without a flag or a warning', () => {
    expectWorks(runNode(['commonjs.cjs']));
  });

  test(
    'works from strict TypeScript, with using, every declaration checked',
    () => {
      compile('tsconfig.json');
      expectWorks(runNode(['out/typescript.js']));
    },
    MINUTES,
  );

  test('sees classes and functions by the names that it imports', () => {
    for (const module of ['node-numa', 'node-numa/simulator', 'node-numa/syscalls']) {
      const script = `import('${module}').then((all) => {
        const named = Object.entries(all).filter(([, value]) => typeof value === 'function');
        console.log(JSON.stringify(named.map(([name, { name: own }]) => [name, own])));
      })`;
      const names = JSON.parse(runNode(['--eval', script]).stdout) as [string, string][];
      expect(names.length).toBeGreaterThan(0);
      expect(names.filter(([name, own]) => name !== own)).toEqual([]);
    }
  });

  test('reaches nothing but the package and its manifest', () => {
    const specifiers = ['node-numa/dist/cli/main.js', 'node-numa/lib/index.ts'];
    for (const specifier of specifiers) {
      const script = `import('${specifier}').catch(({ code }) => process.stdout.write(code))`;
      expect(runNode(['--eval', script]).stdout).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED');
    }
    const { stdout } = runNode(['--print', "require('node-numa/package.json').name"]);
    expect(stdout.trim()).toBe('node-numa');
  });
});

describe('a project whose tests are made with it', () => {
  const told = {
    pass: false,
    message:
      'expected 10 pages to have moved to node 1; ' +
      'found 10 on node 0 before and 3 on node 0, 7 on node 1 after; total 10, moved 7, noMemory 3',
  };

  test.each(['testing.mjs', 'testing.cjs'])('runs %s, without vitest', (name) => {
    const { stdout, stderr } = runNode([name]);
    expect([JSON.parse(stdout), stderr]).toEqual([told, '']);
  });

  test(
    'runs testing.ts, whose declarations need no vitest either',
    () => {
      compile('tsconfig.json');
      expect(JSON.parse(runNode(['out/testing.js']).stdout)).toEqual(told);
    },
    MINUTES,
  );

  test('runs the example of docs/testing.md for other test runners', () => {
    const examples = examplesIn('js');
    expect(examples).toHaveLength(1);
    writeFileSync(join(project, 'documented.mjs'), examples.join('\n'));
    expect(runNode(['--test', 'documented.mjs']).stdout).toMatch(/# pass 1\n# fail 0/);
  });

  test(
    'runs the examples of docs/testing.md with vitest, and they are typed',
    () => {
      const examples = examplesIn('ts');
      expect(examples).toHaveLength(2);
      examples.forEach((text, index) => {
        writeFileSync(join(project, `documented-${index}.spec.ts`), text);
      });
      symlinkSync(join(ROOT, 'node_modules/vitest'), join(project, 'node_modules/vitest'));
      compile('tsconfig.vitest.json');
      const { stdout } = runNode(['node_modules/vitest/vitest.mjs', 'run', '--reporter=json']);
      const count = examples.join().match(/^test\(/gm)?.length;
      expect(JSON.parse(stdout)).toMatchObject({ numPassedTests: count, numTotalTests: count });
    },
    2 * MINUTES,
  );
});
