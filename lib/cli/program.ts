/**
 * The program as commander has it, made of the commands: from it come parsing, help, completions
 * and the man page.
 */

import { Argument, Command, Option } from 'commander';
import { refuseRepetitions } from './arguments.ts';
import { type CommandSpec, specOf } from './command.ts';
import { commands } from './commands/index.ts';
import { helpLayout } from './help-layout.ts';
import { EXIT_STATUS, PROGRAM_NAME, PROGRAM_SUMMARY } from './program-text.ts';

/** Runs a command with what commander has read. */
export type Runner = (
  spec: CommandSpec,
  args: readonly unknown[],
  options: object,
) => Promise<void>;

export function buildProgram(run: Runner, version: string): Command {
  const program = new Command(PROGRAM_NAME)
    .description(PROGRAM_SUMMARY)
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .configureHelp(helpLayout)
    .enablePositionalOptions()
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText('after', `\nExit status:\n${EXIT_STATUS.map(exitLine).join('\n')}`);
  for (const spec of commands) program.addCommand(commandOf(spec, run));
  return program;
}

function exitLine([status, means]: (typeof EXIT_STATUS)[number]): string {
  return `  ${status}  ${means}`;
}

function commandOf(spec: CommandSpec, run: Runner): Command {
  const command = new Command(spec.name)
    .summary(spec.summary)
    .description([`${spec.summary}.`, ...(spec.description ?? [])].join('\n\n'))
    .helpOption('-h, --help', 'print this help')
    .configureHelp(helpLayout)
    .exitOverride();
  specOf.set(command, spec);
  for (const { flags, description, parse, choices } of spec.args ?? []) {
    const argument = new Argument(flags, description);
    if (choices !== undefined) argument.choices(choices);
    command.addArgument(parse === undefined ? argument : argument.argParser(parse));
  }
  for (const option of [...(spec.options ?? []), ...sharedOptions(spec)]) command.addOption(option);
  refuseRepetitions(command);
  if (spec.passesThrough) command.passThroughOptions();
  const examples = spec.examples.map(({ line, says }) => `  ${line}\n      ${says}`);
  command.addHelpText('after', `\nExamples:\n${examples.join('\n')}`);
  return command.action((...given: unknown[]) => {
    // Commander gives the arguments, then the options, then the command itself.
    return run(spec, given.slice(0, -2), given.at(-2) as object);
  });
}

function sharedOptions({ takesMachine, takesJson }: CommandSpec): Option[] {
  const machine = new Option(
    '--machine <name|file>',
    'speak of a simulated machine: a preset, or a JSON file',
  );
  const kernel = new Option('--kernel <line>', 'the Linux that it answers as');
  return [
    ...(takesJson ? [new Option('--json', 'print JSON (docs/cli.md has its shape)')] : []),
    ...(takesMachine ? [machine, kernel] : [machine.hideHelp()]),
    new Option('--color <when>', 'when to paint')
      .choices(['auto', 'always', 'never'])
      .default('auto'),
  ];
}
