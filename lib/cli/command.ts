/**
 * What a command is: everything that help, completions, the man page and the tests need of it is
 * data; `run` computes nothing that the facade could offer, and gives the exit status.
 */

import type { Command, Option } from 'commander';
import type { Numa } from '../facade/numa.ts';
import type { ExitCode } from './exit-codes.ts';
import type { Interrupts } from './interrupts.ts';
import type { Output } from './output.ts';

/** A command line that works as it stands; the tests run it. */
export interface Example {
  readonly line: string;
  readonly says: string;
}

/** A positional argument. */
export interface CommandArgument {
  /** `<pid>`, `[pid]` or `[pid...]`, as help shows it. */
  readonly flags: string;
  readonly description: string;
  readonly parse?: (text: string, previous: unknown) => unknown;
  /** The words that it may be. */
  readonly choices?: readonly string[];
}

/** What a command gets. */
export interface Invocation<Options> {
  readonly options: Options & SharedOptions;
  readonly args: readonly unknown[];
  readonly output: Output;
  /** For what has to be said or put back before a signal ends the program. */
  readonly interrupts: Interrupts;
  /** Opens the machine that the options name. @throws NumaError NUMA_BACKEND_UNAVAILABLE */
  readonly open: () => Numa;
  /** What an error says, in words of the command. */
  readonly textOf: (error: Error) => string;
  /** The whole program: for what describes it. */
  readonly program: Command;
}

/** Options that most commands have. */
export interface SharedOptions {
  readonly json?: boolean;
  readonly machine?: string;
  readonly kernel?: string;
}

export interface CommandSpec<Options = object> {
  readonly name: string;
  /** One sentence without a full stop: what help and the man page say of it. */
  readonly summary: string;
  /** What else there is to know, in paragraphs. */
  readonly description?: readonly string[];
  readonly args?: readonly CommandArgument[];
  readonly options?: readonly Option[];
  /** Arguments of the facade, with the options that they are made of, where these are not named
   *  alike: `options.to` is `--to` anyway. */
  readonly madeOf?: Readonly<Record<string, string>>;
  readonly examples: readonly Example[];
  /** Whether it can speak of a simulated machine; one that cannot refuses `--machine`. */
  readonly takesMachine: boolean;
  /** Whether it has `--json`. */
  readonly takesJson: boolean;
  /** Words after the positional arguments belong to a command of their own. */
  readonly passesThrough?: boolean;
  run(invocation: Invocation<Options>): Promise<ExitCode>;
}

/** Keeps the type of its options to itself, so that commands fit in one list. */
export function defineCommand<Options>(spec: CommandSpec<Options>): CommandSpec {
  return spec as CommandSpec;
}

/** Of what a command of the program was made. */
export const specOf: WeakMap<Command, CommandSpec> = new WeakMap();
