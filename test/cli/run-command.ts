/** A command line of the sources, in this process. */

import { runCommandLine } from '../../lib/cli/command-line.ts';
import { Output } from '../../lib/cli/output.ts';
import type { KernelLine } from '../../lib/core/kernels.ts';
import { type Ran, type RunOptions, runIn } from './command-program.ts';

/** The kernel that the kept outputs of commands speak of. */
export const SNAPSHOT_KERNEL: KernelLine = '6.12';

/** @param words those after the program's name */
export function runCommand(words: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return runIn({ runCommandLine, Output }, words, options);
}
