/**
 * /proc/PID/numa_maps: a line for each mapping, with its policy and its pages by node.
 *
 * Source: numa(7); fs/proc/task_mmu.c, show_numa_map(). Counts are of the mapping's own pages: huge
 * pages of a pool count as one, parts of a transparent huge page as base pages.
 */

import { KIB_BYTES } from '../core/units.ts';
/** A line. */
export interface NumaMapsEntry {
  readonly start: bigint;
  /** The policy as the kernel writes it: `bind:0-1`, `prefer (many):0,2`, `default`. */
  readonly policy: string;
  /** Path of the file; `null` where the line names none. */
  readonly file: string | null;
  readonly isHeap: boolean;
  readonly isStack: boolean;
  /** Pages of a pool: their size is `kernelPageSizeBytes`. */
  readonly isHugetlb: boolean;
  /** Pages by node, of `kernelPageSizeBytes` each; only nodes with pages. */
  readonly pagesByNode: ReadonlyMap<number, number>;
  /** Pages that belong to no file. */
  readonly anonymousPages: number;
  readonly dirtyPages: number;
  /** The most page tables that one of its pages is in. */
  readonly mapCountMax: number;
  /** 0 where the line does not tell: it has no pages, or the kernel is older than 4.0. */
  readonly kernelPageSizeBytes: number;
}

const COUNTERS = /^(anon|dirty|mapped|mapmax|swapcache|active|writeback|kernelpagesize_kB|N\d+)=/;
const COUNTED = /^([A-Za-z_]+|N\d+)=(\d+)$/;

export function parseNumaMaps(text: string): NumaMapsEntry[] {
  const entries: NumaMapsEntry[] = [];
  for (const line of text.split('\n')) {
    const entry = parseNumaMapsLine(line);
    if (entry !== null) entries.push(entry);
  }
  return entries;
}

/** `null` for what is no such line. */
export function parseNumaMapsLine(line: string): NumaMapsEntry | null {
  const [address = '', ...words] = line.split(' ');
  if (!/^[0-9a-f]{8,16}$/.test(address) || words.length === 0) return null;
  const policyCount = countPolicyWords(words);
  const pagesByNode = new Map<number, number>();
  const counts = new Map<string, number>();
  let file: string | null = null;
  const flags = new Set<string>();
  for (const word of words.slice(policyCount)) {
    const match = COUNTED.exec(word);
    if (word.startsWith('file=')) file = unescapePath(word.slice('file='.length));
    else if (match === null) flags.add(word);
    else if (/^N\d/.test(word)) pagesByNode.set(Number(match[1]?.slice(1)), Number(match[2]));
    else counts.set(match[1] as string, Number(match[2]));
  }
  return {
    start: BigInt(`0x${address}`),
    policy: words.slice(0, policyCount).join(' '),
    file,
    isHeap: flags.has('heap'),
    isStack: flags.has('stack'),
    isHugetlb: flags.has('huge'),
    pagesByNode,
    anonymousPages: counts.get('anon') ?? 0,
    dirtyPages: counts.get('dirty') ?? 0,
    mapCountMax: counts.get('mapmax') ?? (pagesByNode.size > 0 ? 1 : 0),
    kernelPageSizeBytes: (counts.get('kernelpagesize_kB') ?? 0) * KIB_BYTES,
  };
}

/** Pages by node in pages of `pageSizeBytes`, which are also those of a line that does not tell:
 *  kernels before 4.0, and files from elsewhere. */
export function pagesByNodeOf(
  { pagesByNode, kernelPageSizeBytes }: NumaMapsEntry,
  pageSizeBytes: number,
): ReadonlyMap<number, number> {
  const scale = Math.max(1, kernelPageSizeBytes / pageSizeBytes);
  if (scale === 1) return pagesByNode;
  return new Map([...pagesByNode].map(([node, pages]) => [node, pages * scale]));
}

/** A policy may have blanks: "prefer (many):0,1", "weighted interleave:0-3". */
function countPolicyWords(words: readonly string[]): number {
  const end = words.findIndex(
    (word, at) => at > 0 && (/^(file=|heap$|stack$|huge$)/.test(word) || COUNTERS.test(word)),
  );
  return end < 0 ? words.length : end;
}

/** Source: lib/string_helpers.c, string_escape_mem() for "\n\t= ". */
function unescapePath(path: string): string {
  return path.replace(/\\(011|012|040|075)/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
