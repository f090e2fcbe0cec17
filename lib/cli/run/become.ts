/**
 * This process becomes the command: its signals, its exit status and its pid are the command's own.
 */

import { constants } from 'node:os';
import { replaceProcess } from '../../native-backend/replace-process.ts';
import { cannotStart, findCommand } from './find-command.ts';
import { descriptorsMaxBefore, inheritedDescriptors, rawWords } from './inheritance.ts';

/** What execvp starts a file with that names no interpreter. */
const SHELL = Buffer.from('/bin/sh');

/** A command that can be started. */
export interface Command {
  readonly path: Uint8Array;
  readonly words: readonly Uint8Array[];
}

/**
 * @param words the last ones of this process's own command line
 * @throws NumaError NUMA_SYSTEM_ERROR when there is no such program
 */
export function resolveCommand(words: readonly [string, ...string[]]): Command {
  const raw = rawWords(words);
  return { path: findCommand(raw[0] as Uint8Array, process.env['PATH']), words: raw };
}

/** Does not return. @throws NumaError NUMA_SYSTEM_ERROR when the kernel cannot start it */
export function become({ path, words }: Command): never {
  const inherited = {
    descriptors: inheritedDescriptors(),
    descriptorsMax: descriptorsMaxBefore(),
  };
  const { errno } = replaceProcess({ path, words, ...inherited });
  if (errno !== constants.errno.ENOEXEC) throw cannotStart(path, errno);
  const script = [SHELL, path, ...words.slice(1)];
  throw cannotStart(path, replaceProcess({ path: SHELL, words: script, ...inherited }).errno);
}
