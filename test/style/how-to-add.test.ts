/** The lists of CONTRIBUTING.md, "How to add", name what a newcomer has to change. */

import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { methodOf, NUMA_CALLS, type NumaCall, numaCalls } from '../../lib/core/calls.ts';
import { newestKernelLine } from '../../lib/core/kernels.ts';
import { existsInRepository, filesIn, ROOT, readRepositoryFile } from './repository.ts';
import { needCompiler } from './rules.ts';

const COMPILER = join(ROOT, 'node_modules/typescript/bin/tsc');
const LISTS = readRepositoryFile('CONTRIBUTING.md').split('\n## How to add\n')[1] ?? '';
const PARTS = new Map(
  LISTS.split('\n## ')[0]
    ?.split('\n### ')
    .slice(1)
    .map((part) => [part.slice(0, part.indexOf('\n')), part]),
);

/** What a part names in its code spans: files and folders. */
function pathsOf(title: string): string[] {
  const spans = PARTS.get(title)?.matchAll(/`([^`\s]+)`/g) ?? [];
  const isPath = (text: string): boolean => /^[\w.-]+(\/[\w.-]+)+$|^[\w-]+\.(md|gyp)$/.test(text);
  return [...spans].map(([, text]) => text as string).filter(isPath);
}

/** Those named, or in a folder that is. */
function isNamedBy(title: string): (path: string) => boolean {
  const named = pathsOf(title);
  return (path) => named.some((one) => path === one || path.startsWith(`${one}/`));
}

function filesWith(pattern: RegExp, folders: readonly string[]): string[] {
  return filesIn(folders)
    .filter(({ text }) => pattern.test(text))
    .map(({ path }) => path);
}

test('all files that are named exist', () => {
  expect(PARTS.size).toBe(7);
  for (const title of PARTS.keys()) {
    expect(pathsOf(title).length, title).toBeGreaterThan(3);
    expect(pathsOf(title).filter((path) => !existsInRepository(path))).toEqual([]);
  }
});

describe('what the newest one has changed is named', () => {
  test('a system call', () => {
    // The newest one, by either of its names.
    const newest = numaCalls.find((call) => NUMA_CALLS[call].since !== undefined) as NumaCall;
    const name = new RegExp(`${newest}|${methodOf(newest)}`, 'i');
    const folders = [
      'native',
      'lib/backend',
      'lib/native-backend',
      'lib/simulator',
      'lib/syscalls',
    ];
    const files = filesWith(name, [...folders, 'test/puppet', 'test/native', 'test/input']);
    expect(files.length).toBeGreaterThan(10);
    const isNamed = isNamedBy('A system call');
    expect(files.filter((path) => !isNamed(path) && !path.endsWith('README.md'))).toEqual([]);
    // Whoever has its row need not name it.
    const rooms = /^lib\/(native-backend|simulator\/syscalls|syscalls)\//;
    expect(filesWith(name, ['lib']).filter((path) => !rooms.test(path))).toEqual([
      'lib/backend/backend.ts', // What it promises.
      'lib/core/calls.ts', // The row.
      'lib/facade/buffer/range-memory.ts', // What a user's verb does.
      'lib/facade/capabilities/verbs.ts', // Which verb needs it.
      'lib/facade/errors/explanations.ts', // What its errnos mean.
      'lib/facade/policy/range-policy.ts', // The verb.
      'lib/services/scenario/steps.ts', // The step.
      'lib/simulator/simulator-backend.ts',
    ]);
  });

  test('a command', () => {
    const files = filesWith(/\bmanCommand\b/, ['lib']);
    expect(files.filter((path) => !isNamedBy('A command')(path))).toEqual([]);
  });

  test('a kind of memory', () => {
    const files = filesWith(/'secret'/, ['lib']);
    expect(files.filter((path) => !isNamedBy('A kind of memory')(path))).toEqual([]);
    const asking = filesWith(
      /\b(type|kind) [!=]== '(shared-memory|hugetlb|file|disk|driver|secret)'/,
      ['lib/simulator'],
    );
    expect(asking).toEqual([]);
  });

  test('an advice of madvise', () => {
    const files = filesWith(/WIPEONFORK/, [
      'lib',
      'test/contract',
      'test/differential',
      'docs/schema',
    ]);
    const others = ['test/contract/special-mappings.contract.ts', 'test/differential/README.md'];
    expect(files.length).toBeGreaterThan(5);
    const isNamed = isNamedBy('An advice of madvise');
    expect(files.filter((path) => !isNamed(path))).toEqual(others);
  });

  test('a mode of policies', () => {
    const files = filesWith(
      /'weighted-interleave'|WEIGHTED_INTERLEAVE: |MPOL\.WEIGHTED_INTERLEAVE/,
      ['lib'],
    );
    expect(files.length).toBeGreaterThan(3);
    expect(files.filter((path) => !isNamedBy('A mode of policies')(path))).toEqual([]);
    const asking = filesWith(
      /([!=]==|\bcase) (MPOL\.|'(default|local|bind|preferred(-many)?|(weighted-)?interleave)')/,
      ['lib'],
    );
    expect(asking).toEqual([]);
  });
});

/** The files that do not compile after changes in a copy of lib. */
async function brokenBy(
  changes: Readonly<Record<string, readonly [before: string, after: string]>>,
): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'node-numa-scratch-'));
  try {
    for (const name of ['lib', 'machines', 'tsconfig.json']) {
      cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    }
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    for (const [path, [before, after]] of Object.entries(changes)) {
      const text = readFileSync(join(folder, path), 'utf8');
      expect(text, path).toContain(before);
      writeFileSync(join(folder, path), text.replace(before, after));
    }
    const words = [COMPILER, '--pretty', 'false'];
    const run = promisify(execFile)(process.execPath, words, { cwd: folder });
    const { stdout } = await run.catch((error: { stdout: string }) => error);
    return [...new Set(stdout.match(/^lib\/[^(]+/gm))].sort();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('in a scratch copy the compiler asks for the rest', { timeout: 60_000 }, async (context) => {
  needCompiler(context);
  const line = `'${newestKernelLine}'`;
  const broken = await brokenBy({
    'lib/core/kernels.ts': [`| ${line};`, `| ${line} | 'new';`],
    'lib/backend/backend.ts': [
      'export interface Backend extends MappingCalls {',
      'export interface Backend extends MappingCalls {\n  newCall(): void;',
    ],
    'lib/simulator/memory/kinds.ts': [`| 'secret';`, `| 'secret' | 'new';`],
    'lib/machine/objects.ts': [`| 'secret';`, `| 'secret' | 'new';`],
    'lib/core/policy-modes.ts': [`| 'weighted-interleave';`, `| 'weighted-interleave' | 'new';`],
  });
  expect(broken).toEqual([
    'lib/core/policy-modes.ts',
    'lib/native-backend/native-backend.ts',
    'lib/open-backend.ts',
    'lib/simulator/handles/process-handle.ts', // It gives the backend away.
    'lib/simulator/handles/thread-calls.ts',
    'lib/simulator/memory/kinds.ts',
    'lib/simulator/policy/modes.ts',
    'lib/simulator/simulator-backend.ts',
  ]);
});
