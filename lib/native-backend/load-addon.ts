/**
 * Loads the addon: from where the caller says, or from the package's folder. Nothing is loaded
 * before `loadAddon`, and no bundler is led to it.
 */

import { closeSync, openSync, readSync } from 'node:fs';
import nodeModule from 'node:module';
import { arch, platform } from 'node:os';
import { join, resolve } from 'node:path';
import type bindings from 'bindings';
import { packageFolder } from '../package-folder.ts';
import { ADDON_FUNCTIONS, type Addon } from './addon.ts';
import {
  BUNDLED,
  explainLoadFailure,
  type LoadAttempt,
  type LoadFailure,
  prebuiltFile,
} from './load-failure.ts';

/** Why something cannot be had, and what would fix it. */
export interface Unavailable extends LoadFailure {
  readonly ok: false;
}

export type LoadedAddon = { readonly ok: true; readonly addon: Addon } | Unavailable;

const VARIABLE = 'NODE_NUMA_BINDING';

/**
 * Loads the addon once for each thread; a failure is a value and can be asked for again.
 * @param binding the addon's file, or what a program has loaded from there itself: goes before the
 *   environment variable NODE_NUMA_BINDING, which names a file
 */
export function loadAddon(binding?: string | object): LoadedAddon {
  if (platform() !== 'linux') {
    return {
      ok: false,
      reason: `${platform()} has no NUMA memory policy`,
      hint: 'the native backend works on Linux only',
    };
  }
  const given = 'options.nativeBinding';
  if (typeof binding === 'string') return loadFile(binding, given);
  if (binding !== undefined) return checkAddon(binding, given);
  const named = process.env[VARIABLE];
  return named === undefined || named === '' ? loadOwn() : loadFile(named, VARIABLE);
}

/** That of the package: what was built here, before what was built for all. */
function loadOwn(): LoadedAddon {
  const root = packageFolder();
  if (root === undefined) return { ok: false, ...BUNDLED };
  const attempts: LoadAttempt[] = [];
  // One by one: a file that is there and cannot be loaded must not hide the next.
  for (const place of [
    ['build', 'Release'],
    ['prebuilds', prebuildName()],
  ]) {
    try {
      // No bundler must follow this: the loader has a `require` of a path that it makes up. webpack
      // tries to with a createRequire that is imported by name.
      const load = nodeModule.createRequire(join(root, 'package.json'))(
        'bindings',
      ) as typeof bindings;
      const addon: Addon = load({
        bindings: 'node_numa',
        module_root: root,
        try: [['module_root', ...place, 'bindings']],
      });
      return checkAddon(addon, join(root, ...place));
    } catch (error) {
      attempts.push({ file: join(root, ...place, 'node_numa.node'), error });
    }
  }
  return { ok: false, ...explainLoadFailure(attempts, prebuildName()) };
}

/** @param from who named it */
function loadFile(path: string, from: string): LoadedAddon {
  const file = resolve(path);
  try {
    return checkAddon(nodeModule.createRequire(file)(file), `${from}, ${file},`);
  } catch (error) {
    const { reason, hint } = explainLoadFailure([{ file, error }], prebuildName(), from);
    return { ok: false, reason: `${from}: ${reason}`, hint };
  }
}

/** Another addon, or that of another version, would fail in the middle of something. */
function checkAddon(value: unknown, from: string): LoadedAddon {
  const lacks = ADDON_FUNCTIONS.filter(
    (name) => typeof (value as Partial<Addon> | null)?.[name] !== 'function',
  );
  if (lacks.length === 0) return { ok: true, addon: value as Addon };
  return {
    ok: false,
    reason: `${from} is not the addon of this version of node-numa: it has no ${lacks[0]}()`,
    hint: `use ${prebuiltFile(prebuildName())} of the same version`,
  };
}

/** Name of the folder in prebuilds/ that holds the binary for this platform. */
export function prebuildName(): string {
  return `${platform()}-${arch()}${usesMusl() ? '-musl' : ''}`;
}

/**
 * The start of an executable names its loader, and with it the C library. One that may not be read,
 * which Node's permission model forbids, is taken for one of most systems.
 */
function usesMusl(): boolean {
  const start = Buffer.alloc(4096);
  try {
    const file = openSync(process.execPath, 'r');
    readSync(file, start, 0, start.length, 0);
    closeSync(file);
  } catch {
    return false;
  }
  return start.includes('/ld-musl-');
}
