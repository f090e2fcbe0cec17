/**
 * Promotion: whether a page of slow memory that was just touched goes to the fast node of the CPU
 * that did it. Where that node has plenty of room, every page does. Otherwise only a page that is
 * hot, which is touched soon after it was marked, and only so many in a second. Which pages are
 * hot enough is adjusted, so that about as many are found as may go.
 *
 * Source: kernel/sched/fair.c, should_numa_migrate_memory(), pgdat_free_space_enough(),
 * numa_promotion_rate_limit() and numa_promotion_adjust_threshold().
 *
 * Deviation: a node is one zone. When a page was marked is known by its address: another process
 * that maps it has marked it at a time of its own.
 */

import { MIB_BYTES } from '../../core/units.ts';
import type { Folio } from '../memory/folio.ts';
import type { Memory, NumaBalancingMode } from '../memory/memory.ts';
import { nodesIn } from '../nodes/nodemask.ts';
import type { NodePromotions } from '../nodes/numa-events.ts';
import type { BalancedTask } from './balanced-task.ts';

/** Default of scan_period_max_ms. */
const SCAN_PERIOD_MAX_MS = 60_000;
const SECOND_MS = 1000;
/** Plenty of room: so much free, or a part of the node if that is more. */
const PLENTY_BYTES = 2 ** 30;
const PLENTY_DIVISOR = 16;
/** What a node keeps free above the watermark of allocations for promotions: a part of it. */
const PROMOTION_DIVISOR = 128;
const THRESHOLD_STEPS = 16;

/** kernel.numa_balancing. Source: sysctl_numa_balancing(). */
export function setBalancing(memory: Memory, mode: NumaBalancingMode): void {
  const { physical, clock, balancing } = memory;
  const begins = mode === 'tiering' && balancing !== 'tiering';
  if (begins) physical.promotions.reset(clock.nowMs, nodesIn(physical.memoryNodes));
  memory.balancing = mode;
}

/** Whether pages of this node are promoted, by heat, instead of balanced. */
export function isPromotedFrom({ balancing, isTopTier }: Memory, node: number): boolean {
  return balancing === 'tiering' && !isTopTier(node);
}

export function shouldPromote(
  { mm, cpuNode, scan }: BalancedTask,
  page: number,
  folio: Folio,
): boolean {
  const { memory } = mm;
  const { physical, pageSizeBytes, clock } = memory;
  const { nowMs } = clock;
  const { rateLimitMBps, hotThresholdMs } = physical.promotions;
  const promotions = physical.promotions.to(cpuNode);
  // Who touched such a page last is not kept: the time of its mark is, in the same place.
  folio.lastFault = null;
  if (hasPlenty(memory, cpuNode)) {
    promotions.thresholdMs = 0;
    physical.balancing.pgpromoteCandidateNrl += folio.pageCount;
    return true;
  }
  const limitPages = (rateLimitMBps * MIB_BYTES) / pageSizeBytes;
  adjustThreshold(promotions, { limitPages, hotThresholdMs, nowMs });
  const latencyMs = nowMs - (scan.markedAtMs.get(page) ?? nowMs);
  if (latencyMs >= (promotions.thresholdMs || hotThresholdMs)) return false;
  return !isOverLimit(promotions, { pageCount: folio.pageCount, limitPages, nowMs });
}

function hasPlenty({ physical, pageSizeBytes }: Memory, node: number): boolean {
  const totalPages = physical.totalPages(node);
  const plenty = Math.max(PLENTY_BYTES / pageSizeBytes, totalPages / PLENTY_DIVISOR);
  return physical.availablePages(node) > totalPages / PROMOTION_DIVISOR + plenty;
}

/** Counts the page as a candidate; whether those of this second are too many with it. */
function isOverLimit(
  promotions: NodePromotions,
  now: { readonly pageCount: number; readonly limitPages: number; readonly nowMs: number },
): boolean {
  promotions.candidates += now.pageCount;
  if (now.nowMs - promotions.limitStartMs > SECOND_MS) {
    promotions.limitStartMs = now.nowMs;
    promotions.limitCandidates = promotions.candidates;
  }
  return promotions.candidates - promotions.limitCandidates >= now.limitPages;
}

/** Once in a long while: a lower threshold after too many candidates, a higher after too few. */
function adjustThreshold(
  promotions: NodePromotions,
  now: { readonly limitPages: number; readonly hotThresholdMs: number; readonly nowMs: number },
): void {
  const { limitPages, hotThresholdMs, nowMs } = now;
  if (nowMs - promotions.thresholdStartMs <= SCAN_PERIOD_MAX_MS) return;
  promotions.thresholdStartMs = nowMs;
  const wanted = (limitPages * SCAN_PERIOD_MAX_MS) / SECOND_MS;
  const found = promotions.candidates - promotions.thresholdCandidates;
  const stepMs = Math.floor((hotThresholdMs * 2) / THRESHOLD_STEPS);
  let thresholdMs = promotions.thresholdMs || hotThresholdMs;
  if (found > (wanted * 11) / 10) thresholdMs = Math.max(thresholdMs - stepMs, stepMs);
  else if (found < (wanted * 9) / 10) {
    thresholdMs = Math.min(thresholdMs + stepMs, hotThresholdMs * 2);
  }
  promotions.thresholdCandidates = promotions.candidates;
  promotions.thresholdMs = thresholdMs;
}
