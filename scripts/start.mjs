// @ts-check
// npm start: sets up what is missing, then relocates a real mapping and proves it, on the best
// kernel to be had: this host's where it has two nodes with memory, else the QEMU guest's.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { guestAvailability } from './guest/availability.mjs';
import { runGuest } from './guest/guest.mjs';
import { exitCodes, GuestError, projectFolder } from './guest/host.mjs';
import { memoryNodeCount } from './host-kernel.mjs';
import { setUp } from './setup.mjs';

const demo = 'scripts/demo/relocation.mjs';
const machine = fileURLToPath(new URL('machines/four-nodes.json', import.meta.url));

/** @param {string} line */
const say = (line) => process.stdout.write(`${line}\n`);

if (process.argv.includes('--help')) {
  say('npm start: sets up what is missing and moves a real mapping between NUMA nodes.');
  say('Runs on this host if it has two nodes with memory, else in the QEMU guest (four nodes).');
  process.exit(0);
}
process.exitCode = await main();

async function main() {
  await setUp();
  const nodes = memoryNodeCount();
  if (nodes >= 2) {
    say(`running natively: this host has ${nodes} nodes with memory\n`);
    const { status } = spawnSync(process.execPath, [demo], {
      cwd: projectFolder,
      stdio: 'inherit',
    });
    return status ?? 1;
  }
  const here = `this host has ${nodes === 0 ? 'no NUMA' : 'one'} node with memory`;
  const { available, reason, remedy } = guestAvailability();
  if (!available) {
    say(`cannot show a relocation: ${here}, and the QEMU guest cannot be had: ${reason}`);
    say(`${remedy}; the simulator, which needs neither, is not part of this version`);
    return exitCodes.unavailable;
  }
  say(`running in the QEMU guest, a real kernel with four nodes: ${here}\n`);
  return runInGuest();
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
