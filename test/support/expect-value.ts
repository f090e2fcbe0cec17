/** For what has to succeed where nothing is examined: also where no test runs. */

import type { SyscallResult } from '../../lib/backend/syscall-result.ts';

/** The value, where a failure would be the test's own fault. */
export function expectValue<T>(result: SyscallResult<T>): T {
  if (!result.ok) throw new Error(`${result.syscall} failed: errno ${result.errno}`);
  return result.value;
}
