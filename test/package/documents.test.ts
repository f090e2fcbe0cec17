/** What the documents of the tarball name is in it, or is said to be the repository's. */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, test } from 'vitest';
import { inGuest } from '../support/environment.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

beforeEach((context) => {
  if (inGuest) context.skip('packages are made on the host');
});

const paths: readonly string[] = inGuest ? [] : packedPaths();
const documents = paths.filter((path) => path.endsWith('.md'));

function packedPaths(): string[] {
  const parameters = ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'];
  const output = execFileSync('npm', parameters, { cwd: ROOT, encoding: 'utf8' });
  const [packed] = JSON.parse(output) as [{ files: { path: string }[] }];
  return packed.files.map(({ path }) => path);
}

/** A file of the tarball, or a folder of it. */
function isPacked(path: string): boolean {
  const normal = normalize(path).replace(/\/$/, '');
  return paths.some((packed) => packed === normal || packed.startsWith(`${normal}/`));
}

interface Passage {
  readonly document: string;
  readonly text: string;
  /** Whether it, its section or its document says that it speaks of the repository. */
  readonly isOfRepository: boolean;
}

/** Paragraphs and list items, each with the code block behind it. */
function passagesOf(document: string): Passage[] {
  const text = readFileSync(join(ROOT, document), 'utf8');
  const [opening = '', ...sections] = text.split(/^(?=## )/m);
  return [opening, ...sections].flatMap((section) => {
    const blocks = section.split(/\n\n(?!```)|\n(?=- )/);
    // A heading, and the first paragraph under it.
    const scopes = document === 'CHANGELOG.md' ? [] : [opening, blocks.slice(0, 2).join('\n')];
    return blocks.map((block) => ({
      document,
      text: block,
      isOfRepository: [block, ...scopes].some((scope) => /\brepository\b/.test(scope)),
    }));
  });
}

function breaches(namesOf: (passage: Passage) => string[]): string[] {
  return documents
    .flatMap(passagesOf)
    .flatMap((passage) => namesOf(passage).map((name) => `${passage.document}: ${name}`));
}

describe('documents of the tarball', () => {
  test('are there', () => {
    expect(documents).toEqual(expect.arrayContaining(['README.md', 'docs/cli.md', 'CHANGELOG.md']));
  });

  test('link to what is in it', () => {
    const links = ({ document, text }: Passage) =>
      [...text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)]
        .map((match) => match[1] as string)
        .filter((target) => !/^https?:/.test(target))
        .filter((target) => !isPacked(join(dirname(document), target)));
    expect(breaches(links)).toEqual([]);
  });

  test('name files that are in it, or say that the repository has them', () => {
    const files = ({ document, text, isOfRepository }: Passage) =>
      [...text.matchAll(/(?<![\w./-])(?:[\w.-]+\/)+[\w.-]*[\w-]/g)]
        .map((match) => match[0])
        .filter((path) => existsSync(join(ROOT, path)))
        .filter(
          (path) => !isOfRepository && !isPacked(path) && !isPacked(join(document, '..', path)),
        );
    expect(breaches(files)).toEqual([]);
  });

  test('give commands that work where it is installed, or say that the repository has them', () => {
    const commands = ({ text, isOfRepository }: Passage) =>
      [...text.matchAll(/\bnpm (?:run [\w:]+|start|test)|\bnpx vitest run test|docker build/g)]
        .map((match) => match[0])
        .filter(() => !isOfRepository);
    expect(breaches(commands)).toEqual([]);
  });
});
