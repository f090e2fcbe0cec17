// @ts-check
// Command line of the guest: `npm run guest -- [options] <command...>`. What the command writes
// goes to our own outputs, what the run has to say about itself goes to standard error.

import { parseArgs } from 'node:util';
import { runGuest } from './guest.mjs';
import { exitCodes, GuestError } from './host.mjs';
import { watchForInterruption } from './interruption.mjs';
import { kernelLines } from './kernel.mjs';
import { MachineError } from './machine.mjs';

const usage = `usage: npm run guest -- [options] <command...>

Runs a command on a real kernel with several NUMA nodes, in an emulated machine. The command's
outputs and exit status are passed on. The project is in the current folder of the guest.

  --machine FILE      machine description (default: machines/four-nodes.json)
  --kernel LINE|PATH  ${[...kernelLines.keys()].join(', ')} from the Debian archive, or any image
  --icount            guest time counts instructions; one CPU, timings repeat
  --env NAME=VALUE    environment variable of the command; repeatable
                      (CI, NO_COLOR and FORCE_COLOR are passed on)
  --timeout SECONDS   for the whole run (default: 900)
  --quiet             no lines about the run itself, except errors
  --help              this text

Environment: NODE_NUMA_ACCEL=kvm|tcg, NODE_NUMA_DEBIAN_MIRROR=URL.
Exit status: the command's own; ${exitCodes.usage} bad usage, ${exitCodes.unavailable} no guest \
possible here, ${exitCodes.timeout} time is up,
${exitCodes.guestFailed} the guest failed before the command's status was known.

  npm run guest -- node -e 'console.log(process.version)'
  npm run guest -- node node_modules/vitest/vitest.mjs run
`;

/** @param {string} line */
function say(line) {
  process.stderr.write(`guest: ${line}\n`);
}

/**
 * @param {string[]} parameters
 * @returns {import('./guest.mjs').GuestOptions & { isHelp: boolean, isQuiet: boolean }}
 */
function readOptions(parameters) {
  // Everything from the command on belongs to the command: find where our options end.
  const withValue = new Set(['--machine', '--kernel', '--env', '--timeout']);
  let end = 0;
  for (let word = parameters[0]; word?.startsWith('-') && word !== '--'; word = parameters[end]) {
    end += withValue.has(word) ? 2 : 1;
  }
  const { values } = parseArgs({
    args: parameters.slice(0, end),
    options: {
      machine: { type: 'string' },
      kernel: { type: 'string' },
      icount: { type: 'boolean' },
      env: { type: 'string', multiple: true },
      timeout: { type: 'string' },
      quiet: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const command = parameters.slice(parameters[end] === '--' ? end + 1 : end);
  const isHelp = values.help ?? false;
  if (!isHelp && command.length === 0) throw new TypeError('a command is missing');
  const { machine, kernel, icount } = values;
  const timeoutSeconds = values.timeout === undefined ? undefined : Number(values.timeout);
  if (timeoutSeconds !== undefined && !(timeoutSeconds > 0)) {
    throw new TypeError(`--timeout must be a number of seconds, not '${values.timeout}'`);
  }
  const env = Object.fromEntries((values.env ?? []).map(readVariable));
  const isQuiet = values.quiet ?? false;
  return { command, machine, kernel, icount, timeoutSeconds, env, isHelp, isQuiet };
}

/**
 * @param {string} text
 * @returns {[string, string]}
 */
function readVariable(text) {
  const match = /^([A-Za-z_]\w*)=(.*)$/s.exec(text);
  if (!match) throw new TypeError(`--env must be NAME=VALUE, not '${text}'`);
  return [match[1] ?? '', match[2] ?? ''];
}

async function main() {
  const options = readOptions(process.argv.slice(2));
  if (options.isHelp) {
    process.stdout.write(usage);
    return 0;
  }
  const interruption = watchForInterruption();
  try {
    const result = await runGuest({
      ...options,
      onStdout: (chunk) => process.stdout.write(chunk),
      onStderr: (chunk) => process.stderr.write(chunk),
      onNotice: options.isQuiet ? undefined : say,
      signal: interruption.signal,
    });
    if (!options.isQuiet) {
      const [begin, wall] = [result.beginMs, result.wallMs].map((ms) => (ms / 1000).toFixed(1));
      say(`exit ${result.exitCode}; command began after ${begin} s, whole run ${wall} s`);
    }
    return result.exitCode;
  } catch (error) {
    const exitCode = interruption.exitCode();
    if (exitCode !== undefined) return exitCode;
    throw error;
  }
}

/** @param {unknown} error */
function report(error) {
  if (error instanceof GuestError) {
    say(error.message);
    if (error.remedy) say(error.remedy);
    if (error.consoleLog) say(`kernel log: ${error.consoleLog}`);
    return error.exitCode;
  }
  const isUsage = error instanceof MachineError || error instanceof TypeError;
  say(isUsage ? error.message : String(error instanceof Error ? error.stack : error));
  if (isUsage) say('see --help');
  return isUsage ? exitCodes.usage : exitCodes.guestFailed;
}

process.exitCode = await main().catch(report);
