/** Where the addon is taken from: an option, a variable, or the package's folder. */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { type NativeBinding, openNuma } from '../../lib/index.ts';
import { Machine, presets } from '../../lib/simulator/public.ts';
import { openSyscalls } from '../../lib/syscalls/public.ts';
import { thrownBy } from '../core/thrown.ts';

const BINDING = 'NODE_NUMA_BINDING';

describe('the addon', () => {
  const built = (name: string): string =>
    fileURLToPath(new URL(`../../build/Release/${name}.node`, import.meta.url));
  const file = built('node_numa');
  const load = createRequire(import.meta.url);
  const nativeBy = (nativeBinding: NativeBinding) =>
    openNuma({ backend: 'native', nativeBinding }).backend.kind;
  /** Why there is no backend, and what to do. */
  const refusal = (open: () => unknown): string => {
    const { error } = thrownBy(open);
    expect(error.code).toBe('NUMA_BACKEND_UNAVAILABLE');
    return `${error.message}; ${error.hint}`;
  };
  const named = process.env[BINDING];
  afterEach(() => {
    if (named === undefined) delete process.env[BINDING];
    else process.env[BINDING] = named;
  });

  test('comes from a path, a URL, or from who has loaded it', () => {
    const all = [file, relative('.', file), pathToFileURL(file), load(file) as object];
    expect(all.map(nativeBy)).toEqual(['native', 'native', 'native', 'native']);
  });

  test('comes from the environment, and from the option before that', () => {
    process.env[BINDING] = '/nowhere/node_numa.node';
    expect(refusal(() => openNuma({ backend: 'native' }))).toMatch(
      /^no backend: NODE_NUMA_BINDING: there is no addon .* \/nowhere\/node_numa.node; .*prebuilds/,
    );
    expect(refusal(() => openSyscalls())).toContain('/nowhere/node_numa.node');
    expect(nativeBy(file)).toBe('native');
    process.env[BINDING] = file;
    expect(openNuma({ backend: 'native' }).backend.kind).toBe('native');
    process.env[BINDING] = '';
    expect(openNuma({ backend: 'native' }).backend.kind).toBe('native');
  });

  test('is asked for by native backends alone', () => {
    const nativeBinding = '/nowhere/node_numa.node';
    expect(openNuma({ backend: 'simulator', nativeBinding }).backend.kind).toBe('simulator');
    const machine = new Machine(presets.twoSockets);
    expect(openNuma({ machine, nativeBinding }).backend.kind).toBe('simulator');
  });

  test('is told from another one, and from what is none', (context) => {
    expect(refusal(() => nativeBy({}))).toMatch(/options.nativeBinding is not the addon of this v/);
    if (!existsSync(built('pin_page'))) context.skip('the addons of tests are not built');
    expect(refusal(() => nativeBy(built('pin_page')))).toMatch(
      /options.nativeBinding, .*pin_page.node, is not the addon of this version .* has no mmap\(\)/,
    );
    expect(refusal(() => nativeBy(load(built('pin_page')) as object))).toContain('no mmap()');
  });

  test.each([
    ['', 'ERR_INVALID_ARG_VALUE'],
    ['/x/addon.so', 'ERR_INVALID_ARG_VALUE'],
    ['/x\0.node', 'ERR_INVALID_ARG_VALUE'],
    [new URL('http://host/node_numa.node'), 'ERR_INVALID_ARG_VALUE'],
    [new URL('file://host/node_numa.node'), 'ERR_INVALID_ARG_VALUE'],
    [null, 'ERR_INVALID_ARG_TYPE'],
    [7, 'ERR_INVALID_ARG_TYPE'],
    [() => file, 'ERR_INVALID_ARG_TYPE'],
  ])('is no %s', (value, code) => {
    for (const backend of ['native', 'simulator'] as const) {
      const error = thrownBy(() => openNuma({ backend, nativeBinding: value as string }));
      expect([error.code, error.message]).toEqual([code, expect.stringContaining('nativeBinding')]);
    }
  });
});
