/**
 * A program of the differential harness: system calls as data, so that any world can run it, a
 * file can keep it, and a shrinker can cut it down.
 *
 * Memory is one region of each process: SLOT_COUNT slots of SLOT_PAGES pages with one page more
 * behind each, a gap in most programs. Steps name pages by their number in the region.
 */

import { nodesOfWords } from '../../lib/core/nodemask-words.ts';
import type { MaskArgument } from '../../lib/machine/numa.ts';
import type { ProcessCapability } from '../../lib/machine/process.ts';

export const SLOT_COUNT = 4;
export const SLOT_PAGES = 8;
/** From one slot to the next: mappings of two slots meet where the page between them is mapped. */
export const SLOT_STRIDE = SLOT_PAGES + 1;
export const REGION_PAGES: number = SLOT_COUNT * SLOT_STRIDE;

/** Base pages of a huge one. Programs with objects have room for some, behind the slots. */
export const HUGE_PAGES = 512;
export const HUGE_COUNT = 3;

/** The first page of such a place. */
export function hugeStart(slot: number): number {
  return (slot + 1) * HUGE_PAGES;
}

/** A page number that stands for the NULL pointer. */
export const NULL_PAGE = -1;
export const PAGE_SIZE_BYTES = 4096;
const BITS_PER_WORD = 64;

/** `high`: page numbers do not fit 32 bits, as in most real processes. */
export type Region = 'low' | 'high';

const REGION_ADDRESS = { low: 0x0100_0000_0000n, high: 0x2aaa_0000_0000n } as const;

/** A node mask as the kernel gets it: `null` is NULL; `pointer` leads nowhere. */
export type Mask =
  | null
  | { readonly nodes: readonly number[]; readonly maxnode: number }
  | { readonly pointer: number; readonly maxnode: number };

/** Whose pages: the caller's own (pid 0), those of a process of the program, or of nobody. */
export type Target = 'self' | 'nobody' | number;

interface Pages {
  readonly page: number;
  readonly pages: number;
}

export type Call =
  | ({ readonly call: 'mmap' } & Pages)
  | ({ readonly call: 'munmap' } & Pages)
  | ({ readonly call: 'touch'; readonly access: 'read' | 'write' } & Pages)
  | ({ readonly call: 'mprotect'; readonly access: 'none' | 'read' | 'write' } & Pages)
  | ({ readonly call: 'mlock' } & Pages)
  | ({ readonly call: 'munlock' } & Pages)
  | { readonly call: 'setMempolicy'; readonly mode: number; readonly mask: Mask }
  | {
      readonly call: 'getMempolicy';
      readonly flags: number;
      /** NULL_PAGE passes address 0. */
      readonly page: number;
      readonly maxnode: number;
      readonly hasMask: boolean;
    }
  | {
      readonly call: 'mbind';
      readonly page: number;
      /** Bytes beyond the page's start. */
      readonly byte: number;
      /** Bytes; text where a number is too small for it. */
      readonly length: number | string;
      readonly mode: number;
      readonly mask: Mask;
      readonly flags: number;
    }
  | {
      readonly call: 'movePages';
      readonly target: Target;
      readonly list: readonly number[];
      readonly nodes: readonly number[] | null;
      readonly flags: number;
      /** Entries of an array behind which there is no memory. */
      readonly ends?: {
        readonly pages?: number;
        readonly nodes?: number;
        readonly status?: number;
      };
    }
  | {
      readonly call: 'migratePages';
      readonly target: Target;
      readonly from: Mask;
      readonly to: Mask;
    }
  | { readonly call: 'fork'; readonly child: number }
  | { readonly call: 'exit' }
  | ({ readonly call: 'pin'; readonly pin: number } & Pages)
  | { readonly call: 'unpin'; readonly pin: number }
  | { readonly call: 'runOnCpu'; readonly cpu: number }
  | { readonly call: 'setuid'; readonly uid: number }
  | { readonly call: 'dropCapability'; readonly capability: ProcessCapability }
  /** A long-term pin of a ring's buffer, and its end. */
  | ({ readonly call: 'register'; readonly pin: number } & Pages)
  | { readonly call: 'unregister'; readonly pin: number }
  | ({ readonly call: 'madvise'; readonly advice: number } & Pages)
  | ({
      readonly call: 'mapObject';
      readonly object: number;
      readonly isShared: boolean;
      /** Where in the object it begins. */
      readonly firstPage: number;
    } & Pages)
  | {
      readonly call: 'writeObject';
      readonly object: number;
      readonly firstPage: number;
      readonly pages: number;
    }
  /** To exactly there. */
  | ({ readonly call: 'mremap'; readonly toPage: number } & Pages)
  | ({ readonly call: 'resize'; readonly newPages: number } & Pages)
  /** These two are made by a process outside of the program. */
  | { readonly call: 'setMems'; readonly group: number; readonly nodes: string }
  | { readonly call: 'joinGroup'; readonly group: number | 'root'; readonly target: number };

/** A call and the process that makes it: 0 is the first, children have the number of their fork. */
export type Step = Call & { readonly process: number };

/** Cpusets of cgroup version 2, or of version 1: there pages follow, or they do not. */
export type GroupKind = 'v2' | 'v1' | 'v1-migrate';

/** What the first process creates, and its children inherit. */
export interface ObjectSpec {
  readonly kind: 'memfd' | 'tmpfs' | 'hugetlb';
  readonly pages: number;
}

export interface Program {
  /** What it was generated from; 0 for one written by hand or cut down. */
  readonly seed: number;
  readonly region: Region;
  /** For each slot: MAP_SHARED. */
  readonly shared: readonly boolean[];
  /** Groups that there are from the start, without nodes and processes. */
  readonly groups?: { readonly kind: GroupKind; readonly count: number };
  /** Objects behind mappings. With them there are pools, and huge pages for who advises them. */
  readonly objects?: readonly ObjectSpec[];
  readonly steps: readonly Step[];
}

/** Pages from the first to behind the last that its steps name. */
export function regionPages({ objects }: Program): number {
  return objects === undefined ? REGION_PAGES : hugeStart(HUGE_COUNT);
}

/** The address of a page of the region. */
export function addressOf(program: Program, page: number): bigint {
  if (page === NULL_PAGE) return 0n;
  return REGION_ADDRESS[program.region] + BigInt(page * PAGE_SIZE_BYTES);
}

export function slotOf(page: number): number {
  return Math.floor(page / SLOT_STRIDE);
}

export function isShared(program: Program, page: number): boolean {
  return program.shared[slotOf(page)] === true;
}

/** The words of a mask, as many as `maxnode` has the kernel read. */
export function maskArgument(mask: Mask): MaskArgument {
  if (mask === null) return null;
  if ('pointer' in mask) return { pointer: BigInt(mask.pointer), maxnode: mask.maxnode };
  const bits = Math.max(1, mask.maxnode - 1, ...mask.nodes.map((node) => node + 1));
  const words = new BigUint64Array(Math.ceil(bits / BITS_PER_WORD));
  for (const node of mask.nodes) {
    const index = Math.floor(node / BITS_PER_WORD);
    words[index] = (words[index] as bigint) | (1n << BigInt(node % BITS_PER_WORD));
  }
  return { words, maxnode: mask.maxnode };
}

export function nodesOf(words: readonly bigint[]): number[] {
  return nodesOfWords(BigUint64Array.from(words));
}
