// @ts-check
// One part of the tests in the copy of the project that this file is in: a parameter has it as
// JSON, the last line of the output what came of it.

import { watchForInterruption } from '../guest/interruption.mjs';
import { runPart } from '../test/part.mjs';
import { guestPart, runOnHost } from '../test/suites.mjs';

/** @type {import('./patches.mjs').MutationPart} */
const { place, machine = '', kernel = '', suites } = JSON.parse(process.argv[2] ?? '');
// In a guest tests are compiled, and have other names.
const inGuest = suites.map((name) => name.replace(/\.ts$/, ''));
const part =
  place === 'host'
    ? { name: place, environment: place, run: onHost }
    : guestPart({ machine, kernel, suites: inGuest, isAsked: place === 'asked' });

const { signal } = watchForInterruption();
// What is skipped here is no matter.
const { result, verdict, note } = await runPart(part, { signal, isRecording: true });
const passed = Object.values(result?.passed ?? {}).reduce((sum, count) => sum + count, 0);
const answer = { verdict, passed, failures: result?.failures ?? [], note };
process.stdout.write(`\n${JSON.stringify(answer)}\n`);

/** @param {import('../test/part.mjs').Work} work */
async function onHost(work) {
  return { exitCode: await runOnHost(suites, work), note: 'on this host' };
}
