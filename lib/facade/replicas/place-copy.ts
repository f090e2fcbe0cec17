/**
 * Memory for one version of the bytes, made on one node and looked at there, step by step: a node
 * that is full is told of before much of the memory has been taken from others.
 *
 * Source: mbind(2), MPOL_PREFERRED: unlike a bound range, one that prefers a full node has its
 * pages from others, where the kernel would end a process.
 */

import { setImmediate } from 'node:timers/promises';
import { NumaError } from '../../core/errors.ts';
import { preferred } from '../../core/memory-policy.ts';
import type { MigrationReport } from '../../core/migration-report.ts';
import type { NodeId } from '../../core/node-mask.ts';
import { allocateShared, type SharedBuffer } from '../buffer/shared-buffer.ts';
import type { Context } from '../context.ts';

/** Between two looks at the signal: some milliseconds. */
export const STEP_BYTES: number = 2 ** 23;
/** Whoever looks at a page has it for a moment. */
const RETRY_BUSY_MS = 1000;

export interface CopyRequest {
  readonly node: NodeId;
  readonly lengthBytes: number;
  readonly signal: AbortSignal | undefined;
  /** Whether memory can come from this node alone: no policy is needed then, or asked for. */
  readonly isOnlyNode: boolean;
  /** Called after each step. */
  readonly onBytes: (bytes: number) => Promise<void>;
}

/** @throws the signal's reason; NumaError NUMA_OUT_OF_MEMORY, NUMA_POLICY_NOT_MET with `report` */
export async function placeCopy(context: Context, request: CopyRequest): Promise<SharedBuffer> {
  const { node, lengthBytes, signal, isOnlyNode, onBytes } = request;
  const buffer = allocateShared(context, lengthBytes, isOnlyNode ? undefined : preferred(node));
  try {
    for (let offsetBytes = 0; offsetBytes < lengthBytes; offsetBytes += STEP_BYTES) {
      if (offsetBytes > 0) await setImmediate();
      signal?.throwIfAborted();
      const part = { offsetBytes, lengthBytes: Math.min(STEP_BYTES, lengthBytes - offsetBytes) };
      buffer.touch(part);
      if (!isOnlyNode) await bringHome(context, buffer, { ...request, part });
      await onBytes(part.lengthBytes);
    }
    return buffer;
  } catch (error) {
    buffer.release();
    throw error;
  }
}

interface StepRequest extends CopyRequest {
  readonly part: { readonly offsetBytes: number; readonly lengthBytes: number };
}

async function bringHome(
  context: Context,
  buffer: SharedBuffer,
  { node, lengthBytes, signal, part }: StepRequest,
): Promise<void> {
  const { byNode, pages } = await buffer.residency(part);
  if (byNode[node] === pages.total) return;
  // Told page by page where the look could not, and with more effort to make room.
  const ending = signal === undefined ? {} : { signal };
  const request = { ...part, ...ending, to: node, retryBusyMs: RETRY_BUSY_MS };
  const report = await buffer.migrate(request).catch((error) => {
    signal?.throwIfAborted();
    throw error;
  });
  if (!report.complete) throw elsewhere(context, lengthBytes, report);
}

function elsewhere({ backend }: Context, lengthBytes: number, report: MigrationReport): NumaError {
  const { target, pages } = report;
  const isFull = pages.noMemory > 0;
  const rule = isFull
    ? `node ${target} has no room for ${pages.noMemory} of the pages`
    : `${pages.total - pages.moved - pages.alreadyThere} pages could not be had on node ${target}`;
  return new NumaError(rule, {
    code: isFull ? 'NUMA_OUT_OF_MEMORY' : 'NUMA_POLICY_NOT_MET',
    asked: `replicate, two versions of ${lengthBytes} bytes on node ${target}`,
    args: { node: target, lengthBytes },
    backend: backend.identity.kind,
    hint: 'free memory there, or name other nodes; no copy is left, see error.report for why',
    report,
  });
}
