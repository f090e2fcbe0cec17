/**
 * Values on a command line. What is wrong with one is an `InvalidArgumentError`, which names the
 * option and ends with exit status 2.
 */

import { type Command, InvalidArgumentError, type Option } from 'commander';
import { PID_MAX } from '../core/uapi.ts';

const SIZE_UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

export function parsePid(text: string): number {
  const pid = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (pid < 1 || pid > PID_MAX) {
    throw new InvalidArgumentError(`a process id is a number from 1 to ${PID_MAX}.`);
  }
  return pid;
}

/** For arguments that may be repeated. */
export function parsePids(text: string, previous: unknown): number[] {
  return [...(Array.isArray(previous) ? (previous as number[]) : []), parsePid(text)];
}

/** A positive number with at most three decimals. */
export function parsePositive(text: string): number {
  const value = /^\d{1,9}(\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (!(value > 0)) throw new InvalidArgumentError('it must be a number above 0.');
  return value;
}

export function parsePositiveInteger(text: string): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) < 1) {
    throw new InvalidArgumentError('it must be a whole number above 0.');
  }
  return Number(text);
}

/** Bytes, or with k, m or g: "64m". */
export function parseSize(text: string): number {
  const match = /^(\d{1,12})([kmg]?)(?:i?b)?$/i.exec(text);
  const bytes = Number(match?.[1]) * (SIZE_UNITS[match?.[2]?.toLowerCase() ?? ''] ?? Number.NaN);
  if (!Number.isSafeInteger(bytes)) {
    throw new InvalidArgumentError('a size is a number of bytes, or one with k, m or g: 64m.');
  }
  return bytes;
}

/** Options that may be given again, each adding to what is there. */
const REPEATABLE = new WeakSet<Option>();

export function repeatable(option: Option): Option {
  REPEATABLE.add(option);
  return option;
}

/** Any other that has a value and is given twice is a mistake: which of the two was meant? */
export function refuseRepetitions(command: Command): void {
  for (const option of command.options) {
    if (option.isBoolean() || REPEATABLE.has(option)) continue;
    let count = 0;
    command.on(`option:${option.name()}`, () => {
      count += 1;
      if (count > 1) command.error(`error: option '${option.flags}' is given twice`);
    });
  }
}
