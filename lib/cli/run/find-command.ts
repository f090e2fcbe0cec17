/**
 * The file of a command, as a shell finds it.
 *
 * Source: execvp of exec(3).
 */

import { accessSync, constants, statSync } from 'node:fs';
import { ERRNO } from '../../core/errno.ts';
import { explainedError } from '../../facade/errors/explanations.ts';

/** What glibc looks through where there is no PATH. */
const PATH_DEFAULT = '/bin:/usr/bin';
const SLASH = 0x2f;

/**
 * @param name of a program on the path, or a path of its own; bytes, as names of files are
 * @throws NumaError NUMA_SYSTEM_ERROR with errnoName ENOENT or EACCES
 */
export function findCommand(name: Uint8Array, path: string = PATH_DEFAULT): Uint8Array {
  const candidates = name.includes(SLASH)
    ? [name]
    : path.split(':').map((folder) => Buffer.concat([Buffer.from(`${folder || '.'}/`), name]));
  const answers = name.length === 0 ? [] : candidates.map(whyNot);
  const found = candidates[answers.indexOf(undefined)];
  if (found !== undefined) return found;
  throw cannotStart(name, answers.includes(ERRNO.EACCES) ? ERRNO.EACCES : ERRNO.ENOENT);
}

/** The error of a program that cannot be started. */
export function cannotStart(name: Uint8Array, errno: number): Error {
  const asked = Buffer.from(name).toString();
  return explainedError({ syscall: 'execve', errno, asked, args: { asked }, backend: 'native' });
}

/** An errno, or `undefined` for a file that can be started. */
function whyNot(file: Uint8Array): number | undefined {
  const at = Buffer.from(file);
  try {
    accessSync(at, constants.X_OK);
    return statSync(at).isFile() ? undefined : ERRNO.EACCES;
  } catch (error) {
    const { errno = -ERRNO.ENOENT } = error as NodeJS.ErrnoException;
    return -errno;
  }
}
