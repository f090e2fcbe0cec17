// @ts-check
// npm runs this before it packs: builds dist/ where it is not that of lib/ already, and puts the
// addon of this machine where the package's loader looks for it,
// prebuilds/PLATFORM-ARCH[-musl]/node_numa.node, with a module that bundlers can follow to it.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildTypeScript } from '../setup/project-steps.mjs';
import { writePrebuild } from './prebuild.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const addon = join(root, 'build/Release/node_numa.node');

/** @param {string} line */
const say = (line) => process.stderr.write(`prepack: ${line}\n`);

if (process.argv.includes('--help')) {
  say('builds dist/ unless it is built, and copies build/Release/node_numa.node into prebuilds/.');
  process.exit(0);
}
process.exitCode = await prepack();

/** @returns {Promise<number>} exit status */
async function prepack() {
  if (!existsSync(addon)) {
    say('build/Release/node_numa.node is missing: run `npm run build:native` first');
    return 1;
  }
  if (isOlderThanSources(addon)) {
    say('build/Release/node_numa.node is older than native/: run `npm run build:native` first');
    return 1;
  }
  await buildTypeScript();
  removeOrphans(join(root, 'dist'));
  const { prebuildName } = await import('../../dist/native-backend/load-addon.js');
  const target = writePrebuild(addon, join(root, 'prebuilds', prebuildName()));
  // Names for debuggers are most of the file; where there is no strip they stay.
  spawnSync('strip', ['--strip-unneeded', target]);
  say(`${relative(root, target)}: ${Math.ceil(statSync(target).size / 1024)} kB`);
  return 0;
}

/** @param {string} path */
function isOlderThanSources(path) {
  const builtMs = statSync(path).mtimeMs;
  const sources = readdirSync(join(root, 'native'), { recursive: true, withFileTypes: true });
  return sources.some((entry) => {
    if (!/\.(cc|h)$/.test(entry.name)) return false;
    return statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs > builtMs;
  });
}

/**
 * Removes the types of sources of former times; never the whole folder, which others may
 * be reading.
 * @param {string} dist
 */
function removeOrphans(dist) {
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const [, module] = /^(?:types\/)?(.+)\.d\.ts$/.exec(relative(dist, path)) ?? [];
    if (module !== undefined && !existsSync(join(root, 'lib', `${module}.ts`))) rmSync(path);
  }
}
