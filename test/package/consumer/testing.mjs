// A user's tests, as an ECMAScript module without a test runner.

import { bind } from 'node-numa';
import { matchers, withMachine } from 'node-numa/testing';

const told = await withMachine({ mustRelease: true }, async ({ numa, faults }) => {
  const buffer = numa.allocate(10 * numa.pageSizeBytes, { policy: bind(0) });
  try {
    buffer.touch();
    faults.nodeFull(1, 7);
    const { pass, message } = matchers.toHaveMoved(await buffer.migrate({ to: 1 }), 10);
    return { pass, message: message() };
  } finally {
    buffer.release();
  }
});
process.stdout.write(JSON.stringify(told));
