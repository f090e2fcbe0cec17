/**
 * One command line from its words to its exit status.
 */

import { type Command, CommanderError } from 'commander';
import { NumaError } from '../core/errors.ts';
import { type CommandSpec, type SharedOptions, specOf } from './command.ts';
import { errorText } from './error-text.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { Interrupts } from './interrupts.ts';
import { openMachine } from './open-machine.ts';
import type { ColourWhen, Output } from './output.ts';
import { buildProgram, type Runner } from './program.ts';
import { PROGRAM_NAME } from './program-text.ts';
import { UsageError } from './usage-error.ts';

/** Where a command line runs. */
export interface CommandSurroundings {
  readonly output: Output;
  readonly interrupts: Interrupts;
  readonly version: string;
}

type ParsedOptions = SharedOptions & { readonly color?: ColourWhen };

/**
 * @param words those after the program's name
 * @returns the exit status; never rejects, but for what is a fault of the program itself
 */
export async function runCommandLine(
  words: readonly string[],
  { output, interrupts, version }: CommandSurroundings,
): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.DONE;
  /** What commander has found wrong with the words. */
  let complaint: readonly string[] = [];
  let running: CommandSpec | undefined;
  const textOf = (error: Error): string => errorText(error, running);
  const run: Runner = async (spec, args, given) => {
    running = spec;
    const options = given as ParsedOptions;
    output.paint(options.color ?? 'auto');
    checkMachineOption(spec, options);
    const open = (): ReturnType<typeof openMachine> => openMachine(options);
    exitCode = await spec.run({ options, args, output, interrupts, open, textOf, program });
  };
  const program = buildProgram(run, version);
  const printing = {
    writeOut: (text: string): void => output.raw(text),
    writeErr: (text: string): void => output.complain(text.trimEnd().split('\n')),
    outputError: (text: string): void => {
      complaint = messageLines(text);
    },
    getOutHelpWidth: (): number => Math.min(output.columns, HELP_COLUMNS_MAX),
    getErrHelpWidth: (): number => Math.min(output.columns, HELP_COLUMNS_MAX),
    getOutHasColors: (): boolean => false,
    getErrHasColors: (): boolean => false,
  };
  for (const command of [program, ...program.commands]) command.configureOutput(printing);
  try {
    await program.parseAsync([...words], { from: 'user' });
  } catch (error) {
    exitCode = explain(error, { output, complaint, isJson: isJsonAsked(program, words), textOf });
  } finally {
    output.endStatus();
  }
  const failure = await output.failure();
  if (failure === undefined) return exitCode;
  output.complain([`${PROGRAM_NAME}: what it prints cannot be written: ${failure.message}`]);
  return exitCode === EXIT.DONE ? EXIT.FAILED : exitCode;
}

const HELP_COLUMNS_MAX = 100;

/** Commander's message, which quotes words as they are, and the suggestion that may follow it. */
function messageLines(text: string): string[] {
  const [, message = '', suggestion] =
    /^(.*?)(?:\n(\(Did you mean [^\n]*\?\)))?\n$/s.exec(text) ?? [];
  return suggestion === undefined ? [message] : [message, suggestion];
}

function checkMachineOption({ name, takesMachine }: CommandSpec, options: SharedOptions): void {
  if (takesMachine || options.machine === undefined) return;
  throw new UsageError(`${name} works on this host only: leave --machine out`);
}

/**
 * Whether the words ask for JSON, right or wrong as they are: commander may not have come as far.
 * Behind `--`, and behind a command to run, they are somebody else's.
 */
function isJsonAsked(program: Command, words: readonly string[]): boolean {
  const command = program.commands.find((one) => one.name() === words[0]);
  if (command === undefined || specOf.get(command)?.takesJson !== true) return false;
  if (specOf.get(command)?.passesThrough) return command.opts<SharedOptions>().json === true;
  const end = words.indexOf('--');
  return words.slice(0, end < 0 ? words.length : end).includes('--json');
}

interface Explaining {
  readonly output: Output;
  readonly complaint: readonly string[];
  readonly isJson: boolean;
  readonly textOf: (error: Error) => string;
}

/** Prints what went wrong, and says how the command ended. */
function explain(error: unknown, { output, complaint, isJson, textOf }: Explaining): ExitCode {
  if (error instanceof CommanderError) {
    // It has printed help and the version itself.
    const message = complaint.join(' ').replace(/^error: /, '');
    if (complaint.length > 0 && isJson) output.json({ error: { code: 'USAGE', message } });
    else if (complaint.length > 0) output.complain(complaint);
    return error.exitCode === 0 ? EXIT.DONE : EXIT.USAGE;
  }
  const known = knownError(error);
  if (known === undefined) throw error;
  const { exitCode, code } = known;
  const message = textOf(error as Error);
  if (isJson) output.json({ error: { code, message } });
  else output.complain([`${PROGRAM_NAME}: ${message}`]);
  return exitCode;
}

function knownError(error: unknown): { exitCode: ExitCode; code: string } | undefined {
  if (error instanceof UsageError) return { exitCode: EXIT.USAGE, code: 'USAGE' };
  if (error instanceof NumaError) {
    const isUnavailable = error.code === 'NUMA_BACKEND_UNAVAILABLE';
    return { exitCode: isUnavailable ? EXIT.UNAVAILABLE : EXIT.FAILED, code: error.code };
  }
  const { code } = (error ?? {}) as { code?: unknown };
  const isMistake = typeof code === 'string' && /^ERR_(INVALID_ARG|OUT_OF_RANGE)/.test(code);
  return isMistake ? { exitCode: EXIT.USAGE, code } : undefined;
}
