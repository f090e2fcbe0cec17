/**
 * The machine's weights for weighted interleaving: how many pages in a row each node takes. They
 * are the administrator's, and every range of every process with that policy follows them.
 *
 * Source: Documentation/ABI/testing/sysfs-kernel-mm-mempolicy-weighted-interleave, Linux 6.9;
 * mm/mempolicy.c.
 */

import { outOfRange } from '../../core/argument-errors.ts';
import { ERRNO } from '../../core/errno.ts';
import { type Explanation, NumaError, systemError } from '../../core/errors.ts';
import type { NodeId } from '../../core/node-mask.ts';
import { NodeMask } from '../../core/node-mask.ts';
import { checkNodeNumbers, type NodeNumbers } from '../../core/node-numbers.ts';
import { WEIGHT_MAX } from '../../core/uapi.ts';
import {
  nodeOfWeightFile,
  parseIsAutomatic,
  parseWeight,
  WEIGHTS_FOLDER,
} from '../../procfs/weight-files.ts';
import type { Context } from '../context.ts';
import { readFile } from './read-file.ts';

/** Plain data; `null` where the kernel does not tell. */
export interface MachineWeights {
  /** From 1 to 255, of each node with memory; `null` on kernels before 6.9. */
  readonly weights: NodeNumbers | null;
  /** Whether the kernel makes them of the bandwidths that the firmware tells; `null` on kernels
   *  that never do. */
  readonly isAutomatic: boolean | null;
}

const RANGE = { min: 1, max: WEIGHT_MAX } as const;

export async function readInterleaveWeights({ backend }: Context): Promise<MachineWeights> {
  const names = await backend.readNames(WEIGHTS_FOLDER);
  if (!names.ok) return { weights: null, isAutomatic: null };
  const automatic = automaticFileIn(names.value);
  const isAutomatic =
    automatic === undefined ? null : await readFile(backend, automatic, parseIsAutomatic);
  const nodes = names.value.flatMap((name) => nodeOfWeightFile(name) ?? []).sort((a, b) => a - b);
  const read = nodes.map(async (node) => [
    node,
    await readFile(backend, fileOf(node), parseWeight),
  ]);
  const weights = (await Promise.all(read)).filter(([, weight]) => weight !== null);
  return { weights: Object.fromEntries(weights) as NodeNumbers, isAutomatic };
}

/** Checked before anything is written; what a file refuses leaves those before it written. */
export async function setInterleaveWeights(
  context: Context,
  weights: NodeNumbers | 'automatic',
): Promise<MachineWeights> {
  const wanted = weights === 'automatic' ? weights : checkNodeNumbers(weights, 'weights', RANGE);
  const names = await context.backend.readNames(WEIGHTS_FOLDER);
  if (!names.ok) throw unsupported(context, 'the kernel has no weights: they came with Linux 6.9');
  if (wanted === 'automatic') await setAutomatic(context, names.value);
  else await setWeights(context, names.value, wanted);
  return readInterleaveWeights(context);
}

async function setWeights(
  context: Context,
  names: readonly string[],
  weights: ReadonlyMap<NodeId, number>,
): Promise<void> {
  const known = NodeMask.from(names.flatMap((name) => nodeOfWeightFile(name) ?? []));
  const unknown = NodeMask.from(weights.keys()).difference(known);
  if (!unknown.isEmpty) {
    throw outOfRange('weights', `the nodes with weights are ${known}`, `${unknown}`);
  }
  for (const [node, weight] of weights) await write(context, fileOf(node), `${weight}`);
}

async function setAutomatic(context: Context, names: readonly string[]): Promise<void> {
  const file = automaticFileIn(names);
  if (file !== undefined) return write(context, file, 'true');
  throw unsupported(context, 'this kernel does not choose weights: that came with Linux 6.16');
}

async function write({ backend }: Context, path: string, text: string): Promise<void> {
  const result = await backend.writeText(path, text);
  if (result.ok) return;
  const { errno, syscall } = result;
  const explanation = EXPLANATIONS[errno] ?? OTHER;
  const asked = `${text} to ${path}`;
  const { kind } = backend.identity;
  throw systemError({ syscall, errno, asked, args: { path, text }, backend: kind, explanation });
}

const DENIED: Explanation = {
  code: 'NUMA_NOT_PERMITTED',
  rule: 'the weights are the administrator’s to set',
  hint: 'run as root outside of a container, or place a range by weights of its own: distribute()',
};
const EXPLANATIONS: Readonly<Record<number, Explanation>> = {
  [ERRNO.EACCES]: DENIED,
  [ERRNO.EPERM]: DENIED,
  [ERRNO.EROFS]: DENIED,
  [ERRNO.ENODEV]: {
    code: 'NUMA_UNSUPPORTED',
    rule: 'the firmware does not tell the bandwidth of memory, of which weights are made',
    hint: 'set a weight for each node',
  },
};
const OTHER: Explanation = {
  code: 'NUMA_SYSTEM_ERROR',
  rule: 'the kernel refused to write its weights',
  hint: 'look at numa.interleaveWeights() for those that are set',
};

function unsupported({ backend }: Context, rule: string): NumaError {
  const hint = 'place a range by weights of its own: distribute()';
  const { kind } = backend.identity;
  return new NumaError(rule, {
    code: 'NUMA_UNSUPPORTED',
    argument: 'weights',
    backend: kind,
    hint,
  });
}

function fileOf(node: NodeId): string {
  return `${WEIGHTS_FOLDER}/node${node}`;
}

/** Its name is another one on some kernels. */
function automaticFileIn(names: readonly string[]): string | undefined {
  const name = names.find((one) => nodeOfWeightFile(one) === null);
  return name === undefined ? undefined : `${WEIGHTS_FOLDER}/${name}`;
}
