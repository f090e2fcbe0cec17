// @ts-check
// npm run bench: how much slower than bare system calls in C are the package's verbs? Compiles the
// C program, boots the guest in which time counts instructions, and compares both in it.
// README.md beside this file says what is measured and how to read it.

import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { guestAvailability } from '../guest/availability.mjs';
import { runGuest } from '../guest/guest.mjs';
import { exitCodes, findProgram, GuestError, projectFolder } from '../guest/host.mjs';
import { setUp } from '../setup.mjs';

const usage = `usage: npm run bench -- [options]

Compares migrate() and residency() with C programs that make the same system calls, in a guest whose
time counts instructions, and checks the ratios against their bars.

  --rounds N          measured rounds, the median counts (default: 9)
  --kernel LINE|PATH  kernel of the guest (default: as for npm run guest)
  --help              this text

Exit status: 0 every bar is met, 1 one is missed, ${exitCodes.usage} bad usage, \
${exitCodes.unavailable} no guest possible here,
${exitCodes.guestFailed} the guest failed.
`;

const source = fileURLToPath(new URL('reference.c', import.meta.url));
const machine = fileURLToPath(new URL('../machines/four-nodes-single-cpu.json', import.meta.url));
const compilerOptions = ['-std=c11', '-O2', '-Wall', '-Wextra', '-static'];

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

/** Among the build's results, which travel into the guest. Throws the compiler's message. */
function compileReference() {
  const compiler = process.env['CC'] ?? 'cc';
  if (!findProgram(compiler)) throw new Error(`no C compiler (${compiler}): apt-get install gcc`);
  const folder = join(projectFolder, 'build', 'bench');
  mkdirSync(folder, { recursive: true });
  const parameters = [...compilerOptions, source, '-o', join(folder, 'reference')];
  const { status, stderr } = spawnSync(compiler, parameters, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`reference.c does not compile:\n${stderr}`);
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
