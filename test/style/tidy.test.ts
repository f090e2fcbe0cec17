/** The rules of the house, as a test: layers, sizes, and nothing that nobody uses. */

import { basename, dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  existsInRepository,
  filesIn,
  filesNamedIn,
  importsOf,
  includesOf,
  readRepositoryFile,
} from './repository.ts';
import { breaches, code, isScript, lib, native, needCompiler, SCRIPT_EXTENSIONS } from './rules.ts';

/** From the lowest to the highest: imports point down; only files of one floor name each other. */
const FLOORS: readonly RegExp[] = [
  /^lib\/core\//,
  /^lib\/package-folder\.ts$/,
  /^lib\/procfs\//,
  /^lib\/backend\//,
  /^lib\/machine\//,
  /^lib\/simulator\/interface\//,
  /^lib\/simulator\/nodes\//,
  /^lib\/simulator\/cost\//,
  /^lib\/simulator\/policy\//,
  /^lib\/simulator\/memory\//,
  /^lib\/simulator\/migrate\//,
  /^lib\/simulator\/balancing\//,
  /^lib\/simulator\/tasks\//,
  /^lib\/simulator\/machine\.ts$/,
  /^lib\/simulator\/syscalls\//,
  /^lib\/simulator\/procfs\//,
  /^lib\/simulator\/(?!machine\.|simulated-machine\.|public\.)[^/]+\.ts$/,
  /^lib\/simulator\/handles\//,
  /^lib\/simulator\/(simulated-machine|public)\.ts$/,
  /^lib\/native-backend\//,
  /^lib\/open-backend\.ts$/,
  /^lib\/(facade\/|syscalls\/|index\.ts$)/,
  /^lib\/(services|testing)\//,
  /^lib\/cli\//,
];

/** The number of a file's floor, -1 for none. */
function floorOf(path: string): number {
  return FLOORS.findIndex((pattern) => pattern.test(path));
}

describe('layers', () => {
  test('every file of lib is on one floor, and imports nothing above it', () => {
    const found = breaches(lib, (file) => {
      const floors = FLOORS.filter((pattern) => pattern.test(file.path));
      if (floors.length !== 1) return [{ line: 1, what: `is on ${floors.length} floors` }];
      const inside = importsOf(file).filter((path) => path.startsWith('lib/'));
      return inside
        .filter((path) => floorOf(path) > floorOf(file.path))
        .map((path) => ({ line: 1, what: `imports ${path}` }));
    });
    expect(lib.length).toBeGreaterThan(20);
    expect(found).toEqual([]);
  });

  test('the facade receives its backend: only what opens one looks one up', () => {
    const facade = lib.filter(({ path }) => floorOf(path) === floorOf('lib/facade/'));
    const found = breaches(facade, (file) =>
      importsOf(file)
        .filter((path) => /^lib\/(native-backend\/|open-backend)/.test(path))
        .map((what) => ({ line: 1, what })),
    );
    expect(found).toEqual(
      [
        'lib/facade/open-numa.ts:1 lib/open-backend.ts',
        'lib/index.ts:1 lib/open-backend.ts', // A type of it is public.
        'lib/syscalls/open-syscalls.ts:1 lib/open-backend.ts',
      ].sort(),
    );
  });

  test('the backends do not know each other', () => {
    const found = breaches(lib, (file) => {
      const other = file.path.startsWith('lib/native-backend/') ? 'simulator' : 'native-backend';
      const isBackend = /^lib\/(native-backend|simulator)\//.test(file.path);
      return importsOf(file)
        .filter((path) => isBackend && path.startsWith(`lib/${other}/`))
        .map((path) => ({ line: 1, what: `imports ${path}` }));
    });
    expect(found).toEqual([]);
  });

  test('core imports nothing from outside of core', () => {
    const core = lib.filter(({ path }) => floorOf(path) === 0);
    const found = breaches(core, (file) =>
      importsOf(file)
        .filter((path) => !path.startsWith('lib/core/'))
        .map((what) => ({ line: 1, what })),
    );
    expect(found).toEqual([]);
  });

  test('in native/, system calls use support/ and never each other', () => {
    const found = breaches(native, (file) => {
      const folder = dirname(file.path);
      if (folder === 'native') return [];
      const isOwn = (path: string) => dirname(path) === folder && folder !== 'native/syscalls';
      const isShared = (path: string) =>
        path.startsWith('native/support/') ||
        (path === 'native/addon.h' && folder !== 'native/support');
      return includesOf(file)
        .filter((path) => !isOwn(path) && !isShared(path))
        .map((path) => ({ line: 1, what: `includes ${path}` }));
    });
    expect(native.length).toBeGreaterThan(15);
    expect(found).toEqual([]);
  });
});

test('what scripts bundle for use without vitest does not load it', () => {
  const byPath = new Map(
    filesIn(['test', 'lib'], SCRIPT_EXTENSIONS).map((file) => [file.path, file]),
  );
  const open = ['test/differential/index.ts', 'test/simulator/migrate/index.ts'];
  const reached = new Set<string>();
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const file = byPath.get(path);
    if (reached.has(path)) continue;
    reached.add(path);
    const text = file?.text.replaceAll(/^(import|export) type [^;]*;/gm, '') ?? '';
    if (file !== undefined) open.push(...importsOf({ ...file, text }));
  }
  expect(reached.size).toBeGreaterThan(100);
  expect([...reached].filter((path) => path === 'vitest')).toEqual([]);
});

describe('sizes', () => {
  test('a file has at most 300 lines', () => {
    const found = breaches(code, ({ lines }) =>
      lines.length > 300 ? [{ line: lines.length, what: 'lines' }] : [],
    );
    expect(found).toEqual([]);
  });

  test('a line has at most 100 columns', () => {
    const found = breaches(code, ({ lines }) =>
      lines.flatMap((line, index) =>
        line.length > 100 ? [{ line: index + 1, what: `${line.length} columns` }] : [],
      ),
    );
    expect(found).toEqual([]);
  });

  test('a function has at most 70 lines', (context) => {
    const { functionsOf, cFunctionsOf } = needCompiler(context);
    const found = breaches(code, (file) =>
      (isScript(file) ? functionsOf(file) : cFunctionsOf(file))
        .filter(({ lineCount }) => lineCount > 70)
        .map(({ line, name, lineCount }) => ({ line, what: `${name} has ${lineCount} lines` })),
    );
    expect(found).toEqual([]);
    const seen = code.filter((file) => !isScript(file)).flatMap((file) => cFunctionsOf(file));
    expect(seen.length).toBeGreaterThan(50);
  });
});

describe('dead files', () => {
  test('every file of lib is reached from what the package exports', () => {
    const byPath = new Map(lib.map((file) => [file.path, file]));
    const reached = new Set<string>();
    const open = [
      ...['lib/index.ts', 'lib/syscalls/public.ts', 'lib/simulator/public.ts'],
      ...['lib/testing/public.ts', 'lib/testing/vitest.ts', 'lib/cli/main.ts'],
    ];
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      const file = byPath.get(path);
      if (file === undefined || reached.has(path)) continue;
      reached.add(path);
      open.push(...importsOf(file));
    }
    expect([...byPath.keys()].filter((path) => !reached.has(path))).toEqual([]);
  });

  test('every source of native/ is built, and every header is included', () => {
    const gyp = ['native/addon.gypi', 'binding.gyp'].map(readRepositoryFile).join('\n');
    const included = new Set(native.flatMap((file) => includesOf(file)));
    const dead = native
      .map(({ path }) => path)
      .filter((path) =>
        path.endsWith('.h')
          ? !included.has(path)
          : !gyp.includes(`'${path.slice('native/'.length)}'`),
      );
    expect(dead).toEqual([]);
    const named = [...gyp.matchAll(/'([^']+\.cc)'/g)].map((match) => match[1] as string);
    const pathOf = (name: string) => (name.startsWith('test/') ? name : `native/${name}`);
    expect(named.map(pathOf).filter((path) => !existsInRepository(path))).toEqual([]);
  });

  test('every helper of the tests is used by one', () => {
    const tests = filesIn(['test'], SCRIPT_EXTENSIONS);
    const users = [...tests, ...filesIn(['scripts'], SCRIPT_EXTENSIONS)];
    const used = new Set(users.flatMap((file) => [...importsOf(file), ...filesNamedIn(file)]));
    const named = [readRepositoryFile('vitest.config.ts'), ...users.map(({ text }) => text)].join();
    const dead = tests
      .map(({ path }) => path)
      .filter((path) => !path.endsWith('.test.ts') && !path.startsWith('test/package/consumer/'))
      .filter((path) => !used.has(path) && !named.includes(path))
      .filter((path) => !named.includes(`workers/${basename(path)}`))
      .filter(
        (path) => !(path.includes('/workers/') && named.includes(`'${basename(path, '.mjs')}'`)),
      );
    expect(dead).toEqual([]);
  });
});
