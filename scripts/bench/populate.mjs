// @ts-check
// npm run bench:populate: is prefault by two threads faster than by one, and does the event loop go
// on meanwhile? On this host's kernel, in pairs: the memory of two buffers, one made by one thread,
// one by two, in turns. Two idle CPUs are needed; the load of others is in every figure.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openNuma } from 'node-numa';

const usage = `usage: npm run bench:populate -- [options]

  --pairs N   pairs that are measured, the median ratio counts (default: 9)
  --mib N     size of each buffer in MiB (default: 256)
  --help      this text

Exit status: 0 both bars are met, 1 one is missed.
`;

const SPEEDUP_BAR = 1.5;
/** Of the 99th percentile, above that of an idle event loop. */
const DELAY_BAR_MS = 2;
const IDLE_MS = 1000;

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '9' },
    mib: { type: 'string', default: '256' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  process.stdout.write(usage);
  process.exit(0);
}

const numa = openNuma({ backend: 'native' });
const lengthBytes = Number(values.mib) * 2 ** 20;

/** @param {readonly number[]} numbers */
function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return /** @type {number} */ (sorted[Math.floor(sorted.length / 2)]);
}

/**
 * Milliseconds that the pages of a fresh buffer take, and the event loop's delay meanwhile.
 * @param {number} threads
 */
async function measure(threads) {
  const buffer = numa.allocate(lengthBytes, { hugePages: 'none' });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const start = process.hrtime.bigint();
  await buffer.populate({ threads });
  const tookMs = Number(process.hrtime.bigint() - start) / 1e6;
  delay.disable();
  buffer.release();
  return { tookMs, delayMs: delay.percentile(99) / 1e6 };
}

async function idleDelayMs() {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await setTimeout(IDLE_MS);
  delay.disable();
  return delay.percentile(99) / 1e6;
}

await measure(2);
const idleMs = await idleDelayMs();
const ratios = [];
const delays = [];
for (let pair = 0; pair < Number(values.pairs); pair += 1) {
  const order = pair % 2 === 0 ? [1, 2] : [2, 1];
  /** @type {Record<number, number>} */
  const tookMs = {};
  for (const threads of order) {
    const measured = await measure(threads);
    tookMs[threads] = measured.tookMs;
    delays.push(measured.delayMs);
  }
  ratios.push(/** @type {number} */ (tookMs[1]) / /** @type {number} */ (tookMs[2]));
}
const ratio = median(ratios);
const aboveIdleMs = Math.max(0, median(delays) - idleMs);
const each = ratios.map((one) => one.toFixed(2)).join(' ');
process.stdout.write(`two threads against one: ${ratio.toFixed(2)} times as fast (${each})\n`);
process.stdout.write(
  `event loop delay, 99th percentile: ${aboveIdleMs.toFixed(2)} ms above ${idleMs.toFixed(2)} ms\n`,
);
process.exit(ratio >= SPEEDUP_BAR && aboveIdleMs <= DELAY_BAR_MS ? 0 : 1);
