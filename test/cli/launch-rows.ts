/**
 * Command lines of numactl beside those of `node-numa run`: what both are to do, and where the two
 * part, why. For a machine whose nodes 0 to 3 have memory, with CPU 0 on node 0 and CPU 1 on 1.
 */

import { MODES_SINCE } from '../../lib/core/kernels.ts';

export interface LaunchRow {
  readonly numactl: string;
  readonly ours: string;
  /** Exit status of numactl and of ours; [0, 0] unless told. */
  readonly ends?: readonly [numactl: number, ours: number];
  /** The CPUs that the caller has; both unless told. */
  readonly from?: readonly number[];
  /** Another program than the one that tells what it was started with; '' for none. */
  readonly command?: string;
  /** Oldest kernel on which ours succeeds; older ones refuse with 1. */
  readonly since?: string;
  /** Why the two part. */
  readonly note?: string;
}

/** numactl's status of a wrong command line is that of any failure. */
const REFUSED = [1, 2] as const;
const FAILED = [1, 1] as const;

const policies: readonly LaunchRow[] = [
  { numactl: '', ours: '' },
  { numactl: '--membind 1', ours: '--memory-nodes 1' },
  { numactl: '-m 3', ours: '-m 3' },
  { numactl: '--membind=0-1,3', ours: '--memory-nodes=0-1,3' },
  { numactl: '--membind all', ours: '--memory-nodes all' },
  { numactl: '--membind !0', ours: '--memory-nodes !0' },
  { numactl: '--membind !0-1', ours: '--memory-nodes !0-1' },
  { numactl: '--membind +3', ours: '--memory-nodes +3' },
  { numactl: '--membind +0-1', ours: '--memory-nodes +0-1' },
  { numactl: '--interleave all', ours: '--policy interleave --memory-nodes all' },
  { numactl: '--interleave 0,2', ours: '--policy interleave --memory-nodes 0,2' },
  { numactl: '-i 1-3', ours: '-p interleave -m 1-3' },
  { numactl: '--preferred 2', ours: '--policy preferred --memory-nodes 2' },
  { numactl: '--preferred +1', ours: '--policy preferred --memory-nodes +1' },
  { numactl: '--preferred-many 1-2', ours: '--policy preferred-many --memory-nodes 1-2' },
  { numactl: '-P 3', ours: '-p preferred-many -m 3' },
  { numactl: '--localalloc', ours: '--policy local' },
  { numactl: '--balancing --membind 0', ours: '--balancing --memory-nodes 0' },
  { numactl: '-b -m 0,2', ours: '-b -m 0,2' },
];

const cpus: readonly LaunchRow[] = [
  { numactl: '--physcpubind 1', ours: '--cpus 1' },
  { numactl: '--physcpubind 0-1', ours: '--cpus 0-1' },
  { numactl: '--physcpubind all', ours: '--cpus all' },
  { numactl: '--physcpubind !0', ours: '--cpus !0' },
  { numactl: '-C +1', ours: '-C +1' },
  { numactl: '--cpunodebind 1', ours: '--cpu-nodes 1' },
  { numactl: '-N 0-1', ours: '-N 0-1' },
  { numactl: '--cpunodebind 0,2', ours: '--cpu-nodes 0,2' },
  { numactl: '--cpunodebind all', ours: '--cpu-nodes all' },
  { numactl: '--cpunodebind !1', ours: '--cpu-nodes !1' },
  { numactl: '--physcpubind all', ours: '--cpus all', from: [0] },
  { numactl: '--physcpubind +0', ours: '--cpus +0', from: [1] },
  { numactl: '--all --physcpubind 1', ours: '--all --cpus 1', from: [0] },
  { numactl: '--all --physcpubind all', ours: '--cpus all --all', from: [0] },
  { numactl: '--cpunodebind 1', ours: '--cpu-nodes 1', from: [0] },
  { numactl: '--all --cpunodebind 1', ours: '--all --cpu-nodes 1', from: [0] },
  { numactl: '--physcpubind 1', ours: '--cpus 1', from: [0], ends: REFUSED },
  { numactl: '--cpunodebind 0', ours: '--cpu-nodes 0', from: [1] },
];

const both: readonly LaunchRow[] = [
  { numactl: '-N 0 -m 1', ours: '-N 0 -m 1' },
  { numactl: '-C 1 -i 2,3', ours: '-C 1 -p interleave -m 2,3' },
  { numactl: '-N 1 -l', ours: '-N 1 -p local' },
  { numactl: '--cpunodebind 1 --membind same', ours: '--cpu-nodes 1 --memory-nodes same' },
  { numactl: '--membind 1 --cpunodebind same', ours: '--memory-nodes 1 --cpu-nodes same' },
  { numactl: '-C 0 -P 0-1', ours: '-C 0 -p preferred-many -m 0-1' },
];

const commands: readonly LaunchRow[] = [
  { numactl: '-m 0 --', ours: '-m 0 --', command: "sh -c 'exit 7'", ends: [7, 7] },
  { numactl: '-m 0', ours: '-m 0', command: "sh -c 'exit 7' --membind 9", ends: [7, 7] },
  { numactl: '-m 0', ours: '-m 0', command: "sh -c 'kill -KILL $$'", ends: [137, 137] },
  { numactl: '-m 0', ours: '-m 0', command: 'no-such-program', ends: FAILED },
  { numactl: '-m 0', ours: '-m 0', command: '/etc/passwd', ends: FAILED },
  { numactl: '-m 0', ours: '-m 0', command: '/proc', ends: FAILED },
  { numactl: '-m 0', ours: '-m 0', command: '', ends: REFUSED },
  { numactl: '', ours: '', command: '', ends: REFUSED },
  { numactl: '-i all', ours: '-p interleave -m all', command: 'memhog 1m' },
  { numactl: '-m 0-1', ours: '-m 0-1', command: 'memhog 1m interleave all' },
  { numactl: '-N all -l', ours: '-N all -p local', command: 'memhog 1m membind 1' },
  { numactl: '-N 1 -p 0', ours: '-N 1 -p preferred -m 0', command: 'memhog 1m default' },
];

const mistakes: readonly LaunchRow[] = [
  { numactl: '--membind 4', ours: '--memory-nodes 4', ends: REFUSED },
  { numactl: '--membind 0,4', ours: '--memory-nodes 0,4', ends: REFUSED },
  { numactl: '--membind +4', ours: '--memory-nodes +4', ends: REFUSED },
  { numactl: '--membind !all', ours: '--memory-nodes !all', ends: REFUSED },
  { numactl: '--membind foo', ours: '--memory-nodes foo', ends: REFUSED },
  { numactl: '--membind 0,,1', ours: '--memory-nodes 0,,1', ends: REFUSED },
  { numactl: '--membind 0,', ours: '--memory-nodes 0,', ends: REFUSED },
  { numactl: '--membind=', ours: '--memory-nodes=', ends: REFUSED },
  { numactl: '--membind same', ours: '--memory-nodes same', ends: REFUSED },
  { numactl: '--preferred 0,1', ours: '-p preferred -m 0,1', ends: REFUSED },
  { numactl: '--preferred -1', ours: '-p preferred -m -1', ends: REFUSED },
  { numactl: '--membind 0 --interleave 1', ours: '-p bind -p interleave -m 0', ends: REFUSED },
  { numactl: '--membind 0 --membind 1', ours: '-m 0 -m 1', ends: REFUSED },
  { numactl: '--membind 0 --localalloc', ours: '-m 0 -p local', ends: REFUSED },
  { numactl: '--physcpubind 5', ours: '--cpus 5', ends: REFUSED },
  { numactl: '--physcpubind 0,5', ours: '--cpus 0,5', ends: REFUSED },
  { numactl: '--physcpubind +2', ours: '--cpus +2', ends: REFUSED },
  { numactl: '--physcpubind !0-1', ours: '--cpus !0-1', ends: REFUSED },
  { numactl: '--cpunodebind 2', ours: '--cpu-nodes 2', ends: REFUSED },
  { numactl: '--cpunodebind 7', ours: '--cpu-nodes 7', ends: REFUSED },
  { numactl: '--no-such-option', ours: '--no-such-option', ends: REFUSED },
];

const differences: readonly LaunchRow[] = [
  {
    numactl: '--physcpubind 1 --all',
    ours: '--cpus 1 --all',
    ends: [1, 0],
    note: 'numactl wants --all before every list; here the order means nothing',
  },
  {
    numactl: '--cpunodebind 0 --physcpubind 1',
    ours: '--cpu-nodes 0 --cpus 1',
    ends: [0, 2],
    note: 'numactl lets the last one win; here two answers to one question are a mistake',
  },
  {
    numactl: '--membind 1-0',
    ours: '--memory-nodes 1-0',
    ends: [0, 2],
    note: 'numactl reads a range that runs backwards as its first number',
  },
  {
    numactl: '--membind 0x1',
    ours: '--memory-nodes 0x1',
    ends: [0, 2],
    note: 'numactl takes hexadecimal and octal numbers; the kernel writes decimal ones',
  },
  {
    numactl: '--balancing --interleave 0',
    ours: '--balancing -p interleave -m 0',
    ends: [0, 2],
    note: 'numactl leaves --balancing out without a word: the kernel has it for BIND',
  },
  {
    numactl: '--balancing',
    ours: '--balancing',
    ends: [0, 2],
    note: 'the same, without a policy',
  },
  {
    numactl: '--weighted-interleave 0-1',
    ours: '-p weighted-interleave -m 0-1',
    ends: [1, 0],
    since: MODES_SINCE.MPOL_WEIGHTED_INTERLEAVE,
    note: 'numactl 2.0.16 is older than that policy',
  },
];

/** By what they are about. */
export const launchRows: Readonly<Record<string, readonly LaunchRow[]>> = {
  policies,
  CPUs: cpus,
  'CPUs with memory': both,
  commands,
  mistakes,
  differences,
};
