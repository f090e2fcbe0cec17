/**
 * /proc/vmstat, and the files of nodes that look like it: a name and a number on each line.
 *
 * Source: mm/vmstat.c, vmstat_show(); drivers/base/node.c, node_read_numastat().
 */

/** Counters by the kernel's names; lines that are none are passed over. */
export function parseCounters(text: string): ReadonlyMap<string, number> {
  const counters = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^(\w+) (\d{1,20})$/.exec(line);
    if (match !== null) counters.set(match[1] as string, Number(match[2]));
  }
  return counters;
}
