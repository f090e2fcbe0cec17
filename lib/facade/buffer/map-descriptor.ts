/**
 * Memory of a descriptor: shared memory of another process, or a regular file.
 *
 * Source: mmap(2), fstat(2).
 */

import { outOfRange } from '../../core/argument-errors.ts';
import { checkInteger, checkOptions, checkWord } from '../../core/check-arguments.ts';
import { ERRNO } from '../../core/errno.ts';
import { NumaError } from '../../core/errors.ts';
import { checkPolicy, type MemoryPolicy } from '../../core/memory-policy.ts';
import type { Context } from '../context.ts';
import type { RangeOptions } from '../pages/page-range.ts';
import { MappedBuffer } from './mapped-buffer.ts';

export interface MapOptions extends RangeOptions {
  /** Range policy, set before any page is touched. */
  readonly policy?: MemoryPolicy;
  /** `shared` (default): what is written is seen by all who map it. `private`: what is written is
   *  this mapping's own, a page at a time, and reaches nobody else. */
  readonly visibility?: 'shared' | 'private';
}

const FD_MAX = 2 ** 31 - 1;

export function mapDescriptor(
  context: Context,
  fd: number,
  options: MapOptions | undefined,
): MappedBuffer {
  checkInteger(fd, 'fd', 0, FD_MAX);
  const names = ['offsetBytes', 'lengthBytes', 'policy', 'visibility'] as const;
  const checked = checkOptions(options, 'options', names);
  const { policy, visibility = 'shared' } = checked;
  checkWord(visibility, 'options.visibility', ['shared', 'private']);
  if (policy !== undefined) checkPolicy(policy, 'options.policy');
  const isShared = visibility === 'shared';
  const range = rangeOf(context, fd, checked);
  const { offsetBytes, restBytes } = range;
  const lengthBytes = range.lengthBytes ?? Math.max(1, restBytes);
  const request = { offsetBytes, lengthBytes, descriptor: fd, isShared };
  const asked = `mapping ${lengthBytes} bytes of descriptor ${fd}`;
  const result = context.backend.mmap(request);
  if (!result.ok && result.errno === ERRNO.EINVAL) {
    const rule = 'memory of a pool is mapped from the start of a huge page';
    throw outOfRange('options.offsetBytes', rule, offsetBytes);
  }
  const mapped = context.unwrap(result, asked, { fd, ...request });
  const buffer = new MappedBuffer(context, mapped);
  try {
    if (lengthBytes > restBytes) throw beyondEnd(context, request, restBytes);
    if (policy !== undefined) buffer.setPolicy(policy);
  } catch (error) {
    buffer.release();
    throw error;
  }
  return buffer;
}

interface FileRange {
  readonly offsetBytes: number;
  /** Absent: all of the file behind the offset. */
  readonly lengthBytes: number | undefined;
  /** Behind the offset; what is no file has none, which mmap(2) tells. */
  readonly restBytes: number;
}

function rangeOf(
  context: Context,
  fd: number,
  { offsetBytes = 0, lengthBytes }: RangeOptions,
): FileRange {
  const { pageSizeBytes } = context.backend;
  checkInteger(offsetBytes, 'options.offsetBytes', 0);
  if (offsetBytes % pageSizeBytes !== 0) {
    const rule = `it must be a multiple of the page size (numa.pageSizeBytes, ${pageSizeBytes})`;
    throw outOfRange('options.offsetBytes', rule, offsetBytes);
  }
  if (lengthBytes !== undefined) checkInteger(lengthBytes, 'options.lengthBytes', 1);
  const state = context.backend.fstat(fd);
  const { sizeBytes } = context.unwrap(state, `the length of descriptor ${fd}`, { fd });
  return { offsetBytes, lengthBytes, restBytes: sizeBytes - offsetBytes };
}

function beyondEnd(
  { backend }: Context,
  { offsetBytes, lengthBytes }: Required<RangeOptions>,
  restBytes: number,
): NumaError {
  const rule = `the file has ${Math.max(0, restBytes)} bytes from ${offsetBytes} on`;
  return new NumaError(rule, {
    code: 'NUMA_INVALID_ARGUMENT',
    asked: `mapping ${lengthBytes} bytes`,
    args: { offsetBytes, lengthBytes, restBytes },
    backend: backend.identity.kind,
    hint: 'map less of it, or make it longer first',
  });
}
