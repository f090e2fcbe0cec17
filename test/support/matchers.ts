/**
 * Assertions in the domain's words. Imported for its effect by every contract family.
 */

import { expect } from 'vitest';
import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import { errnoName } from '../../lib/core/errno.ts';

interface NumaMatchers<R> {
  /** The system said no: this call, this errno by name. */
  toFailWith(syscall: string, errno: string): R;
  /** The call did what it was asked; with an argument, and gave this value. */
  toSucceed(...value: unknown[]): R;
  /** Page statuses as a query gives them: node numbers, or negative errnos. */
  toResideOn(statuses: readonly number[]): R;
}

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: vitest declares the interface so.
  interface Matchers<T = any> extends NumaMatchers<T> {}
}

function describeResult(result: SyscallResult<unknown>): string {
  if (!result.ok) return `${result.syscall}: ${errnoName(result.errno)}`;
  return `success with ${String(result.value)}`;
}

function describeStatus(status: number): string {
  return status < 0 ? `-${errnoName(-status)}` : String(status);
}

expect.extend({
  toFailWith(result: SyscallResult<unknown>, syscall: string, errno: string) {
    const pass = !result.ok && result.syscall === syscall && errnoName(result.errno) === errno;
    return {
      pass,
      message: () => `expected ${syscall}: ${errno}, got ${describeResult(result)}`,
    };
  },
  toSucceed(result: SyscallResult<unknown>, ...value: unknown[]) {
    const pass = result.ok && (value.length === 0 || this.equals(result.value, value[0]));
    const wanted = value.length === 0 ? 'success' : `success with ${String(value[0])}`;
    return { pass, message: () => `expected ${wanted}, got ${describeResult(result)}` };
  },
  toResideOn(statuses: readonly number[], wanted: readonly number[]) {
    const got = Array.from(statuses, describeStatus).join(', ');
    const want = Array.from(wanted, describeStatus).join(', ');
    return { pass: got === want, message: () => `expected pages on ${want}; they are on ${got}` };
  },
});
