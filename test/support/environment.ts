/** Where the tests run, as the runner of the guest and of CI tells them. */

const { NODE_NUMA_GUEST: guest, NODE_NUMA_GUEST_PORT: port } = process.env;

/** The socket of a guest whose kernel is asked from outside (scripts/guest/serving-guest.mjs). */
export const guestPort: string | undefined = port;

/** This process runs in the guest. */
export const inGuest: boolean = guest === '1';

/** The kernel under test has an emulated machine: everything takes 20 to 50 times as long. */
export const isEmulated: boolean = inGuest || guestPort !== undefined;

/** A time limit that fits this machine, for one stated for a real one. */
export function scaledTimeoutMs(timeoutMs: number): number {
  return isEmulated ? timeoutMs * 30 : timeoutMs;
}
