/** A command line in this process, with what it prints. */

import { runCommandLine } from '../../lib/cli/command-line.ts';
import { Output, type OutputStream } from '../../lib/cli/output.ts';

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Width of the terminal; without it, the output is a pipe. */
  readonly columns?: number;
  readonly signal?: AbortSignal;
}

/** @param words those after the program's name */
export async function runCommand(
  words: readonly string[],
  { columns, signal = new AbortController().signal }: RunOptions = {},
): Promise<Ran> {
  const printed = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof printed): OutputStream => ({
    write: (text: string) => {
      printed[name] += text;
    },
    ...(columns === undefined ? {} : { isTTY: true, columns }),
  });
  const output = new Output({ stdout: stream('stdout'), stderr: stream('stderr') }, {});
  const exitCode = await runCommandLine(words, { output, signal, version: '0.0.0' });
  return { exitCode, ...printed };
}
