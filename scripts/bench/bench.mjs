// @ts-check
// npm run bench: how much slower than bare system calls in C are the package's verbs? Compiles the
// C reference, boots the guest in which time counts instructions, and compares both in it.
// README.md beside this file says what is measured and how to read it.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { guestAvailability } from '../guest/availability.mjs';
import { runGuest } from '../guest/guest.mjs';
import { exitCodes, GuestError, projectFolder } from '../guest/host.mjs';
import { machineFile } from '../guest/machine.mjs';
import { setUp } from '../setup.mjs';

const usage = `usage: npm run bench -- [options]

Compares migrate() and residency() with C code that makes the same system calls, in a guest whose
time counts instructions, and checks the ratios against their bars.

  --rounds N          measured rounds, the median counts (default: 9)
  --kernel LINE|PATH  kernel of the guest (default: as for npm run guest)
  --help              this text

Exit status: 0 every bar is met, 1 one is missed, ${exitCodes.usage} bad usage, \
${exitCodes.unavailable} no guest possible here,
${exitCodes.guestFailed} the guest failed.
`;

const folder = fileURLToPath(new URL('.', import.meta.url));
const machine = machineFile('four-nodes-single-cpu');
const compilerOptions = ['-std=c11', '-O2', '-Wall', '-Wextra'];

/** @param {string} line */
const say = (line) => process.stdout.write(`${line}\n`);

/** @param {string[]} parameters */
function readOptions(parameters) {
  const { values } = parseArgs({
    args: parameters,
    options: {
      rounds: { type: 'string', default: '9' },
      kernel: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new TypeError(`--rounds must be a whole number from 1 on, not '${values.rounds}'`);
  }
  return { ...values, rounds };
}

/** Both forms of the reference, among the build's results, which travel into the guest. */
function compileReference() {
  const target = join(projectFolder, 'build', 'bench');
  mkdirSync(target, { recursive: true });
  compile(['-static', 'reference.c', 'program.c', '-o', join(target, 'reference')]);
  const headers = ['-I', join(nodeHeaders(), 'include', 'node')];
  const shared = ['-shared', '-fPIC', ...headers];
  compile([...shared, 'reference.c', 'addon.c', '-o', join(target, 'reference.node')]);
}

/** @param {string[]} parameters */
function compile(parameters) {
  const compiler = process.env['CC'] ?? 'cc';
  const all = [...compilerOptions, ...parameters];
  const { error, status, stderr } = spawnSync(compiler, all, { cwd: folder, encoding: 'utf8' });
  if (error) throw new Error(`no C compiler (${compiler}): apt-get install gcc`);
  if (status !== 0) throw new Error(`${compiler} ${all.join(' ')} failed:\n${stderr}`);
}

/** Where node-gyp has found the headers that the addon was built with. */
function nodeHeaders() {
  const config = readFileSync(join(projectFolder, 'build', 'config.gypi'), 'utf8');
  const [, path] = /"nodedir": "(.*)"/.exec(config) ?? [];
  if (path === undefined)
    throw new Error('build/config.gypi names no nodedir: npm run build:native');
  return path;
}

/** @param {string[]} parameters */
async function main(parameters) {
  const { rounds, kernel, help } = readOptions(parameters);
  if (help) {
    process.stdout.write(usage);
    return 0;
  }
  await setUp();
  const { available, reason, remedy } = guestAvailability();
  if (!available) {
    say(`no benchmark: ${reason}; ${remedy}`);
    return exitCodes.unavailable;
  }
  compileReference();
  const result = await runGuest({
    command: ['node', 'scripts/bench/measure.mjs', `${rounds}`],
    machine,
    kernel,
    icount: true,
    onStdout: (chunk) => process.stdout.write(chunk),
    onStderr: (chunk) => process.stderr.write(chunk),
    onNotice: say,
  });
  say(`the whole run took ${Math.round(result.wallMs / 1000)} s`);
  return result.exitCode;
}

/** @param {unknown} error */
function report(error) {
  if (error instanceof GuestError) {
    say(`the guest failed: ${error.message}`);
    if (error.remedy) say(error.remedy);
    return error.exitCode;
  }
  say(error instanceof Error ? error.message : String(error));
  return error instanceof TypeError ? exitCodes.usage : 1;
}

process.exitCode = await main(process.argv.slice(2)).catch(report);
