// @ts-check
// Compiles the addon: for this machine into build/, as all of the repository finds it; for another
// processor into prebuilds/, by Debian's cross compiler, from a copy, so that build/ stays.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { cacheFolder, findProgram, projectFolder } from '../guest/host.mjs';
import { writePrebuild } from './prebuild.mjs';

/** By Node's name of a processor, the GNU one, which begins the names of its tools. */
const crossTools = Object.freeze({ arm64: 'aarch64-linux-gnu' });

const usage = `usage: npm run build:native [-- --arch ${Object.keys(crossTools).join('|')}]

Compiles the addon for this machine, with what its tests need; with --arch, for another processor,
into prebuilds/. That needs its g++ and libnuma-dev of Debian: for arm64
  dpkg --add-architecture arm64; apt-get install g++-aarch64-linux-gnu libnuma-dev:arm64
`;

process.exitCode = main(process.argv.slice(2));

/**
 * @param {string[]} parameters
 * @returns {number} exit status
 */
function main([option, arch, ...rest]) {
  if (option === undefined) return runNodeGyp(projectFolder, [], {});
  const tools = Object.entries(crossTools).find(([name]) => name === arch)?.[1];
  if (option !== '--arch' || arch === undefined || tools === undefined || rest.length > 0) {
    process.stderr.write(usage);
    return option === '--help' ? 0 : 2;
  }
  return crossBuild(arch, tools);
}

/**
 * @param {string} arch
 * @param {string} tools
 */
function crossBuild(arch, tools) {
  const compiler = `${tools}-g++`;
  if (!findProgram(compiler)) {
    process.stderr.write(`there is no program ${compiler}\n\n${usage}`);
    return 1;
  }
  const name = `linux-${arch}`;
  const copy = join(cacheFolder, 'prebuild', name);
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true });
  cpSync(join(projectFolder, 'native'), join(copy, 'native'), { recursive: true });
  const environment = { CC: `${tools}-gcc`, CXX: compiler, AR: `${tools}-ar` };
  const status = runNodeGyp(join(copy, 'native'), [`--arch=${arch}`], environment);
  if (status !== 0) return status;
  const built = join(copy, 'build/Release/node_numa.node');
  const file = writePrebuild(built, join(projectFolder, 'prebuilds', name));
  return spawnSync(`${tools}-strip`, ['--strip-unneeded', file], { stdio: 'inherit' }).status ?? 1;
}

/**
 * @param {string} folder with a binding.gyp
 * @param {string[]} options
 * @param {Record<string, string>} environment
 * @returns {number} exit status
 */
function runNodeGyp(folder, options, environment) {
  const program = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
  const parameters = [program, 'rebuild', '-C', folder, '--jobs', 'max', ...options];
  const env = { ...process.env, ...environment };
  return spawnSync(process.execPath, parameters, { stdio: 'inherit', env }).status ?? 1;
}
