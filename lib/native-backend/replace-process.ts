/**
 * This process becomes another program: same pid, and the policy and the CPUs of the calling
 * thread.
 *
 * Source: execve(2); mm/mempolicy.c and kernel/sched/core.c, which keep both across it.
 */

import type { SyscallFailure } from '../backend/syscall-result.ts';
import { ERRNO } from '../core/errno.ts';
import { loadAddon } from './load-addon.ts';

/** A program and what it is started with. */
export interface Replacement {
  readonly path: Uint8Array;
  readonly words: readonly Uint8Array[];
  /** Descriptors above the standard three that it keeps. */
  readonly descriptors: readonly number[];
  /** Soft limit of open descriptors; `undefined` leaves what Node has made of it. */
  readonly descriptorsMax: number | undefined;
}

const END = Uint8Array.of(0);

/**
 * Undoes what Node has changed: signals that are ignored or blocked, non-blocking standard streams,
 * descriptors that would close, a raised limit. Returns only when the program cannot be started;
 * then all of it is Node's again.
 */
export function replaceProcess(replacement: Replacement): SyscallFailure {
  const loaded = loadAddon();
  if (!loaded.ok) return { ok: false, errno: ERRNO.ENOSYS, syscall: 'execve' };
  const { path, words, descriptors, descriptorsMax } = replacement;
  return loaded.addon.execve(
    Buffer.concat([path, END]),
    Buffer.concat(words.flatMap((word) => [word, END])),
    Int32Array.from(descriptors),
    descriptorsMax ?? 0,
  );
}
