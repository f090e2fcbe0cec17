/** What the tests of style share: the files they look at, and how they show what is wrong. */

import type { TestContext } from 'vitest';
import { filesIn, type SourceFile } from './repository.ts';

export type Functions = typeof import('./functions.ts');
const functions = await import('./functions.ts').catch((): undefined => undefined);

/** The compiler is a tool of the host: the guest runs what it has made. */
export function needCompiler(context: TestContext): Functions {
  if (functions === undefined) context.skip('typescript is not installed here');
  return functions;
}

export const CODE_FOLDERS = ['lib', 'native', 'test', 'scripts', 'examples'];
export const SCRIPT_EXTENSIONS = ['.ts', '.mjs'];
export const C_EXTENSIONS = ['.cc', '.h', '.c'];
export const code = filesIn(CODE_FOLDERS, [...SCRIPT_EXTENSIONS, ...C_EXTENSIONS]);
export const lib = filesIn(['lib'], ['.ts']);
export const native = filesIn(['native'], C_EXTENSIONS);

export function isScript({ path }: SourceFile): boolean {
  return SCRIPT_EXTENSIONS.some((extension) => path.endsWith(extension));
}

/** Places that break a rule, as `file:line what`: the empty list is right. */
export function breaches(
  files: readonly SourceFile[],
  find: (file: SourceFile) => readonly { line: number; what: string }[],
): string[] {
  return files.flatMap((file) =>
    find(file).map(({ line, what }) => `${file.path}:${line} ${what}`),
  );
}

export function matchesByLine(text: string, pattern: RegExp): { line: number; what: string }[] {
  return text.split('\n').flatMap((line, index) => {
    const found = pattern.exec(line);
    return found === null ? [] : [{ line: index + 1, what: found[0] }];
  });
}
