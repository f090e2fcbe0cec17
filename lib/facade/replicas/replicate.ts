/**
 * A copy of the same bytes on each of several nodes: read on the node where a thread runs, and
 * changed everywhere at once.
 */

import { outOfRange } from '../../core/argument-errors.ts';
import { checkCallback, checkOptions, checkSignal } from '../../core/check-arguments.ts';
import type { NodeExpression, NodeId, NodeMask } from '../../core/node-mask.ts';
import type { PopulateProgress } from '../buffer/populate.ts';
import type { SharedBuffer } from '../buffer/shared-buffer.ts';
import type { Context } from '../context.ts';
import { tellProgress } from '../progress.ts';
import { copiesOf, type OwnedCopy, OwnedReplicas } from './owned-replicas.ts';
import { placeCopy } from './place-copy.ts';
import { arrayNameOf, type ReplicaArray } from './replica-arrays.ts';
import { ReplicaWords } from './replica-words.ts';
import { bytesOfSource, checkStillThere, type ReplicaSource } from './source-bytes.ts';

export interface ReplicateOptions {
  /** Nodes that get a copy. Default: those with memory that the calling thread may use. */
  readonly nodes?: NodeExpression;
  /** Rejects with its reason before the next step; no copy is left. */
  readonly signal?: AbortSignal;
  /** Called after each step, with bytes that were made and written; a promise is waited for. Its
   *  error ends the work, as the `cause` of a TypeError. */
  readonly onProgress?: (progress: PopulateProgress) => unknown;
}

const OPTION_NAMES = ['nodes', 'signal', 'onProgress'] as const;
/** Each copy has room for two versions. */
const VERSIONS = 2;

/** @internal `numa.replicate()`. */
export async function replicate<Source extends ReplicaSource>(
  context: Context,
  source: Source,
  options: ReplicateOptions | undefined,
): Promise<OwnedReplicas<ReplicaArray<Source>>> {
  const checked = checkOptions(options, 'options', OPTION_NAMES);
  const signal = checkSignal(checked.signal, 'options.signal');
  const onProgress = checkCallback(checked.onProgress, 'options.onProgress');
  const bytes = bytesOfSource(source, 'source');
  const arrayName = arrayNameOf(source);
  const usable = context.allowedNodes().intersection(context.topology.withMemory);
  const nodes = checked.nodes === undefined ? usable : chosenNodes(context, checked.nodes);
  signal?.throwIfAborted();
  const lengthBytes = bytes.byteLength;
  const placedBytes = nodes.size * VERSIONS * lengthBytes;
  const bytesTotal = placedBytes + nodes.size * lengthBytes;
  let bytesDone = 0;
  const onBytes = (count: number): Promise<void> => {
    bytesDone += count;
    return tellProgress(onProgress, { bytesDone, bytesTotal });
  };
  const made: SharedBuffer[] = [];
  try {
    const owned: OwnedCopy[] = [];
    for (const node of nodes) {
      const request = { node, lengthBytes, signal, isOnlyNode: usable.size === 1, onBytes };
      for (let count = 0; count < VERSIONS; count += 1) {
        made.push(await placeCopy(context, request));
      }
      owned.push({ node, buffers: made.slice(-VERSIONS) as [SharedBuffer, SharedBuffer] });
    }
    const words = new ReplicaWords().memory;
    const handle = { arrayName, words, copies: copiesOf(owned), owned };
    checkStillThere(context, bytes, 'replicate');
    const replicas = new OwnedReplicas<ReplicaArray<Source>>(context, handle);
    await replicas.publish(bytes, {
      ...(signal === undefined ? {} : { signal }),
      onProgress: (written) =>
        onProgress?.({ bytesDone: placedBytes + written.bytesDone, bytesTotal }),
    });
    return replicas;
  } catch (error) {
    for (const buffer of made) buffer.release();
    throw error;
  }
}

/** @throws TypeError, RangeError ERR_OUT_OF_RANGE for nodes that have no memory for this thread */
function chosenNodes(context: Context, expression: NodeExpression): NodeMask {
  const argument = 'options.nodes';
  const nodes = context.resolveSome(expression, argument);
  context.checkAllowed(nodes, argument, `${nodes}`);
  const { withMemory } = context.topology;
  const without: NodeId | undefined = nodes.difference(withMemory).first;
  if (without === undefined) return nodes;
  const rule = `node ${without} has no memory; the nodes with memory are ${withMemory}`;
  throw outOfRange(argument, rule, `${nodes}`);
}
