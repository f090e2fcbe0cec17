/**
 * Memory by `numa.allocate()`: which kind it is to be, and its policy before any page is touched.
 *
 * Source: mmap(2), MAP_HUGETLB; madvise(2), MADV_HUGEPAGE; memfd_create(2); mbind(2).
 */

import type { Mapping, MappingRequest } from '../../backend/mapping.ts';
import { invalidArgumentValue, outOfRange } from '../../core/argument-errors.ts';
import { checkBoolean, checkInteger, checkOptions } from '../../core/check-arguments.ts';
import { ERRNO } from '../../core/errno.ts';
import { checkPolicy, type MemoryPolicy } from '../../core/memory-policy.ts';
import { MADV } from '../../core/uapi.ts';
import type { Context } from '../context.ts';
import type { RangeOptions } from '../pages/page-range.ts';
import { hugePagePages } from '../pages/residency.ts';
import { missingPages } from './huge-page-pool.ts';
import { MappedBuffer } from './mapped-buffer.ts';
import { checkPopulate, POPULATE_OPTION_NAMES, type PopulateOptions } from './populate.ts';
import { allocateShared, type SharedAllocateOptions, type SharedBuffer } from './shared-buffer.ts';

/**
 * `transparent`: huge pages wherever the kernel has one at hand, the start aligned for them.
 * `none`: base pages only. A size: pages of the pool of that size, which an administrator sets
 * aside; all of them are promised at once.
 */
export type HugePagesChoice = 'transparent' | 'none' | { readonly pageSizeBytes: number };

export interface AllocateOptions {
  /** Range policy, set before any page is touched. Default: the thread's policy at first touch. */
  readonly policy?: MemoryPolicy;
  /** Default: what the machine does by itself. `hugePages()` tells what was got. */
  readonly hugePages?: HugePagesChoice;
  /** Memory with a descriptor (`buffer.descriptor`), which other processes can map. */
  readonly shared?: boolean;
}

export interface PopulatedAllocateOptions extends AllocateOptions {
  /** Makes all pages, as `buffer.populate()` does: off the calling thread, after the policy was
   *  set. `true`: with its defaults. */
  readonly populate: true | Omit<PopulateOptions, keyof RangeOptions>;
}

type AnyOptions = AllocateOptions & {
  readonly sharedArrayBuffer?: boolean;
  readonly populate?: PopulatedAllocateOptions['populate'] | false;
};
const OWN_NAMES = ['policy', 'hugePages', 'shared', 'populate'] as const;
const OPTION_NAMES = [...OWN_NAMES, 'sharedArrayBuffer'] as const;

interface Allocation {
  readonly request: MappingRequest;
  readonly policy: MemoryPolicy | undefined;
  readonly advice: number | undefined;
}

/** What `numa.allocate()` makes: of the engine's own memory, or of a mapping. */
export function allocate(
  context: Context,
  lengthBytes: number,
  options: AllocateOptions | PopulatedAllocateOptions | SharedAllocateOptions | undefined,
): MappedBuffer | Promise<MappedBuffer> | SharedBuffer {
  const checked = checkOptions<AnyOptions>(options, 'options', OPTION_NAMES);
  const { sharedArrayBuffer, populate } = checked;
  if (!checkBoolean(sharedArrayBuffer, 'options.sharedArrayBuffer')) {
    const isPopulated = populate !== undefined && populate !== false;
    const given = checked as AllocateOptions;
    if (!isPopulated) return allocateMapping(context, lengthBytes, given);
    return allocatePopulated(context, lengthBytes, given, populate);
  }
  checkInteger(lengthBytes, 'lengthBytes', 1);
  const given = checkOptions<AnyOptions>(options, 'options', ['policy', 'sharedArrayBuffer']);
  if (given.policy !== undefined) checkPolicy(given.policy, 'options.policy');
  return allocateShared(context, lengthBytes, given.policy);
}

/** Nothing of it is left where it fails, or was aborted. */
async function allocatePopulated(
  context: Context,
  lengthBytes: number,
  options: AllocateOptions,
  populate: PopulatedAllocateOptions['populate'],
): Promise<MappedBuffer> {
  const wanted = checkPopulateOption(populate);
  wanted.signal?.throwIfAborted();
  const buffer = allocateMapping(context, lengthBytes, options);
  try {
    await buffer.populate(wanted);
  } catch (error) {
    buffer.release();
    throw error;
  }
  return buffer;
}

function checkPopulateOption(populate: unknown): PopulateOptions {
  if (populate === true) return {};
  const argument = 'options.populate';
  if (typeof populate !== 'object' || populate === null) {
    const rule = 'must be true or { threads, signal, onProgress }';
    throw invalidArgumentValue(argument, rule, populate);
  }
  const wanted = checkOptions<PopulateOptions>(populate, argument, POPULATE_OPTION_NAMES);
  checkPopulate(wanted, argument);
  return wanted;
}

function allocateMapping(
  context: Context,
  lengthBytes: number,
  options: AllocateOptions | undefined,
): MappedBuffer {
  const { request, policy, advice } = checkAllocation(context, lengthBytes, options);
  const { hugePageBytes } = request;
  if (hugePageBytes !== undefined) {
    const missing = missingPages(context, { ...request, hugePageBytes }, policy);
    if (missing !== undefined) throw missing;
  }
  const mapped = context.backend.mmap(request);
  const asked = `mapping ${request.lengthBytes} bytes`;
  const mapping = context.unwrap(mapped, asked, { ...request });
  const buffer = new MappedBuffer(context, mapping);
  try {
    if (policy !== undefined) buffer.setPolicy(policy);
    if (advice !== undefined) advise(context, mapping, advice);
  } catch (error) {
    buffer.release();
    throw error;
  }
  return buffer;
}

function checkAllocation(
  { backend }: Context,
  lengthBytes: number,
  options: AllocateOptions | undefined,
): Allocation {
  checkInteger(lengthBytes, 'lengthBytes', 1);
  const checked = checkOptions<AnyOptions>(options, 'options', OPTION_NAMES);
  const { policy, hugePages, shared } = checked;
  if (policy !== undefined) checkPolicy(policy, 'options.policy');
  const isShared = checkBoolean(shared, 'options.shared');
  const request = { lengthBytes, ...(isShared ? { isShared } : {}) };
  if (hugePages === undefined) return { request, policy, advice: undefined };
  if (hugePages === 'none') return { request, policy, advice: MADV.NOHUGEPAGE };
  if (hugePages === 'transparent') {
    const alignmentBytes = hugePagePages(backend.pageSizeBytes) * backend.pageSizeBytes;
    return { request: { ...request, alignmentBytes }, policy, advice: MADV.HUGEPAGE };
  }
  const hugePageBytes = checkPoolSize(hugePages, backend.pageSizeBytes);
  const whole = Math.ceil(lengthBytes / hugePageBytes) * hugePageBytes;
  return { request: { ...request, lengthBytes: whole, hugePageBytes }, policy, advice: undefined };
}

function checkPoolSize(hugePages: unknown, pageSizeBytes: number): number {
  const argument = 'options.hugePages';
  if (typeof hugePages !== 'object' || hugePages === null) {
    throw invalidArgumentValue(
      argument,
      "must be 'transparent', 'none' or { pageSizeBytes }",
      hugePages,
    );
  }
  const given = checkOptions(hugePages as { pageSizeBytes: number }, argument, ['pageSizeBytes']);
  const name = `${argument}.pageSizeBytes`;
  const bytes = checkInteger(given.pageSizeBytes, name, pageSizeBytes + 1);
  if (Number.isInteger(Math.log2(bytes))) return bytes;
  throw outOfRange(name, 'it must be a power of two', bytes);
}

/** A kernel without transparent huge pages has none to leave out. */
function advise(context: Context, mapping: Mapping, advice: number): void {
  const { lengthBytes } = mapping;
  const result = context.backend.madviseSync({ mapping, offsetBytes: 0, lengthBytes, advice });
  const isNeedless = !result.ok && result.errno === ERRNO.EINVAL && advice === MADV.NOHUGEPAGE;
  if (!isNeedless) context.unwrap(result, `advice about huge pages for ${lengthBytes} bytes`);
}
