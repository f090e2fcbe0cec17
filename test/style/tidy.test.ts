/** The rules of the house, as a test: layers, sizes, words, and what must be documented. */

import { homedir } from 'node:os';
import { basename, dirname } from 'node:path';
import { describe, expect, type TestContext, test } from 'vitest';
import {
  existsInRepository,
  filesIn,
  filesNamedIn,
  importsOf,
  includesOf,
  ROOT,
  readRepositoryFile,
  type SourceFile,
  withoutComments,
} from './repository.ts';

type Functions = typeof import('./functions.ts');
const functions = await import('./functions.ts').catch((): undefined => undefined);

/** The compiler is a tool of the host: the guest runs what it has made. */
function needCompiler(context: TestContext): Functions {
  if (functions === undefined) context.skip('typescript is not installed here');
  return functions;
}

const CODE_FOLDERS = ['lib', 'native', 'test', 'scripts', 'examples'];
const SCRIPT_EXTENSIONS = ['.ts', '.mjs'];
const C_EXTENSIONS = ['.cc', '.h', '.c'];
const code = filesIn(CODE_FOLDERS, [...SCRIPT_EXTENSIONS, ...C_EXTENSIONS]);
const lib = filesIn(['lib'], ['.ts']);
const native = filesIn(['native'], C_EXTENSIONS);

function isScript({ path }: SourceFile): boolean {
  return SCRIPT_EXTENSIONS.some((extension) => path.endsWith(extension));
}

/** Places that break a rule, as `file:line what`: the empty list is right. */
function breaches(
  files: readonly SourceFile[],
  find: (file: SourceFile) => readonly { line: number; what: string }[],
): string[] {
  return files.flatMap((file) =>
    find(file).map(({ line, what }) => `${file.path}:${line} ${what}`),
  );
}

function matchesByLine(text: string, pattern: RegExp): { line: number; what: string }[] {
  return text.split('\n').flatMap((line, index) => {
    const found = pattern.exec(line);
    return found === null ? [] : [{ line: index + 1, what: found[0] }];
  });
}

/** Imports point down; only files of one rank may name each other. */
const RANKS: readonly (readonly [RegExp, number])[] = [
  [/^lib\/core\//, 0],
  [/^lib\/backend\//, 1],
  [/^lib\/native-backend\//, 2],
  [/^lib\/open-backend\.ts$/, 3],
  [/^lib\/facade\//, 4],
  [/^lib\/index\.ts$/, 4],
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

  test('the facade receives its backend: only open-numa.ts looks one up', () => {
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
      ].sort(),
    );
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
      const allowed = folder === 'native/support' ? /^native\/support\// : /^native\/(support\/|addon\.h$)/;
      return includesOf(file)
        .filter((path) => !allowed.test(path))
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
  test('every file of lib is reached from index.ts', () => {
    const byPath = new Map(lib.map((file) => [file.path, file]));
    const reached = new Set<string>();
    const open = ['lib/index.ts'];
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
      .filter((path) => !(path.includes('/workers/') && named.includes(`'${basename(path, '.mjs')}'`)));
    expect(dead).toEqual([]);
  });
});

/** Words that mean something else here, or nothing: the vocabulary has one word for each thing. */
const BANNED_WORDS =
  /^(nodesets?|emulators?|mocks?|mocked|fakes?|faked|stubs?|stubbed|relocate[sd]?|prefault\w*|arenas?|optimizers?|strategy|strategies|hugetables?)$/i;

function wordsIn(identifier: string): string[] {
  return identifier.split(/(?<=[a-z0-9])(?=[A-Z])|[_#$]+/).filter((word) => word !== '');
}

describe('words', () => {
  test('identifiers are those of the house', (context) => {
    const { identifiersOf } = needCompiler(context);
    const files = filesIn(['lib', 'test'], SCRIPT_EXTENSIONS);
    const found = breaches(files, (file) =>
      identifiersOf(file)
        .filter(({ name }) => wordsIn(name).some((word) => BANNED_WORDS.test(word)))
        .map(({ name, line }) => ({ line, what: name })),
    );
    expect(found).toEqual([]);
    const inC = breaches(native, ({ text }) =>
      matchesByLine(withoutComments(text), /\b\w*(nodeset|emulat|mock|stub|relocat|prefault)\w*/i),
    );
    expect(inC).toEqual([]);
  });

  test('files are named in kebab-case, C sources after the system call', () => {
    const wrong = code
      .map(({ path }) => path)
      .filter((path) => {
        const name = basename(path);
        return C_EXTENSIONS.some((extension) => name.endsWith(extension))
          ? !/^[a-z][a-z0-9_]*\.(cc|h|c)$/.test(name)
          : !/^[a-z][a-z0-9-]*(\.(test|contract))?\.(ts|mjs)$/.test(name);
      });
    expect(wrong).toEqual([]);
  });

  test('every file says in its head what it is', () => {
    const wrong = code
      .filter(({ path }) => !path.startsWith('test/package/consumer/'))
      .filter(({ lines }) => !/^(\/\*\*|\/\*|\/\/|#!)/.test(lines[0] ?? ''))
      .map(({ path }) => path);
    expect(wrong).toEqual([]);
  });
});

describe('portability', () => {
  test('nobody writes the size of a page down', (context) => {
    const { numbersOf } = needCompiler(context);
    const sizes = new Set([4096, 16384, 65536]);
    const inLib = breaches(lib, (file) =>
      numbersOf(file)
        .filter(({ value }) => sizes.has(value))
        .map(({ value, line }) => ({ line, what: `${value}` })),
    );
    const inNative = breaches(native, ({ text }) =>
      matchesByLine(withoutComments(text), /\b(4096|0x1000|16384|0x4000|65536|0x10000)\b/),
    );
    expect([...inLib, ...inNative]).toEqual([]);
  });

  test('no file names a folder of one machine, or a host that packages come from', () => {
    const hosts = [['registry', 'npmjs'], ['registry', 'yarnpkg'], ['npm', 'pkg', 'github']];
    const patterns = [
      ...hosts.map((parts) => parts.join('\\.')),
      '/(?:home|Users)/[a-z]\\w+/',
      ROOT.replace(/\/$/, '').replaceAll('.', '\\.'),
      ...(homedir() === '/root' ? [] : [homedir()]),
    ];
    const pattern = new RegExp(patterns.join('|'));
    const top = ['package.json', 'binding.gyp', 'README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'Dockerfile'];
    const files = filesIn([...CODE_FOLDERS, 'docs', '.ci']);
    const found = breaches(files, ({ text }) => matchesByLine(text, pattern));
    for (const path of top.filter(existsInRepository)) {
      found.push(...matchesByLine(readRepositoryFile(path), pattern).map(({ what }) => `${path} ${what}`));
    }
    expect(files.length).toBeGreaterThan(100);
    expect(found).toEqual([]);
  });

  test('the library prints nothing', () => {
    const found = breaches(lib, ({ text }) =>
      matchesByLine(withoutComments(text), /\bconsole\b|process\.std(out|err)|emitWarning/),
    );
    expect(found).toEqual([]);
    const inNative = breaches(native, ({ text }) =>
      matchesByLine(withoutComments(text), /\b(printf|puts|fputs|perror)\s*\(|std::c(out|err)|\bstderr\b/),
    );
    expect(inNative).toEqual([]);
  });
});

describe('documents', () => {
  test('docs/errors.md has a heading for every code, and no other', (context) => {
    const { wordsOfType } = needCompiler(context);
    const inFile = (path: string) => lib.find((file) => file.path === path) as SourceFile;
    const codes = [
      ...wordsOfType(inFile('lib/core/errors.ts'), 'NumaErrorCode'),
      ...wordsOfType(inFile('lib/core/argument-errors.ts'), 'ArgumentErrorCode'),
      'ABORT_ERR',
    ];
    const headings = readRepositoryFile('docs/errors.md').matchAll(/^### (\w+)$/gm);
    expect([...headings].map((match) => match[1]).sort()).toEqual(codes.sort());
  });

  test('the typed view of the addon has every raw export, and no other', (context) => {
    const { membersOf } = needCompiler(context);
    const addon = lib.find(({ path }) => path === 'lib/native-backend/addon.ts') as SourceFile;
    const registered = readRepositoryFile('native/addon.cc').matchAll(/exports\.Set\(\s*"(\w+)"/g);
    const exported = [...registered].map((match) => match[1] as string);
    expect(exported.length).toBeGreaterThan(15);
    expect(membersOf(addon, 'Addon').sort()).toEqual(exported.sort());
  });
});
