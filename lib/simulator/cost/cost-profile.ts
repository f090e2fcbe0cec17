/**
 * How long the work of a migration takes, and an access to memory, on machines that were measured:
 * a few constants for each, fitted to all published rows of that machine at once.
 * docs/simulator.md has the rows with their errors; test/simulator/cost-tables.ts holds them to it.
 */

import type { CallCosts, CostProfile, CostProfileName } from '../interface/costs.ts';

const NO_CALL: CallCosts = { callNs: 0, lookupNs: 0, walkNs: 0, targetNs: 0 };

/**
 * Fitted to migrations of a single-threaded program by Linux 6.16 on two sockets of Zen 3: rows by
 * size of folio, one address each, and by number of huge pages. Not separable by those rows, and
 * measured on another EPYC: looking up, walking, querying. The link is at least as fast as DMA
 * engines have copied over it.
 * Source: https://lore.kernel.org/all/20250923174752.35701-1-shivankg@amd.com (migration);
 * https://unseel.com/cs/tlb-shootdown (interrupts);
 * https://www.anandtech.com/show/14694 page 7, Zen 2, one node for each socket (latency).
 */
const twoSocketZen3: CostProfile = {
  name: 'two-socket-zen3',
  source: 'two sockets of AMD Zen 3, Linux 6.16, move_pages',
  calls: {
    move_pages: { callNs: 50_000, lookupNs: 160, walkNs: 0, targetNs: 0 },
    mbind: { callNs: 50_000, lookupNs: 0, walkNs: 34, targetNs: 0 },
    migrate_pages: { callNs: 50_000, lookupNs: 0, walkNs: 34, targetNs: 0 },
    query: { callNs: 450, lookupNs: 156, walkNs: 0, targetNs: 0 },
    kernel: NO_CALL,
  },
  folioNs: 300,
  entryNs: 215,
  copyBytesPerNs: 9.85,
  copyBytesPerNsMax: 33.5,
  linkBytesPerNs: 63.7,
  shootdownNs: 1000,
  interruptNs: 200,
  localAccessNs: 122,
};

/**
 * Fitted to a guest that counts instructions (QEMU's TCG, one per ns): 64 MB on one CPU. It ranks
 * what the kernel's software does. There is no cache, no link and nothing remote in it, and nobody
 * to interrupt; pages are zeroed before they are overwritten, as Debian's kernels do.
 */
const guest612: CostProfile = {
  name: 'guest-6.12',
  source: 'QEMU guest that counts instructions, Linux 6.12 of Debian',
  calls: {
    move_pages: { callNs: 8400, lookupNs: 600, walkNs: 0, targetNs: 0 },
    mbind: { callNs: 13_850, lookupNs: 0, walkNs: 40, targetNs: 50 },
    migrate_pages: { callNs: 8400, lookupNs: 0, walkNs: 40, targetNs: 0 },
    query: { callNs: 450, lookupNs: 600, walkNs: 0, targetNs: 0 },
    kernel: NO_CALL,
  },
  folioNs: 3550,
  entryNs: 1800,
  copyBytesPerNs: 1.7,
  copyBytesPerNsMax: 1.7,
  linkBytesPerNs: Number.POSITIVE_INFINITY,
  shootdownNs: 0,
  interruptNs: 0,
  localAccessNs: 0,
};

/** The same guest with 6.1, whose mbind looks for the mapping of each page that it moves. */
const guest61: CostProfile = {
  ...guest612,
  name: 'guest-6.1',
  source: 'QEMU guest that counts instructions, Linux 6.1 of Debian',
  calls: {
    move_pages: { callNs: 7400, lookupNs: 720, walkNs: 0, targetNs: 0 },
    mbind: { callNs: 15_200, lookupNs: 0, walkNs: 40, targetNs: 390 },
    migrate_pages: { callNs: 7400, lookupNs: 0, walkNs: 40, targetNs: 0 },
    query: { callNs: 450, lookupNs: 720, walkNs: 0, targetNs: 0 },
    kernel: NO_CALL,
  },
  folioNs: 3420,
  copyBytesPerNs: 1.89,
  copyBytesPerNsMax: 1.89,
};

export const COST_PROFILES: Readonly<Record<CostProfileName, CostProfile>> = {
  'two-socket-zen3': twoSocketZen3,
  'guest-6.12': guest612,
  'guest-6.1': guest61,
};
