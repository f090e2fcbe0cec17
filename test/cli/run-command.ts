/** A command line of the sources, in this process. */

import { runCommandLine } from '../../lib/cli/command-line.ts';
import { Output } from '../../lib/cli/output.ts';
import { type Ran, type RunOptions, runIn } from './command-program.ts';

/** @param words those after the program's name */
export function runCommand(words: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return runIn({ runCommandLine, Output }, words, options);
}
