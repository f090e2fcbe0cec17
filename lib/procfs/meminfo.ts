/**
 * /proc/meminfo, and meminfo of one node, which names the node on each line.
 *
 * Source: proc_meminfo(5); fs/proc/meminfo.c; drivers/base/node.c, node_read_meminfo().
 */

import { KIB_BYTES } from '../core/units.ts';
export interface Meminfo {
  /** Fields with a unit, in the kernel's order and under its names, in bytes. */
  readonly bytes: ReadonlyMap<string, number>;
  /** Fields without one: huge pages of the default size. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Lines that are no field are passed over. */
export function parseMeminfo(text: string): Meminfo {
  const bytes = new Map<string, number>();
  const counts = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^(?:Node \d+ )?([\w()]+): +(\d{1,20})( kB)?$/.exec(line);
    if (match === null) continue;
    const [, name, number, unit] = match as unknown as [string, string, string, string?];
    if (unit === undefined) counts.set(name, Number(number));
    else bytes.set(name, Number(number) * KIB_BYTES);
  }
  return { bytes, counts };
}
