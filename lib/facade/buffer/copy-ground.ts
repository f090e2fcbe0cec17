/**
 * What copies of a range have to keep, and whether they can take its place at all: a mapping's
 * attributes go with its pages, and only policy and advice can be given to the copies.
 *
 * Source: proc_pid_smaps(5), VmFlags; proc_pid_status(5), VmPin; numa(7); fs/proc/task_mmu.c,
 * show_smap_vma_flags(); mm/mremap.c.
 */

import type { NodemaskArgument, PageSpan } from '../../backend/backend.ts';
import { NumaError } from '../../core/errors.ts';
import { defaultPolicy } from '../../core/memory-policy.ts';
import type { NodeId } from '../../core/node-mask.ts';
import { MAXNODE_ALL } from '../../core/nodemask-words.ts';
import { MADV, MPOL } from '../../core/uapi.ts';
import { parseNumaMaps } from '../../procfs/numa-maps.ts';
import { parseSmaps, type SmapsEntry } from '../../procfs/smaps.ts';
import { isDenial } from '../capabilities/denial.ts';
import type { Context } from '../context.ts';
import { hugePagePages, type PagesOfProcess } from '../pages/residency.ts';
import { residencyOf } from '../pages/residency-by-mappings.ts';
import {
  type PolicyPart,
  partsWithin,
  policiesOf,
  policiesOfParts,
} from '../policy/policy-parts.ts';
import { asksForCopy, type CheckedPromise, type ChosenWays, chooseWays } from './move-ways.ts';

/** Pages of one mapping, and what is theirs. */
export interface CopyArea extends PageSpan {
  readonly mode: number;
  readonly nodemask: NodemaskArgument | null;
  /** `MADV.HUGEPAGE` or `NOHUGEPAGE`; -1 for none. */
  readonly advice: number;
  /** Its huge pages may be kept for the next copies. */
  readonly mayKeep: boolean;
}

/** Where pages are before they move: all that there are on one node, or in some order on several,
 *  where nobody tells which; `null`: to be asked page by page. */
export type KnownPlaces = ReadonlyMap<NodeId, number> | NodeId | null;

export interface CopyGround {
  /** Ascending, without a gap. */
  readonly areas: readonly CopyArea[];
  readonly places: KnownPlaces;
  readonly cpus: readonly number[];
}

const SMAPS = '/proc/self/smaps';
const NUMA_MAPS = '/proc/self/numa_maps';
const STATUS = '/proc/self/status';

/** What private anonymous memory has, or its copies can be given. */
const KEPT_FLAGS: ReadonlySet<string> = new Set('rd wr mr mw me ac sd hg nh'.split(' '));

/** Why copies cannot take the place of others, by the kernel's two letters. */
const FLAG_WORDS: Readonly<Record<string, string>> = {
  ht: 'it is in pages of a pool of huge pages',
  sh: 'it is shared',
  lo: 'it is locked (mlock)',
  dc: 'it is kept from children (MADV_DONTFORK)',
  wf: 'a child finds it empty',
  dd: 'it is kept from core dumps (MADV_DONTDUMP)',
  mg: 'its equal pages are merged (MADV_MERGEABLE)',
  um: 'somebody handles its page faults (userfaultfd)',
  uw: 'somebody handles its page faults (userfaultfd)',
  ui: 'somebody handles its page faults (userfaultfd)',
  sl: 'it is sealed (mseal)',
};

/** A move as it was asked for. */
export interface MoveAsked {
  readonly promise: CheckedPromise;
  /** Pages that others map move, too. */
  readonly isShared: boolean;
  readonly target: NodeId;
  readonly parts: readonly PageSpan[];
}

/** How the range is to move, and what copies of it need. */
export type ChosenMove = ChosenWays & { readonly ground: CopyGround | undefined };

/** @throws NumaError NUMA_UNSUPPORTED where copies are asked for that cannot take its place */
export async function choose(
  context: Context,
  range: PagesOfProcess,
  asked: MoveAsked,
): Promise<ChosenMove> {
  const { promise, isShared } = asked;
  if (!asksForCopy(promise, isShared)) {
    return { ...chooseWays(promise, undefined), ground: undefined };
  }
  const found = await copyGroundOf(context, range, asked);
  const obstacle = typeof found === 'string' ? found : null;
  if (obstacle !== null && promise.way === 'copy') throw noCopy(context, obstacle);
  const ground = typeof found === 'string' ? undefined : found;
  return { ...chooseWays(promise, { obstacle }), ground };
}

function noCopy({ backend }: Context, obstacle: string): NumaError {
  return new NumaError(`copies cannot take the place of this memory: ${obstacle}`, {
    code: 'NUMA_UNSUPPORTED',
    asked: 'migrate',
    argument: 'options.way',
    backend: backend.identity.kind,
    hint: "nothing has moved; 'auto' or 'kernel' has the kernel move it",
  });
}

/** The ground, or why there is none. */
async function copyGroundOf(
  context: Context,
  range: PagesOfProcess,
  { target, parts, promise }: MoveAsked,
): Promise<CopyGround | string> {
  const { backend } = context;
  const { mapping } = range;
  if (mapping === undefined) return 'node-numa has not mapped it';
  if (mapping.descriptor !== null) return 'it is shared, or of a file';
  const status = await backend.readText(STATUS);
  if (!status.ok) return `${STATUS} is closed`;
  if (/^VmPin:\s+[1-9]/m.test(status.value)) return 'a device has pinned memory of this process';
  const entries = await entriesOf(range);
  if (typeof entries === 'string') return entries;
  const areas = await areasOf(range, entries, promise.concurrency === 'quiesced');
  if (typeof areas === 'string') return areas;
  const places = await placesOf(range, parts);
  if (places === undefined) return 'where its pages are is not told';
  return {
    areas,
    places,
    cpus: context.topology.nodes.find(({ id }) => id === target)?.cpus ?? [],
  };
}

/** The mappings of a range, or what is in the way of copies of them. */
async function entriesOf(range: PagesOfProcess): Promise<readonly SmapsEntry[] | string> {
  const { backend, address, pageCount } = range;
  const smaps = await backend.readText(SMAPS, { address, pageCount });
  if (!smaps.ok) return `${SMAPS} is closed`;
  const rangeEnd = endOf(range);
  const entries = parseSmaps(smaps.value).filter(
    ({ start, end }) => start < rangeEnd && address < end,
  );
  return entries.map(obstacleOf).find((obstacle) => obstacle !== null) ?? entries;
}

function endOf({ backend, address, pageCount }: PagesOfProcess): bigint {
  return address + BigInt(pageCount) * BigInt(backend.pageSizeBytes);
}

async function areasOf(
  range: PagesOfProcess,
  entries: readonly SmapsEntry[],
  isQuiesced: boolean,
): Promise<readonly CopyArea[] | string> {
  const { backend, address } = range;
  const size = BigInt(backend.pageSizeBytes);
  const rangeEnd = endOf(range);
  const mapped = entries.map(({ start, end }) => {
    const first = start > address ? start : address;
    const last = end < rangeEnd ? end : rangeEnd;
    return { address: first, pageCount: Number((last - first) / size) };
  });
  // Another move may divide them anew at any time: areasWithin() asks again.
  const policies = await policiesIn(range, mapped);
  if (typeof policies === 'string') return policies;
  return policies.map((policy, index) => {
    const entry = entries[index] as SmapsEntry;
    const mayKeep =
      isQuiesced && isHuge(entry, hugePagePages(backend.pageSizeBytes) * Number(size));
    return { ...policy, advice: adviceOf(entry.flags), mayKeep };
  });
}

/** Whether all of a mapping is in huge pages that can be. */
function isHuge({ start, end, hugeBytes }: SmapsEntry, hugePageBytes: number): boolean {
  const size = BigInt(hugePageBytes);
  return hugeBytes > 0 && BigInt(hugeBytes) >= (end / size - (start + size - 1n) / size) * size;
}

function obstacleOf({ flags, name, permissions }: SmapsEntry): string | null {
  if (permissions !== 'rw-p') return `it is mapped as ${permissions}`;
  if (name !== null) return 'its mapping has a name';
  const other = flags.find((flag) => !KEPT_FLAGS.has(flag));
  if (other === undefined) return null;
  return FLAG_WORDS[other] ?? `its mapping has the attribute '${other}'`;
}

function adviceOf(flags: readonly string[]): number {
  if (flags.includes('hg')) return MADV.HUGEPAGE;
  return flags.includes('nh') ? MADV.NOHUGEPAGE : -1;
}

async function policiesIn(
  { backend }: PagesOfProcess,
  mapped: readonly PageSpan[],
): Promise<readonly CopyPolicy[] | string> {
  const policies = policiesOfParts(backend, mapped);
  if (policies.ok) return policies.value.map(policyOfCopies);
  if (!isDenial(policies.errno)) return 'its policies are not told';
  // Who may not ask may not set one either, and threads begin with the one that is in force.
  const numaMaps = await backend.readText(NUMA_MAPS);
  if (!numaMaps.ok) return `${NUMA_MAPS} is closed`;
  const others = parseNumaMaps(numaMaps.value).find(
    ({ policy }) => policy !== `${defaultPolicy()}`,
  );
  if (others !== undefined) return `a policy is in force (${others.policy}) that cannot be set`;
  return mapped.map((span) => ({ ...span, mode: MPOL.DEFAULT, nodemask: null }));
}

type CopyPolicy = Omit<CopyArea, 'advice' | 'mayKeep'>;

function policyOfCopies({ policy, ...span }: PolicyPart): CopyPolicy {
  const isNone = policy.nodemask.every((word) => word === 0n);
  const nodemask = isNone ? null : { words: policy.nodemask, maxnode: MAXNODE_ALL };
  return { ...span, mode: policy.mode, nodemask };
}

/** @internal What of the ground lies in a span, with the policies that its parts have by now. */
export function areasWithin(
  { areas }: CopyGround,
  { backend }: PagesOfProcess,
  { address, pageCount }: PageSpan,
): CopyArea[] {
  const { pageSizeBytes } = backend;
  return partsWithin(areas, { address, pageCount }, pageSizeBytes).flatMap((area) => {
    const now = policiesOf(backend, { address: area.address, pageCount: area.pageCount });
    if (!now.ok) return [area];
    return now.value.map((part) => ({ ...area, ...policyOfCopies(part) }));
  });
}

/** Told at once by numa_maps where one node has all of a mapping's pages. */
async function placesOf(
  range: PagesOfProcess,
  parts: readonly PageSpan[],
): Promise<KnownPlaces | undefined> {
  const { backend, address, pageCount } = range;
  const numaMaps = await backend.readText(NUMA_MAPS, { address, pageCount });
  if (numaMaps.ok) {
    const end = endOf(range);
    const nodes = new Set<NodeId>();
    // The last that begins in front of the range may reach into it.
    let before: Iterable<NodeId> = [];
    for (const { start, pagesByNode } of parseNumaMaps(numaMaps.value)) {
      if (start <= address) before = pagesByNode.keys();
      else if (start < end) for (const node of pagesByNode.keys()) nodes.add(node);
    }
    for (const node of before) nodes.add(node);
    const [node] = nodes;
    if (nodes.size === 1) return node;
  }
  const status = new Int32Array(1);
  const query = { pid: 0, pages: { address, pageCount: 1 }, nodes: null, flags: 0, status };
  const asked = await backend.movePages(query);
  if (asked.ok || !isDenial(asked.errno)) return null;
  const sums = new Map<NodeId, number>();
  for (const part of parts) {
    const told = await residencyOf({ ...range, ...part }, undefined);
    if (!told.ok || told.value.pages.failed > 0) return undefined;
    for (const [id, pages] of Object.entries(told.value.byNode)) {
      sums.set(Number(id), (sums.get(Number(id)) ?? 0) + pages);
    }
  }
  return sums;
}
