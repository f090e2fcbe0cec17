// @ts-check
// npm run check: format, lint, types and the tidy test, each with its seconds.
// `--format-native` formats the C and C++ sources instead of checking them; `--beside-tests` leaves
// out what npm test has anyway.

import { spawnSync } from 'node:child_process';
import { findProgram, projectFolder } from './guest/host.mjs';

/** The version that the sources are formatted with; other versions differ in details. */
const clangFormatMajor = 19;
const clangFormat = findProgram(`clang-format-${clangFormatMajor}`) ?? findProgram('clang-format');

const isBesideTests = process.argv.includes('--beside-tests');

/** @param {string} line */
const say = (line) => process.stdout.write(`${line}\n`);

if (process.argv.includes('--help')) {
  say('npm run check: biome, clang-format, tsc, tidy. --format-native: format C and C++ in place.');
  process.exit(0);
}
process.exitCode = process.argv.includes('--format-native') ? formatNative(['-i']) : checkAll();

function checkAll() {
  const tools = 'node_modules';
  const tsc = `${tools}/typescript/bin/tsc`;
  const results = [
    step('biome', () => node(`${tools}/@biomejs/biome/bin/biome`, 'check', '--error-on-warnings')),
    step('clang-format', () => formatNative(['--dry-run', '--Werror'])),
    isBesideTests || step('types of lib', () => node(tsc, '-p', 'tsconfig.json')),
    step('types of tests', () => node(tsc, '-p', 'tsconfig.test.json')),
    isBesideTests || step('tidy', () => node(`${tools}/vitest/vitest.mjs`, 'run', 'test/style')),
  ];
  return results.every(Boolean) ? 0 : 1;
}

/**
 * @param {string} name
 * @param {() => number} check
 */
function step(name, check) {
  const startMs = performance.now();
  const isGood = check() === 0;
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  say(`${name.padEnd(16)} ${seconds.padStart(6)} s  ${isGood ? 'ok' : 'failed'}`);
  return isGood;
}

/** @param {string[]} options */
function formatNative(options) {
  const isRight = clangFormat !== undefined && versionOf(clangFormat) === clangFormatMajor;
  if (!isRight) {
    const name = `clang-format-${clangFormatMajor}`;
    say(`${name} not found: apt-get install ${name}`);
    // A missing formatter must not look like a pass where the verdict counts; npm test tells it.
    return process.env['CI'] === 'true' && !isBesideTests ? 1 : 0;
  }
  const listed = spawnSync('git', ['ls-files', '*.c', '*.cc', '*.h'], { cwd: projectFolder });
  const files = listed.stdout.toString().split('\n').filter(Boolean);
  return run(clangFormat, [...options, ...files]);
}

/** @param {string} program */
function versionOf(program) {
  const { stdout } = spawnSync(program, ['--version']);
  return Number(/version (\d+)/.exec(stdout.toString())?.[1]);
}

/**
 * @param {string} program
 * @param {string[]} parameters
 */
function run(program, parameters) {
  return spawnSync(program, parameters, { cwd: projectFolder, stdio: 'inherit' }).status ?? 1;
}

/** @param {string[]} parameters */
function node(...parameters) {
  return run(process.execPath, parameters);
}
