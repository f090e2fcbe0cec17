// @ts-check
// npm start: sets up what is missing, then relocates a mapping and proves it, on the best there is:
// this host's kernel where it has two nodes with memory, else the QEMU guest's, else the simulator.

import { spawnSync } from 'node:child_process';
import { guestAvailability } from './guest/availability.mjs';
import { runGuest } from './guest/guest.mjs';
import { GuestError, projectFolder } from './guest/host.mjs';
import { machineFile } from './guest/machine.mjs';
import { memoryNodeCount } from './host-kernel.mjs';
import { setUp } from './setup.mjs';

const demo = 'scripts/demo/relocation.mjs';
const machine = machineFile('four-nodes');

/** @param {string} line */
const say = (line) => process.stdout.write(`${line}\n`);

if (process.argv.includes('--help')) {
  say('npm start: sets up what is missing and moves a real mapping between NUMA nodes.');
  say('Runs on this host if it has two nodes with memory, else in the QEMU guest (four nodes),');
  say('else on the simulator, which moves nothing real. It says first which.');
  process.exit(0);
}
process.exitCode = await main();

async function main() {
  await setUp();
  const nodes = memoryNodeCount();
  if (nodes >= 2) {
    say(`running natively: this host has ${nodes} nodes with memory\n`);
    return runHere({});
  }
  const here = `this host has ${nodes === 0 ? 'no NUMA' : 'one'} node with memory`;
  const { available, reason, remedy } = guestAvailability();
  if (!available) {
    say(`running on the simulator, not on a real kernel: ${here}, and there is no QEMU guest:`);
    say(`${reason}; to see a real kernel: ${remedy}\n`);
    return runHere({ NODE_NUMA_BACKEND: 'simulator' });
  }
  say(`running in the QEMU guest, a real kernel with four nodes: ${here}\n`);
  return runInGuest();
}

/**
 * @param {NodeJS.ProcessEnv} environment
 * @returns {number} exit status
 */
function runHere(environment) {
  const { status } = spawnSync(process.execPath, [demo], {
    cwd: projectFolder,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  return status ?? 1;
}

async function runInGuest() {
  try {
    const result = await runGuest({
      command: ['node', demo],
      machine,
      onStdout: (chunk) => process.stdout.write(chunk),
      onStderr: (chunk) => process.stderr.write(chunk),
      onNotice: say,
    });
    return result.exitCode;
  } catch (error) {
    if (!(error instanceof GuestError)) throw error;
    say(`the guest failed: ${error.message}`);
    return error.exitCode;
  }
}
