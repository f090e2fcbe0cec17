/**
 * The pools of huge pages, looked at before memory of one is mapped: a page that its node cannot
 * give later ends the process by SIGBUS.
 *
 * Source: Documentation/admin-guide/mm/hugetlbpage.rst.
 */

import type { Backend } from '../../backend/backend.ts';
import { NumaError } from '../../core/errors.ts';
import type { MemoryPolicy } from '../../core/memory-policy.ts';
import type { NodeId } from '../../core/node-mask.ts';
import { POLICY_MODES } from '../../core/policy-modes.ts';
import { KIB_BYTES } from '../../core/units.ts';
import { NODES_FOLDER, parseCount } from '../../procfs/node-files.ts';
import type { Context } from '../context.ts';

export interface PoolRequest {
  readonly lengthBytes: number;
  readonly hugePageBytes: number;
}

/** The error of pools that have too few free pages, or that nobody has; what cannot be read is left
 *  to the kernel. */
export function missingPages(
  context: Context,
  { lengthBytes, hugePageBytes }: PoolRequest,
  policy: MemoryPolicy | undefined,
): NumaError | undefined {
  const { backend } = context;
  const isBound = policy !== undefined && POLICY_MODES[policy.mode].isStrict;
  const nodes = isBound ? context.resolve(policy.nodes, 'nodes') : context.allowedNodes();
  const needed = lengthBytes / hugePageBytes;
  const pools = nodes.toArray().map((node) => poolOf(backend, node, hugePageBytes));
  if (pools.some(({ free }) => free === null)) return undefined;
  const free = pools.reduce((sum, pool) => sum + (pool.free ?? 0), 0);
  if (free >= needed) return undefined;
  const [pool] = pools;
  const size = `${hugePageBytes / KIB_BYTES} kB`;
  const where = `node${nodes.size > 1 ? 's' : ''} ${nodes}`;
  return new NumaError(`${needed} pages of ${size} are needed, and ${free} are free on ${where}`, {
    code: 'NUMA_OUT_OF_MEMORY',
    asked: `huge pages for ${lengthBytes} bytes`,
    argument: 'options.hugePages',
    args: { lengthBytes, hugePageBytes, needed, free, nodes: `${nodes}` },
    backend: backend.identity.kind,
    hint: hintFor(pool, needed - free),
  });
}

interface Pool {
  readonly file: string;
  readonly free: number | null;
  readonly total: number | null;
}

function poolOf(backend: Backend, node: NodeId, hugePageBytes: number): Pool {
  const folder = `${NODES_FOLDER}/node${node}/hugepages/hugepages-${hugePageBytes / KIB_BYTES}kB`;
  const read = (name: string): number | null => {
    const text = backend.readTextSync(`${folder}/${name}`);
    return text.ok ? parseCount(text.value) : null;
  };
  const file = `${folder}/nr_hugepages`;
  return { file, free: read('free_hugepages'), total: read('nr_hugepages') };
}

function hintFor(pool: Pool | undefined, missing: number): string {
  if (pool === undefined || pool.total === null) return 'set more of them aside';
  return `as root, echo ${pool.total + missing} > ${pool.file}`;
}
