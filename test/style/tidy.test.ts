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

/** Imports point down; only files of one rank may name each other. */
const RANKS: readonly (readonly [RegExp, number])[] = [
  [/^lib\/core\//, 0],
  [/^lib\/procfs\//, 0.5],
  [/^lib\/backend\//, 1],
  [/^lib\/simulator\/interface\//, 1.05],
  [/^lib\/simulator\/nodes\//, 1.1],
  [/^lib\/simulator\/cost\//, 1.15],
  [/^lib\/simulator\/policy\//, 1.2],
  [/^lib\/simulator\/memory\//, 1.3],
  [/^lib\/simulator\/migrate\//, 1.4],
  [/^lib\/simulator\/balancing\//, 1.45],
  [/^lib\/simulator\/tasks\//, 1.5],
  [/^lib\/simulator\/machine\.ts$/, 1.6],
  [/^lib\/simulator\/syscalls\//, 1.7],
  [/^lib\/simulator\/procfs\//, 1.75],
  [/^lib\/simulator\/handles\//, 1.85],
  [/^lib\/simulator\/(simulated-machine|public)\.ts$/, 1.9],
  [/^lib\/simulator\/[^/]+\.ts$/, 1.8],
  [/^lib\/native-backend\//, 2],
  [/^lib\/open-backend\.ts$/, 3],
  [/^lib\/facade\//, 4],
  [/^lib\/index\.ts$/, 4],
  [/^lib\/syscalls\//, 4],
  [/^lib\/testing\//, 5],
  [/^lib\/services\//, 5],
  [/^lib\/cli\//, 6],
];

function rankOf(path: string): number | undefined {
  return RANKS.find(([pattern]) => pattern.test(path))?.[1];
}

describe('layers', () => {
  test('every file of lib has a rank, and imports nothing above it', () => {
    const found = breaches(lib, (file) => {
      const rank = rankOf(file.path);
      if (rank === undefined) return [{ line: 1, what: 'has no rank' }];
      const inside = importsOf(file).filter((path) => path.startsWith('lib/'));
      return inside
        .filter((path) => (rankOf(path) ?? Number.POSITIVE_INFINITY) > rank)
        .map((path) => ({ line: 1, what: `imports ${path}` }));
    });
    expect(lib.length).toBeGreaterThan(20);
    expect(found).toEqual([]);
  });

  test('the facade receives its backend: only what opens one looks one up', () => {
    const facade = lib.filter(({ path }) => rankOf(path) === 4);
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
    const core = lib.filter(({ path }) => rankOf(path) === 0);
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
    const gyp = readRepositoryFile('binding.gyp');
    const included = new Set(native.flatMap((file) => includesOf(file)));
    const dead = native
      .map(({ path }) => path)
      .filter((path) => (path.endsWith('.h') ? !included.has(path) : !gyp.includes(`'${path}'`)));
    expect(dead).toEqual([]);
    const named = [...gyp.matchAll(/'((?:native|test)\/[^']+\.cc)'/g)].map((match) => match[1]);
    expect(named.filter((path) => !existsInRepository(path as string))).toEqual([]);
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
