// A user's tests, as CommonJS without a test runner.

const { bind } = require('node-numa');
const { matchers, withMachine } = require('node-numa/testing');

async function main() {
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
}

main();
