/** The repository's own files, for tests that read them. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url));

/** Made by tools, or brought in from elsewhere. */
const SKIPPED = new Set([
  'node_modules',
  'build',
  'dist',
  'prebuilds',
  'coverage',
  '__snapshots__',
]);

export interface SourceFile {
  /** From the repository's root, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

function* walk(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!SKIPPED.has(entry.name) && entry.name !== '.git' && entry.name !== '.cache') {
        yield* walk(path);
      }
    } else if (entry.isFile()) {
      yield path;
    }
  }
}

function readSource(path: string): SourceFile {
  const text = readFileSync(path, 'utf8');
  return { path: relative(ROOT, path), text, lines: text.replace(/\n$/, '').split('\n') };
}

/** Files beneath some folders of the repository, by extension; all when none is given. */
export function filesIn(
  folders: readonly string[],
  extensions: readonly string[] = [],
): SourceFile[] {
  return folders
    .map((folder) => join(ROOT, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => [...walk(folder)])
    .filter((path) => extensions.length === 0 || extensions.includes(extname(path)))
    .sort()
    .map(readSource);
}

export function readRepositoryFile(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export function existsInRepository(path: string): boolean {
  return existsSync(join(ROOT, path));
}

const IMPORT = /(?:\bfrom|\bimport|\bimport\()\s*\(?\s*['"]([^'"]+)['"]/g;
const URL_OF_FILE = /new URL\(\s*['"`]([^'"`]+)['"`]\s*,\s*import\.meta\.url/g;

/** What a file imports: paths from the repository's root, or a package's name. */
export function importsOf({ path, text }: SourceFile): string[] {
  const specifiers = [...text.matchAll(IMPORT)].map((match) => match[1] as string);
  return specifiers.map((specifier) => {
    if (!specifier.startsWith('.')) return specifier;
    return relative(ROOT, resolve(ROOT, dirname(path), specifier));
  });
}

/** Files that a file names by URL: workers, addons, other programs. */
export function filesNamedIn({ path, text }: SourceFile): string[] {
  return [...text.matchAll(URL_OF_FILE)].map((match) =>
    relative(ROOT, resolve(ROOT, dirname(path), match[1] as string)),
  );
}

/** C++ includes of our own headers, as paths from the repository's root. */
export function includesOf({ path, text }: SourceFile): string[] {
  return [...text.matchAll(/^#include "([^"]+)"/gm)].map((match) =>
    relative(ROOT, resolve(ROOT, dirname(path), match[1] as string)),
  );
}

/** Code without comments and without the contents of texts; line numbers stay. */
export function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|[^:'"`])\/\/.*$/gm, '$1');
}
