/** Where the tests run, as the runner of the guest and of CI tells them. */

const { NODE_NUMA_GUEST: guest } = process.env;

/** Under emulation everything takes 20 to 50 times as long. */
export const inGuest: boolean = guest === '1';

/** A time limit that fits this machine, for one stated for a real one. */
export function scaledTimeoutMs(timeoutMs: number): number {
  return inGuest ? timeoutMs * 30 : timeoutMs;
}
