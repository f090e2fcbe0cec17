/**
 * node-numa/testing/vitest: imported for its effect, which is that `expect` of vitest has the
 * matchers, and that TypeScript knows. The one file that needs vitest.
 */

import { expect } from 'vitest';
import { matchers, type NumaMatchers } from './matchers.ts';

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: vitest declares the interface so.
  interface Matchers<T = any> extends NumaMatchers<T> {}
}

expect.extend(matchers);
