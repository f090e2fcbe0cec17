/**
 * A command line of the built package, in this process. In a guest under emulation a translation
 * of all sources would take longer than the tests.
 */

import { createRequire } from 'node:module';
import { type Program, type Ran, runIn } from './command-program.ts';

const require = createRequire(import.meta.url);

/** @param words those after the program's name */
export function runBuiltCommand(words: readonly string[]): Promise<Ran> {
  const { runCommandLine } = require('../../dist/cli/command-line.js') as Program;
  const { Output } = require('../../dist/cli/output.js') as Program;
  return runIn({ runCommandLine, Output }, words, {});
}
