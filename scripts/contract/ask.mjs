// @ts-check
// npm run contract: asks one kernel for the contract. The guest stays up as long as vitest does,
// so that with --watch a changed test has its answer in seconds.

import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { exitCodes, GuestError, projectFolder } from '../guest/host.mjs';
import { watchForInterruption } from '../guest/interruption.mjs';
import { defaultKernel, kernelLines } from '../guest/kernel.mjs';
import { machineFile } from '../guest/machine.mjs';
import { withServingGuest } from '../guest/serving-guest.mjs';
import { kernelContract, puppet } from '../test/suites.mjs';

/** Of a guest that is watched: it ends with its user. */
const secondsMax = 24 * 3600;

const usage = `usage: npm run contract -- [options] [NAME...]

Asks a kernel for the families and tests of the contract whose names contain one of NAME, or for
all. vitest runs on this host, in the guest only puppets do.

  --kernel LINE|PATH  ${[...kernelLines.keys()].join(', ')} or any image (default: ${defaultKernel})
  --machine NAME      a file of machines/, without .json (default: four-nodes-single-cpu,
                      which is the fastest; some tests need the CPUs of four-nodes)
  --watch             goes on until Ctrl-C, and runs anew what a change of a file concerns
  --help              this text

Exit status: 0 all passed, 1 something failed, 2 bad usage, ${exitCodes.unavailable} no guest \
here.

  npm run contract -- --kernel 7.2 --watch 'home node'
`;

process.exitCode = await main().catch(report);

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      kernel: { type: 'string', default: defaultKernel },
      machine: { type: 'string', default: 'four-nodes-single-cpu' },
      watch: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const { signal, exitCode } = watchForInterruption();
  const names = positionals.map((name) => name.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  const pattern = names.length > 0 ? ['-t', `(${names.join('|')})`] : [];
  const mode = values.watch ? 'watch' : 'run';
  let status = 1;
  const options = {
    kernel: values.kernel,
    machine: machineFile(values.machine),
    timeoutSeconds: values.watch ? secondsMax : undefined,
    onNotice: (/** @type {string} */ line) => process.stderr.write(`guest: ${line}\n`),
    onStderr: (/** @type {Buffer} */ chunk) => process.stderr.write(chunk),
    signal,
  };
  await withServingGuest(options, {
    program: puppet,
    use: async (socket) => {
      status = await runVitest([mode, ...kernelContract, ...pattern], socket, signal);
    },
  });
  return exitCode() ?? status;
}

/**
 * @param {string[]} parameters
 * @param {string} socket
 * @param {AbortSignal} signal
 * @returns {Promise<number>} exit status
 */
function runVitest(parameters, socket, signal) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', ...parameters], {
      cwd: projectFolder,
      env: { ...process.env, NODE_NUMA_GUEST_PORT: socket },
      stdio: 'inherit',
    });
    signal.addEventListener('abort', () => child.kill());
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/** @param {unknown} error */
function report(error) {
  if (error instanceof GuestError || error instanceof TypeError) {
    process.stderr.write(`${error.message}\n`);
    return error instanceof GuestError ? error.exitCode : exitCodes.usage;
  }
  throw error;
}
