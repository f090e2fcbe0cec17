/**
 * /proc/zoneinfo: what is free in the zones of each node, and what of that its kernel keeps back.
 *
 * Source: proc_zoneinfo(5); mm/vmstat.c, zoneinfo_show_print(); mm/page_alloc.c,
 * __zone_watermark_ok(): an allocation that waits leaves a zone its `min`, and what it protects for
 * zones below.
 */

export const ZONEINFO = '/proc/zoneinfo';

/** Pages that are movable may still be had of a node by who waits for them; 0 for no such node. */
export function roomPagesOf(text: string, node: number): number {
  const zones = text.split(/^(?=Node )/m).filter((zone) => zone.startsWith(`Node ${node}, `));
  return zones.reduce((sum, zone) => sum + roomOf(zone), 0);
}

function roomOf(zone: string): number {
  const numberAfter = (name: RegExp): number => Number(name.exec(zone)?.[1] ?? 0);
  const free = numberAfter(/^\s*pages free\s+(\d+)$/m);
  const min = numberAfter(/^\s*min\s+(\d+)$/m);
  const [, protection = ''] = /^\s*protection:\s+\((.*)\)$/m.exec(zone) ?? [];
  // From the highest zone on, which movable pages may come from.
  const kept = Number(protection.split(',').at(-1) ?? 0);
  return Math.max(0, free - min - kept);
}
