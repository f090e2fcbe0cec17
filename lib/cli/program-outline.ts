/**
 * The program as completions and the man page need it: plain data, taken from what commander
 * parses with, so that neither can fall behind.
 */

import type { Command, Option } from 'commander';
import { type Example, specOf } from './command.ts';

export interface OptionOutline {
  readonly short: string | undefined;
  readonly long: string;
  /** As help shows it: "-C, --cpus <list>". */
  readonly flags: string;
  readonly description: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

export interface CommandOutline {
  readonly name: string;
  readonly summary: string;
  readonly paragraphs: readonly string[];
  /** What stands behind the name. */
  readonly usage: string;
  readonly options: readonly OptionOutline[];
  /** Words that its first argument may be; empty where it may be any. */
  readonly choices: readonly string[];
  /** It starts a command of another program. */
  readonly startsCommand: boolean;
  readonly examples: readonly Example[];
}

const HELP: OptionOutline = {
  short: '-h',
  long: '--help',
  flags: '-h, --help',
  description: 'print this help',
  takesValue: false,
  choices: [],
};

export function outlineOf(program: Command): readonly CommandOutline[] {
  return program.commands.map((command) => {
    const spec = specOf.get(command);
    return {
      name: command.name(),
      summary: command.summary(),
      paragraphs: spec?.description ?? [],
      usage: command.usage(),
      options: optionsOf(command),
      choices: command.registeredArguments[0]?.argChoices ?? [],
      startsCommand: spec?.passesThrough === true,
      examples: spec?.examples ?? [],
    };
  });
}

export function optionsOf(command: Command): readonly OptionOutline[] {
  const shown = command.options.filter((option) => !option.hidden).map(optionOutline);
  return [...shown, HELP];
}

function optionOutline(option: Option): OptionOutline {
  const { short, long = '', flags, description, argChoices: choices = [] } = option;
  return { short, long, flags, description, takesValue: option.isBoolean() === false, choices };
}
