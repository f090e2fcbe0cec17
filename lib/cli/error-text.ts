/**
 * What an error says on the command line: its arguments are a command's options there.
 */

import { type ArgumentError, aboutArgument } from '../core/argument-errors.ts';
import { NumaError } from '../core/errors.ts';
import type { CommandSpec } from './command.ts';

/** @param spec of the command that failed; without one nothing is renamed */
export function errorText(error: Error, spec: CommandSpec | undefined): string {
  const { argument, rule, received } = error as Partial<ArgumentError>;
  const option = spec && argument !== undefined ? optionOf(argument, spec) : undefined;
  if (option === undefined) return error.message;
  if (error instanceof NumaError) return error.with({ argument: option }).message;
  return rule !== undefined && received !== undefined
    ? aboutArgument(option, { rule, received })
    : error.message;
}

/** The option of which an argument, or a member of it, was made. */
function optionOf(argument: string, spec: CommandSpec): string | undefined {
  const [, option] =
    optionsByArgument(spec).find(
      ([known]) => argument === known || argument.startsWith(`${known}.`),
    ) ?? [];
  return option;
}

/** Those that are named alike are found by their names; of the others the command tells. */
function optionsByArgument({ options = [], madeOf = {} }: CommandSpec): [string, string][] {
  const named = options.map((option): [string, string] => {
    return [`options.${option.attributeName()}`, option.long as string];
  });
  const own = named.map(([, long]): [string, string] => [long, long]);
  return [...Object.entries(madeOf), ...named, ...own];
}
