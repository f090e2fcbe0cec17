// @ts-check
// Makes a fresh clone ready to run: system packages, npm packages, both builds, and the guest's
// kernel. Needs nothing but Node; what is there already is left alone.

import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { guestAvailability } from './guest/availability.mjs';
import { GuestError } from './guest/host.mjs';
import { prepareGuestFiles } from './guest/kernel.mjs';
import { buildNative, buildTypeScript, installPackages } from './setup/project-steps.mjs';
import { say, step } from './setup/steps.mjs';
import { installSystemPackages } from './setup/system-packages.mjs';

const usage = `usage: node scripts/setup.mjs [--no-guest]

Makes a clone ready: system packages (as root with apt, else the line to run is printed), npm ci,
the native and the TypeScript build, and the kernel of the test guest. Quiet when nothing is to do.

  --no-guest   leave out QEMU and the guest's kernel
  --help       this text

The output of each step is kept in .cache/setup.log. Exit status: 0 ready, 1 a step failed,
2 bad usage.
`;

/**
 * @param {{ guest?: boolean }} [options]
 * @returns {Promise<void>}
 * @throws {Error} if a step failed; the message ends with an excerpt of its output
 */
export async function setUp({ guest = true } = {}) {
  const missing = await installSystemPackages({ guest });
  // Downloads leave the CPUs to the compilers.
  await allOf([buildProject(missing), ...(guest ? [prepareGuest()] : [])]);
}

/** @param {string[]} missing packages of the operating system */
async function buildProject(missing) {
  await installPackages();
  await allOf([buildNative(missing), buildTypeScript()]);
}

/**
 * Waits for all of them, whether or not one fails: none goes on behind the message of a failure.
 * @param {Promise<void>[]} works
 */
async function allOf(works) {
  const endings = await Promise.allSettled(works);
  const failure = endings.find((ending) => ending.status === 'rejected');
  if (failure) throw failure.reason;
}

/** A machine without a guest is no failure here: who needs one will be told. */
async function prepareGuest() {
  const { available, reason, remedy } = guestAvailability();
  if (!available) {
    say(`no guest: ${reason} (${remedy})`);
    return;
  }
  try {
    await prepareGuestFiles((work) => step('guest kernel', work));
  } catch (error) {
    if (!(error instanceof GuestError)) throw error;
    say(`no guest: ${error.message} (${error.remedy})`);
  }
}

/** @param {string[]} parameters */
async function main(parameters) {
  if (parameters.includes('--help') || parameters.includes('-h')) {
    process.stdout.write(usage);
    return 0;
  }
  const unknown = parameters.find((parameter) => parameter !== '--no-guest');
  if (unknown !== undefined) {
    say(`unknown parameter '${unknown}': see --help`);
    return 2;
  }
  try {
    await setUp({ guest: !parameters.includes('--no-guest') });
    return 0;
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return 1;
  }
}

const startedFile = process.argv[1] === undefined ? '' : realpathSync(process.argv[1]);
if (startedFile === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2));
}
