/**
 * How a command ends, for the shell. Part of the versioned interface.
 */

export const EXIT = {
  /** All that was asked was done. */
  DONE: 0,
  /** The system said no, and nothing was done. */
  FAILED: 1,
  /** The command line is wrong. */
  USAGE: 2,
  /** Some of it was done: pages stayed behind, or the work was interrupted. */
  PARTIAL: 3,
  /** No backend can answer: not Linux, or the addon or libnuma cannot be loaded. */
  UNAVAILABLE: 4,
  /** All was done but for what is left alone unless asked for: pages that others map too. */
  SPARED: 5,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
