/**
 * Prefault: the pages of a range are made now, by several threads of Node's pool, which run on CPUs
 * of the nodes that the memory comes from meanwhile.
 *
 * Source: madvise(2), MADV_POPULATE_WRITE, Linux 5.14; mm/madvise.c, madvise_populate().
 */

import type { Backend, PageSpan } from '../../backend/backend.ts';
import type { Mapping } from '../../backend/mapping.ts';
import { checkCallback, checkInteger, checkSignal } from '../../core/check-arguments.ts';
import { NumaError } from '../../core/errors.ts';
import { type MemoryPolicy, policyOfModeWord } from '../../core/memory-policy.ts';
import { NodeMask } from '../../core/node-mask.ts';
import { nodesOfWords } from '../../core/nodemask-words.ts';
import { POLICY_MODES } from '../../core/policy-modes.ts';
import { MADV, MPOL_F } from '../../core/uapi.ts';
import type { Context } from '../context.ts';
import { countResidency } from '../pages/count-residency.ts';
import { foundHugePages, type HugePagesFound } from '../pages/huge-pages.ts';
import type { PageRange, RangeOptions } from '../pages/page-range.ts';
import { policiesOf } from '../policy/policy-parts.ts';
import { readPolicy } from '../policy/read-policy.ts';
import { tellProgress } from '../progress.ts';

export interface PopulateOptions extends RangeOptions {
  /** Threads of Node's pool, which has four unless UV_THREADPOOL_SIZE says otherwise; a file or a
   *  name that is looked up meanwhile waits for one. Default 2. */
  readonly threads?: number;
  /** Rejects with its reason after the steps that have begun; what they made stays. */
  readonly signal?: AbortSignal;
  /** Called after each step; a promise is waited for. Its error ends the work, as the `cause` of a
   *  TypeError. */
  readonly onProgress?: (progress: PopulateProgress) => unknown;
}

export interface PopulateProgress {
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

/** What populating got. */
export interface PopulateReport {
  /** All pages of so many bytes are there. */
  readonly lengthBytes: number;
  /** How much of them is in huge pages; `null` where /proc is closed. */
  readonly hugePages: HugePagesFound | null;
}

export const POPULATE_OPTION_NAMES = ['threads', 'signal', 'onProgress'] as const;

export interface PopulateRequest {
  readonly threads: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: PopulateProgress) => unknown) | undefined;
}

const THREADS_DEFAULT = 2;
const THREADS_MAX = 1024;

/** Between two looks at the signal: some milliseconds of one thread. */
const STEP_BYTES = 2 ** 24;

/** @param argument whose members they are */
export function checkPopulate(
  {
    threads = THREADS_DEFAULT,
    signal,
    onProgress,
  }: {
    readonly [Name in keyof Omit<PopulateOptions, keyof RangeOptions>]?:
      | PopulateOptions[Name]
      | undefined;
  },
  argument: string,
): PopulateRequest {
  return {
    threads: checkInteger(threads, `${argument}.threads`, 1, THREADS_MAX),
    signal: checkSignal(signal, `${argument}.signal`),
    onProgress: checkCallback(onProgress, `${argument}.onProgress`),
  };
}

/** Whose pages are made: `lengthBytes` ends with the mapping's bytes. */
export interface PopulatedRange extends PageRange {
  readonly mapping: Mapping;
}

/** @throws the signal's reason, the error of the first step or callback that fails */
export async function populate(
  context: Context,
  range: PopulatedRange,
  { threads, signal, onProgress }: PopulateRequest,
): Promise<PopulateReport> {
  const { backend } = context;
  const policy = readPolicy(context, { flags: MPOL_F.ADDR, address: range.address });
  const cpus = cpusFor(context, policy);
  await checkRoom(context, range);
  const { mapping, offsetBytes } = range;
  const end = Math.min(offsetBytes + range.lengthBytes, mapping.lengthBytes);
  const bytesTotal = end - offsetBytes;
  let next = offsetBytes;
  let bytesDone = 0;
  const work = async (): Promise<void> => {
    while (next < end) {
      signal?.throwIfAborted();
      const part = { mapping, offsetBytes: next, lengthBytes: Math.min(STEP_BYTES, end - next) };
      next += part.lengthBytes;
      try {
        const result = await backend.madvise({ ...part, advice: MADV.POPULATE_WRITE }, cpus);
        context.unwrap(result, `populating ${bytesTotal} bytes`);
        bytesDone += part.lengthBytes;
        await tellProgress(onProgress, { bytesDone, bytesTotal });
      } catch (error) {
        // The others begin nothing more.
        next = end;
        throw error;
      }
    }
  };
  signal?.throwIfAborted();
  const ended = await Promise.allSettled(Array.from({ length: threads }, work));
  const failed = ended.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  signal?.throwIfAborted();
  const found = await foundHugePages(backend, range);
  const hugePages = found.ok ? Object.freeze(found.value) : null;
  return Object.freeze({ lengthBytes: bytesTotal, hugePages });
}

/** Memory without a policy of its own comes from the node of the CPU that touches it first. */
function cpusFor(context: Context, policy: MemoryPolicy): readonly number[] {
  const { topology, backend } = context;
  const own = nodesOf(
    context,
    POLICY_MODES[policy.mode].isNone ? readPolicy(context, { flags: 0 }) : policy,
  );
  const [first] = own?.toArray() ?? [];
  if (own === undefined || first === undefined) {
    return cpusOn(context, context.unwrap(backend.getcpu(), 'asking for the CPU').node);
  }
  const near = own.toArray().flatMap((node) => cpusOn(context, node));
  if (near.length > 0) return near;
  const nearest = topology.nearestFirst(first).find((node) => cpusOn(context, node).length > 0);
  return nearest === undefined ? [] : cpusOn(context, nearest);
}

function nodesOf(context: Context, { nodes }: MemoryPolicy): NodeMask | undefined {
  return nodes === undefined ? undefined : context.resolve(nodes, 'nodes');
}

function cpusOn({ topology }: Context, node: number): readonly number[] {
  return topology.online.has(node) ? (topology.node(node).cpus ?? []) : [];
}

/**
 * A bound part that finds no memory on its nodes would have the kernel end a process: looked at
 * before, though others may take the memory meanwhile.
 */
async function checkRoom(context: Context, range: PopulatedRange): Promise<void> {
  const { backend } = context;
  for (const { nodes, spans } of boundIn(context, range)) {
    const lengthBytes = bytesIn(backend, spans);
    const free = nodes.toArray().reduce<number>((sum, node) => {
      const memory = backend.nodeMemory(node);
      return sum + (memory.ok ? (memory.value.freeBytes ?? Number.POSITIVE_INFINITY) : 0);
    }, 0);
    if (free >= lengthBytes) continue;
    let missingBytes = lengthBytes;
    for (const span of spans) {
      const pages = { backend, pid: 0, mapping: range.mapping, ...span };
      const looked = await countResidency(pages, undefined);
      if (looked.ok) missingBytes -= looked.value.pages.present * backend.pageSizeBytes;
    }
    if (free >= missingBytes) continue;
    const found = await foundHugePages(backend, range);
    if (context.unwrap(found, 'looking for huge pages').isOfPool) return;
    throw new NumaError(`${missingBytes} bytes are needed, and ${free} are free`, {
      code: 'NUMA_OUT_OF_MEMORY',
      asked: `populating ${lengthBytes} bytes on node ${nodes}`,
      args: { lengthBytes, free, nodes: `${nodes}` },
      backend: backend.identity.kind,
      hint: 'bind to more nodes, prefer one instead, or free memory on it',
    });
  }
}

interface BoundPart {
  readonly nodes: NodeMask;
  readonly spans: PageSpan[];
}

/** What is bound to the same nodes, together; what cannot be read is left to the kernel. */
function boundIn(
  { backend }: Context,
  { address, pageCount }: PopulatedRange,
): Iterable<BoundPart> {
  const told = policiesOf(backend, { address, pageCount });
  const bound = new Map<string, BoundPart>();
  for (const { policy, ...span } of told.ok ? told.value : []) {
    const nodes = NodeMask.from(nodesOfWords(policy.nodemask));
    const mode = policyOfModeWord(policy.mode, nodes)?.mode;
    if (mode === undefined || !POLICY_MODES[mode].isStrict) continue;
    const known = bound.get(`${nodes}`) ?? { nodes, spans: [] };
    known.spans.push(span);
    bound.set(`${nodes}`, known);
  }
  return bound.values();
}

function bytesIn({ pageSizeBytes }: Backend, spans: readonly PageSpan[]): number {
  return spans.reduce((sum, { pageCount }) => sum + pageCount * pageSizeBytes, 0);
}
