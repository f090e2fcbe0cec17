/** The rules of the house, as a test: words, portability, and what must be documented. */

import { homedir } from 'node:os';
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inGuest } from '../support/environment.ts';
import {
  existsInRepository,
  filesIn,
  ROOT,
  readRepositoryFile,
  type SourceFile,
  withoutComments,
} from './repository.ts';
import {
  breaches,
  C_EXTENSIONS,
  CODE_FOLDERS,
  code,
  lib,
  matchesByLine,
  native,
  needCompiler,
  SCRIPT_EXTENSIONS,
} from './rules.ts';

/** Words that mean something else here, or nothing: the vocabulary has one word for each thing. */
const BANNED_WORDS = new RegExp(
  `^(${[
    'nodesets?|emulators?|mock(s|ed)?|fake(s|d)?|stub(s|bed)?|relocate[sd]?|relocation',
    'prefault(s|ed|ing)?|arenas?|optimizers?|strateg(y|ies)',
  ].join('|')})$`,
  'i',
);

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
          : !/^[a-z][a-z0-9-]*(\.(test|contract|d))?\.(ts|mjs)$/.test(name);
      });
    expect(wrong).toEqual([]);
  });

  test('every file says in its head what it is', () => {
    const wrong = code
      .filter(({ path }) => !path.startsWith('test/package/consumer/'))
      // A header speaks for the source that is named like it.
      .filter(({ path, lines }) => lines[0] !== `#include "${basename(path, '.cc')}.h"`)
      .filter(({ lines }) => !/^(\/\*\*|\/\*|\/\/|#!)/.test(lines[0] ?? ''))
      .map(({ path }) => path);
    expect(wrong).toEqual([]);
  });
});

test('no file has the marks of a merge that was left unfinished', () => {
  const texts = filesIn(['.'], ['.md', '.json', '.gyp', ...SCRIPT_EXTENSIONS, ...C_EXTENSIONS]);
  expect(texts.some(({ path }) => path === 'CHANGELOG.md')).toBe(true);
  const marks = /^(<{7}|>{7}|\|{7}) /;
  expect(breaches(texts, ({ text }) => matchesByLine(text, marks))).toEqual([]);
});

/** The same numbers, meaning something else; an entry that is no longer true fails. */
const NOT_PAGE_SIZES = [
  'lib/native-backend/load-addon.ts:0 4096', // As much of an executable as names its loader.
  'native/support/cpu_mask.h:0 65536', // CPUs.
];

describe('portability', () => {
  test('nobody writes the size of a page down', (context) => {
    const { numbersOf } = needCompiler(context);
    const inLib = breaches(lib, (file) =>
      numbersOf(file)
        .filter(({ value }) => value === 4096 || value === 65536)
        .map(({ value }) => ({ line: 0, what: `${value}` })),
    );
    const inNative = breaches(native, ({ text }) =>
      matchesByLine(withoutComments(text), /\b(4096|0x1000|65536|0x10000)\b/).map(({ what }) => ({
        line: 0,
        what,
      })),
    );
    expect([...inLib, ...inNative]).toEqual(NOT_PAGE_SIZES);
  });

  test('no file names a folder of one machine, or a host that packages come from', (context) => {
    if (inGuest) context.skip('the folder of the guest is named on purpose');
    const hosts = [
      ['registry', 'npmjs'],
      ['registry', 'yarnpkg'],
      ['npm', 'pkg', 'github'],
    ];
    const anywhere = [
      ...hosts.map((parts) => parts.join('\\.')),
      '/(?:home/(?!node/)|Users/)[a-z]\\w*/',
    ];
    const here = [
      ROOT.replace(/\/$/, '').replaceAll('.', '\\.'),
      ...(homedir() === '/root' ? [] : [homedir()]),
    ];
    const pattern = new RegExp([...anywhere, ...here].join('|'));
    // In its own image the project does lie where the Dockerfile puts it.
    const inDockerfile = new RegExp(anywhere.join('|'));
    const top = [
      'package.json',
      'binding.gyp',
      'README.md',
      'CHANGELOG.md',
      'CONTRIBUTING.md',
      'Dockerfile',
    ];
    const files = filesIn([...CODE_FOLDERS, 'docs', '.ci']);
    const found = breaches(files, ({ text }) => matchesByLine(text, pattern));
    for (const path of top.filter(existsInRepository)) {
      const forbidden = path === 'Dockerfile' ? inDockerfile : pattern;
      found.push(
        ...matchesByLine(readRepositoryFile(path), forbidden).map(({ what }) => `${path} ${what}`),
      );
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
      matchesByLine(
        withoutComments(text),
        /\b(printf|puts|fputs|perror)\s*\(|std::c(out|err)|\bstderr\b/,
      ),
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

  test('docs/errors.md has every code that the sources name, and none that they do not', () => {
    // Node's own, which a loader meets.
    const ofOthers = ['ERR_DLOPEN_DISABLED'];
    const literal = /(['"])((?:ERR|NUMA|ABORT)_[A-Z_]+)\1/g;
    const sources = [...lib, ...native].map(({ text }) => withoutComments(text)).join('\n');
    const named = new Set([...sources.matchAll(literal)].map((match) => match[2] as string));
    for (const code of ofOthers) expect(named.delete(code)).toBe(true);
    const headings = readRepositoryFile('docs/errors.md').matchAll(/^### (\w+)$/gm);
    expect([...headings].map((match) => match[1]).sort()).toEqual([...named].sort());
  });

  test('docs/errors.md names every member of an error', (context) => {
    const { membersOf } = needCompiler(context);
    const inFile = (path: string) => lib.find((file) => file.path === path) as SourceFile;
    const members = [
      ...membersOf(inFile('lib/core/errors.ts'), 'NumaErrorFields'),
      ...membersOf(inFile('lib/core/argument-errors.ts'), 'ArgumentErrorFields'),
    ];
    const page = readRepositoryFile('docs/errors.md');
    expect(members.length).toBeGreaterThan(12);
    expect(members.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  test('what is thrown is of one of the three kinds', () => {
    // Our own bugs are asserted; fixtures end a test with what its machine has come to.
    const plain = ['lib/core/assert.ts', 'lib/testing/fixtures.ts'];
    const found = breaches(
      lib.filter(({ path }) => !plain.includes(path)),
      ({ text }) =>
        matchesByLine(withoutComments(text), /throw new (Error|TypeError|RangeError)\b/),
    );
    expect(found).toEqual([]);
  });

  test('nobody takes the message of an error apart, and one place makes one of an errno', () => {
    const methods = 'replace(All)?|split|match(All)?|search|slice|substring|at|trim(Start|End)?';
    const looks = 'startsWith|endsWith|includes|indexOf|lastIndexOf';
    const called = `\\bmessage\\b\\)?[?!]?\\.(${methods}|${looks})\\(`;
    const apart = new RegExp(`${called}|\\.(test|exec)\\([\\w.]*\\bmessage\\b`);
    const found = breaches(lib, ({ text }) => matchesByLine(withoutComments(text), apart));
    // The loader's errors have nothing but words.
    const others = found.filter((one) => !one.startsWith('lib/native-backend/load-failure.ts:'));
    expect(others).toEqual([]);
    expect(found.length).toBeGreaterThan(others.length);
    const makers = lib.filter(({ text }) => /new NumaError\([^;]*\berrno(Name)?:/.test(text));
    expect(makers.map(({ path }) => path)).toEqual(['lib/core/errors.ts']);
  });

  test('core tells of no verb or option of the facade, and of no backend', () => {
    const core = lib.filter(({ path }) => /^lib\/core\/(errors|argument-errors)\.ts$/.test(path));
    const words = /\b(residency|homeNode|preferredMany|openNuma|attach|MappedBuffer|simulat\w*)\b/;
    expect(core).toHaveLength(2);
    expect(breaches(core, ({ text }) => matchesByLine(withoutComments(text), words))).toEqual([]);
  });

  test('the typed view of the addon has every raw export, and no other', (context) => {
    const { membersOf } = needCompiler(context);
    const addon = lib.find(({ path }) => path === 'lib/native-backend/addon.ts') as SourceFile;
    const registered = readRepositoryFile('native/addon.cc').matchAll(/Property<\w+>\("(\w+)"/g);
    const exported = [...registered].map((match) => match[1] as string);
    expect(exported.length).toBeGreaterThan(15);
    expect(membersOf(addon, 'Addon').sort()).toEqual(exported.sort());
  });
});
