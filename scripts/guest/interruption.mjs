// @ts-check
// The signals that end a run: guests have to end with the script that started them.

import { constants } from 'node:os';

/**
 * Takes over SIGINT, SIGTERM and SIGHUP; the second of a kind ends the process at once.
 * @returns {{ signal: AbortSignal, exitCode: () => number | undefined }} the exit status is 128
 *   and the signal's number, once there was one
 */
export function watchForInterruption() {
  const controller = new AbortController();
  /** @type {number | undefined} */
  let exitCode;
  for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.once(name, () => {
      exitCode ??= 128 + constants.signals[name];
      controller.abort();
    });
  }
  return { signal: controller.signal, exitCode: () => exitCode };
}
