// Moves a buffer with care: what would move is told before, steps stay short, one part stays where
// it is, busy pages are tried again, and the receipt is one line of text.
// Runs on the kernel where there are two nodes with memory, else on the simulator.
// node examples/careful-move.mjs

import { bind, openNuma, summarize } from 'node-numa';

const numa = openNuma();
const [home, away] = numa.topology.withMemory;
const size = 16 * 2 ** 20;

const buffer = numa.allocate(size, { policy: bind(home) });
try {
  buffer.touch();
  console.log(`${numa.backend.kind}: ${numa.backend.reason}`);
  const exclude = { offsetBytes: size / 2 };
  const { pagesToMove, warnings } = await buffer.plan({ to: away, exclude });
  console.log(`${pagesToMove} pages would move to node ${away}`);
  for (const { kind } of warnings) console.log(`to know before: ${kind}`);
  const how = { pauseBudgetMs: 5, retryBusyMs: 1000, onFull: 'fail' };
  const report = await buffer.migrate({ to: away, exclude, ...how });
  console.log(summarize(report).replace(/, [^,]*$/, ''));
  console.log(summarize(await buffer.residency()));
} finally {
  buffer.release();
}
