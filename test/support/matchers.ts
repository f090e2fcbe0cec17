/**
 * Assertions in the domain's words. Imported for its effect by every contract family. Beside those
 * of node-numa/testing there is `toSucceed`; and `toResideOn` is another one here: it takes page
 * statuses as a query gives them, node numbers or negative errnos, page by page.
 */

import { expect } from 'vitest';
import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import { errnoName } from '../../lib/core/errno.ts';
import { matchers } from '../../lib/testing/matchers.ts';

interface ContractMatchers<R> {
  /** The call did what it was asked; with an argument, and gave this value. */
  toSucceed(...value: unknown[]): R;
}

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: vitest declares the interface so.
  interface Matchers<T = any> extends ContractMatchers<T> {}
}

function describeResult(result: SyscallResult<unknown>): string {
  if (!result.ok) return `${result.syscall}: ${errnoName(result.errno)}`;
  return `success with ${String(result.value)}`;
}

function describeStatus(status: number): string {
  return status < 0 ? `-${errnoName(-status)}` : String(status);
}

expect.extend({
  toFailWith: matchers.toFailWith,
  toSucceed(result: SyscallResult<unknown>, ...value: unknown[]) {
    const pass = result.ok && (value.length === 0 || this.equals(result.value, value[0]));
    const wanted = value.length === 0 ? 'success' : `success with ${String(value[0])}`;
    return { pass, message: () => `expected ${wanted}, got ${describeResult(result)}` };
  },
  toResideOn(statuses: readonly number[], wanted: unknown) {
    const got = Array.from(statuses, describeStatus).join(', ');
    const want = Array.from(wanted as readonly number[], describeStatus).join(', ');
    return { pass: got === want, message: () => `expected pages on ${want}; they are on ${got}` };
  },
});
