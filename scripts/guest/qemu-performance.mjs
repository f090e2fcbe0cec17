// @ts-check
// How fast each node's memory is, in QEMU's words: the firmware's table of latencies and bandwidths
// (HMAT), from which the kernel ranks nodes into tiers.

import { hasPerformance, initiatorOf } from './machine.mjs';

/** The table has 16 bits for each; all ones mean "unknown". */
const performanceMax = 65_534;

/**
 * The description has one latency and one bandwidth per node, as its initiator sees them. Other
 * initiators see them worse in proportion to the distances.
 * @param {import('./machine.mjs').Machine} machine
 * @returns {string[]} nothing for a machine that does not say how fast its memory is
 */
export function performanceArguments({ nodes, distances }) {
  if (!hasPerformance(nodes)) return [];
  const rowOf = (/** @type {number | undefined} */ id) => nodes.findIndex((node) => node.id === id);
  const initiators = nodes.filter(({ cpus }) => cpus.length > 0).map(({ id }) => id);
  /** @type {string[]} */
  const words = [];
  nodes.forEach(({ id, readLatencyNs, readBandwidthMBps, ...node }, target) => {
    if (readLatencyNs === undefined || readBandwidthMBps === undefined) return;
    const own = distances[rowOf(initiatorOf({ id, ...node }))]?.[target] ?? 10;
    for (const initiator of initiators) {
      const factor = (distances[rowOf(initiator)]?.[target] ?? own) / own;
      const latency = clamp(readLatencyNs * factor);
      const bandwidth = clamp(readBandwidthMBps / factor);
      const pair = `hmat-lb,initiator=${initiator},target=${id},hierarchy=memory`;
      words.push('-numa', `${pair},data-type=access-latency,latency=${latency}`);
      words.push('-numa', `${pair},data-type=access-bandwidth,bandwidth=${bandwidth}M`);
    }
  });
  return words;
}

/** @param {number} value */
function clamp(value) {
  return Math.min(performanceMax, Math.max(1, Math.round(value)));
}
