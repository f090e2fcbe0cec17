/** A command line in this process, with what it prints: of the sources, or of the built package. */

import { EventEmitter } from 'node:events';
import type * as CommandLine from '../../lib/cli/command-line.ts';
import { Interrupts, type SignalSource } from '../../lib/cli/interrupts.ts';
import type * as Printing from '../../lib/cli/output.ts';

/** The parts of the program that run a command line. */
export interface Program {
  readonly runCommandLine: typeof CommandLine.runCommandLine;
  readonly Output: typeof Printing.Output;
}

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Width of the terminal; without it, the output is a pipe. */
  readonly columns?: number;
  /** Its abort stands for Ctrl-C. */
  readonly signal?: AbortSignal;
  /** Called with what is written to standard error, as it is. */
  readonly onStderr?: (text: string) => void;
}

/** @param words those after the program's name */
export async function runIn(
  { runCommandLine, Output }: Program,
  words: readonly string[],
  { columns, signal, onStderr }: RunOptions,
): Promise<Ran> {
  const printed = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof printed): Printing.OutputStream => ({
    write: (text: string) => {
      printed[name] += text;
      if (name === 'stderr') onStderr?.(text);
    },
    ...(columns === undefined ? {} : { isTTY: true, columns }),
  });
  const output = new Output({ stdout: stream('stdout'), stderr: stream('stderr') }, {});
  const source = Object.assign(new EventEmitter(), { pid: 0, kill: () => {} });
  signal?.addEventListener('abort', () => void source.emit('SIGINT', 'SIGINT'));
  const interrupts = new Interrupts(source as SignalSource);
  const exitCode = await runCommandLine(words, { output, interrupts, version: '0.0.0' });
  return { exitCode, ...printed };
}
