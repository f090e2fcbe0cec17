// @ts-check
// One boot: waits for the guest's first word, compares the machine, lets the command begin, and
// ends with the recorded exit status or with the reason why there is none.

import { createWriteStream } from 'node:fs';
import { panicWatch, startQemu } from './qemu.mjs';
import { machineDifferences } from './sysfs.mjs';

/**
 * @typedef {object} Boot
 * @property {string} program QEMU
 * @property {string[]} parameters
 * @property {import('./machine.mjs').Machine} machine
 * @property {string} consoleLog path of the file that receives the kernel's log
 * @property {number} readyMsMax time for the guest's first word
 * @property {number} endMsMax time for the whole boot
 * @property {(chunk: Buffer) => void} onStdout
 * @property {(chunk: Buffer) => void} onStderr
 * @property {((write: (chunk: Buffer | string) => void) => void) | undefined} [onBegin] the command
 *   begins; `write` sends to the port of its output
 * @property {AbortSignal | undefined} [signal]
 */

/**
 * `silent`: no first word in time. `panic`: the guest's kernel died. `lost`: QEMU ended without an
 * exit record. `differs`: not the machine that was asked for.
 * @typedef {{ kind: 'exited', exitCode: number, kernel: string, beginMs: number }
 *   | { kind: 'silent' | 'panic' | 'lost' | 'timeout' | 'aborted' | 'differs', message: string,
 *       wasReady: boolean }} BootOutcome
 */

/**
 * @param {Boot} boot
 * @returns {Promise<BootOutcome>}
 */
export async function bootOnce(boot) {
  const start = performance.now();
  const state = newState();
  const panics = panicWatch();
  const log = createWriteStream(boot.consoleLog);
  const qemu = startQemu(boot.program, boot.parameters, {
    onConsole: (chunk) => {
      log.write(chunk);
      panics.watch(chunk);
    },
    onRecord: (line) => takeRecord(line),
    onStdout: boot.onStdout,
    onStderr: boot.onStderr,
  });

  /** @type {(kind: 'silent' | 'timeout' | 'aborted' | 'differs', message: string) => void} */
  const stop = (kind, message) => {
    state.stopped ??= { kind, message };
    qemu.kill();
  };
  const takeRecord = recordReader(state, {
    onReady: () => {
      clearTimeout(readyTimer);
      const differences = machineDifferences(boot.machine, state.facts);
      if (differences.length > 0) stop('differs', differences.join('\n'));
      else qemu.send('go');
    },
    onBegin: () => {
      state.beginMs = Math.round(performance.now() - start);
      boot.onBegin?.(qemu.write);
    },
    onExit: () => qemu.send('done'),
  });
  const readySeconds = boot.readyMsMax / 1000;
  const readyTimer = setTimeout(() => {
    stop('silent', `no word from the guest within ${readySeconds} s`);
  }, boot.readyMsMax);
  const endTimer = setTimeout(() => {
    stop('timeout', `time is up after ${Math.round(boot.endMsMax / 1000)} s`);
  }, boot.endMsMax);
  const onAbort = () => stop('aborted', 'the run was cancelled');
  boot.signal?.addEventListener('abort', onAbort);
  if (boot.signal?.aborted) onAbort();

  const ending = await qemu.ended;
  clearTimeout(readyTimer);
  clearTimeout(endTimer);
  boot.signal?.removeEventListener('abort', onAbort);
  await new Promise((resolve) => log.end(resolve));
  return outcomeOf(state, panics.panic(), ending);
}

/**
 * @typedef {object} BootState
 * @property {Map<string, string>} facts
 * @property {string} kernel
 * @property {boolean} isReady
 * @property {number} beginMs
 * @property {number | undefined} exitCode
 * @property {{ kind: 'silent' | 'timeout' | 'aborted' | 'differs', message: string }} [stopped]
 */

/** @returns {BootState} */
function newState() {
  return { facts: new Map(), kernel: '', isReady: false, beginMs: 0, exitCode: undefined };
}

/**
 * Reads the guest's records: "kernel RELEASE", "fact PATH VALUE", "ready", "begin", "exit STATUS".
 * @param {BootState} state
 * @param {{ onReady: () => void, onBegin: () => void, onExit: () => void }} hooks
 * @returns {(line: string) => void}
 */
function recordReader(state, { onReady, onBegin, onExit }) {
  return (line) => {
    const [word, ...rest] = line.split(' ');
    if (word === 'kernel') state.kernel = rest.join(' ');
    else if (word === 'fact') state.facts.set(rest[0] ?? '', rest.slice(1).join(' ').trim());
    else if (word === 'begin') onBegin();
    else if (/^exit \d+$/.test(line)) {
      state.exitCode = Number(rest[0]);
      onExit();
    } else if (word === 'ready') {
      state.isReady = true;
      onReady();
    }
  };
}

/**
 * @param {BootState} state
 * @param {string | undefined} panic
 * @param {string} ending what QEMU said about its end
 * @returns {BootOutcome}
 */
function outcomeOf({ exitCode, stopped, isReady, kernel, beginMs }, panic, ending) {
  if (exitCode !== undefined) return { kind: 'exited', exitCode, kernel, beginMs };
  const wasReady = isReady;
  if (stopped && stopped.kind !== 'timeout') return { ...stopped, wasReady };
  if (panic) return { kind: 'panic', message: panic, wasReady };
  if (stopped) return { ...stopped, wasReady };
  return { kind: 'lost', message: `QEMU ${ending}`, wasReady };
}
