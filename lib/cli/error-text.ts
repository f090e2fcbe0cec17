/**
 * What an error says on the command line: its arguments are a command's options there.
 */

import { type ArgumentError, aboutArgument } from '../core/argument-errors.ts';
import { NumaError } from '../core/errors.ts';
import { otherProcessesHint } from '../facade/errors/explanations.ts';
import type { CommandSpec } from './command.ts';

/** @param spec of the command that failed; without one nothing is renamed */
export function errorText(error: Error, spec: CommandSpec | undefined): string {
  if (error instanceof NumaError) return inWordsOf(spec, error).message;
  const { argument, rule, received } = error as Partial<ArgumentError>;
  const option = spec && argument !== undefined ? optionOf(argument, spec) : undefined;
  if (option === undefined) return error.message;
  return rule !== undefined && received !== undefined
    ? aboutArgument(option, { rule, received })
    : error.message;
}

function inWordsOf(spec: CommandSpec | undefined, error: NumaError): NumaError {
  const { code, backend, args, argument } = error;
  const option = spec && argument !== undefined ? optionOf(argument, spec) : undefined;
  const isOfAnother = code === 'NUMA_NO_SUCH_PROCESS' && backend === 'simulator';
  const processes = args?.['processes'] as readonly number[] | undefined;
  return error.with({
    ...(option === undefined ? {} : { argument: option }),
    ...(isOfAnother ? { hint: otherProcessesHint(processes, THIS_HOST) } : {}),
  });
}

const THIS_HOST = 'without --machine it is one of this host';

/** The option of which an argument, or a member of it, was made. */
function optionOf(argument: string, spec: CommandSpec): string | undefined {
  // A member of it, or one of several: `options.mappings[1].kind`.
  const [, whole, index] = /^(.*?)(?:\[(\d+)\].*)?$/.exec(argument) as RegExpExecArray;
  const [, option] =
    optionsByArgument(spec).find(
      ([known]) => whole === known || (whole as string).startsWith(`${known}.`),
    ) ?? [];
  return option === undefined || index === undefined
    ? option
    : `${option} (number ${Number(index) + 1})`;
}

/** Those that are named alike are found by their names; of the others the command tells. */
function optionsByArgument({ options = [], madeOf = {} }: CommandSpec): [string, string][] {
  const named = options.map((option): [string, string] => {
    return [`options.${option.attributeName()}`, option.long as string];
  });
  const own = named.map(([, long]): [string, string] => [long, long]);
  return [...Object.entries(madeOf), ...named, ...own];
}
