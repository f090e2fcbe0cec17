/** A name means one thing, and what has one value has one home. */

import { describe, expect, test } from 'vitest';
import { filesIn, type SourceFile } from './repository.ts';
import { breaches, lib } from './rules.ts';

const CONSTANT = /^(?:export )?const ([A-Z][A-Z0-9_]+)(?:: [\w<>[\] ]+)? = ([^;\n]*\d[^;\n]*);$/gm;

/** Numbers by name and value, with the files that say them. */
function homesOf(files: readonly SourceFile[]): Map<string, string[]> {
  const homes = new Map<string, string[]>();
  for (const { path, text } of files) {
    for (const [, name, value] of text.matchAll(CONSTANT)) {
      const key = `${name} = ${value}`;
      homes.set(key, [...(homes.get(key) ?? []), path]);
    }
  }
  return homes;
}

const EXPORT =
  /^export (?:abstract )?(?:async )?(?:type|interface|class|function\*?|const) ([A-Za-z_]\w*)/gm;

/** Names that two files of lib export, on purpose. */
const TWICE: Readonly<Record<string, string>> = {
  Nodemask: "the kernel's nodemask_t, and a mask as users of the bare calls write it",
};

/** Types of a file, exported or its own. */
const DECLARED = /^(?:export )?(?:type|interface|class) (\w+)/gm;

test('a name that lib exports means one thing', () => {
  const files = new Map<string, Set<string>>();
  for (const { path, text } of lib) {
    for (const [, name = ''] of text.matchAll(EXPORT)) {
      files.set(name, (files.get(name) ?? new Set()).add(path));
    }
  }
  expect(files.size).toBeGreaterThan(800);
  const twice = [...files].filter(([, paths]) => paths.size > 1);
  expect(twice.filter(([name]) => !(name in TWICE))).toEqual([]);
  const elsewhere = breaches(lib, ({ path, text }) =>
    [...text.matchAll(DECLARED)]
      .filter(([, name = '']) => !(name in TWICE) && files.get(name)?.has(path) === false)
      .map(([, name = '']) => ({ line: 1, what: `${name} is exported by another file` })),
  );
  expect(elsewhere).toEqual([]);
  expect(twice.length).toBe(Object.keys(TWICE).length);
});

describe('what a process of a machine can do', () => {
  const port = lib.filter(({ path }) => path.startsWith('lib/machine/'));
  const isOther = ({ path }: SourceFile): boolean => !path.startsWith('lib/machine/');
  const others = filesIn(['lib', 'test'], ['.ts']).filter(isOther);
  const found = (files: readonly SourceFile[], pattern: RegExp): [path: string, name: string][] =>
    files.flatMap(({ path, text }) =>
      [...text.matchAll(pattern)].map(([, name]): [string, string] => [path, name as string]),
    );

  test('is declared in lib/machine alone', () => {
    const pattern = /^(?:export )?(?:declare )?(?:type|interface|class) (\w+)/gm;
    const names = new Set(found(port, pattern).map(([, name]) => name));
    expect(names.size).toBeGreaterThan(20);
    expect(found(others, pattern).filter(([, name]) => names.has(name))).toEqual([]);
  });

  test('is what worlds of tests say of their processes', () => {
    const methods = /^ {2}(\w+)\??\(/gm;
    const names = new Set(found(port, methods).map(([, name]) => name));
    expect(names.size).toBeGreaterThan(40);
    const worlds = others.filter(({ path }) => /^test\/contract\/world[^/]*$/.test(path));
    const again = found(worlds, methods).filter(([, name]) => names.has(name));
    // Another of the world's processes, a weight, and the world itself.
    expect(again.map(([, name]) => name).sort()).toEqual(['close', 'fork', 'thread', 'write']);
  });
});

describe('numbers', () => {
  test('one that two files of lib use has one home', () => {
    const homes = [...homesOf(lib)].filter(([, paths]) => paths.length > 1);
    expect(homes).toEqual([]);
  });

  test('tests take them from lib', () => {
    const core = [...homesOf(lib.filter(({ path }) => /^lib\/core\/(uapi|units)/.test(path)))];
    const names = new Set(core.map(([key]) => key.split(' ')[0] as string));
    expect(names.size).toBeGreaterThan(8);
    const again = [...homesOf(filesIn(['test'], ['.ts']))].filter(
      ([key]) => names.has(key.split(' ')[0] as string) || /^(MADV|MPOL)_/.test(key),
    );
    expect(again).toEqual([
      ['MADV_SOFT_OFFLINE = 101', ['test/contract/racing-process.contract.ts']],
    ]);
  });
});
