// A user's project in strict TypeScript, with `using` and every kind of public type.

import {
  AbortError,
  bind,
  MappedBuffer,
  type MemoryPolicy,
  type MigrationProgress,
  type MigrationReport,
  type NodeExpression,
  type Numa,
  NumaError,
  type NumaErrorCode,
  openNuma,
  type Residency,
} from 'node-numa';
import { MPOL, type Nodemask, openSyscalls, type SyscallResult } from 'node-numa/syscalls';

const numa: Numa = openNuma({ backend: 'native' });
const node: number = numa.allowedNodes().first ?? 0;
const target: NodeExpression = new Set([node]);
const policy: MemoryPolicy = bind(target, { flags: ['static-nodes'] });

function codeOf(error: unknown): NumaErrorCode | 'ABORT_ERR' | undefined {
  if (error instanceof AbortError) return error.code;
  return error instanceof NumaError ? error.code : undefined;
}

async function main(): Promise<string> {
  using buffer = numa.allocate(10 * numa.pageSizeBytes, { policy });
  const bytes: Uint8Array<ArrayBuffer> = buffer.bytes;
  bytes[0] = 7;
  buffer.touch({ access: 'write' });
  const { byNode }: Residency = await buffer.residency();
  const steps: MigrationProgress[] = [];
  const { complete, pages }: MigrationReport = await buffer.migrate({
    to: target,
    strict: true,
    signal: new AbortController().signal,
    onProgress: (progress) => steps.push(progress),
  });
  const isBuffer = buffer instanceof MappedBuffer && bytes[0] === 7 && steps.length === 1;
  const nodemask: Nodemask = null;
  const result: SyscallResult<undefined> = openSyscalls(numa).setMempolicy({
    mode: MPOL.DEFAULT,
    nodemask,
  });
  if (!result.ok) throw new Error(`${result.syscall}: ${result.errno}`);
  const { kind } = numa.backend;
  return JSON.stringify({ kind, isBuffer, byNode, complete, total: pages.total });
}

const answer = await main();
try {
  numa.attach({ id: 2 ** 40, generation: 1 });
} catch (error) {
  if (codeOf(error) !== 'NUMA_RELEASED') throw error;
}
process.stdout.write(answer);
