/**
 * The modes of memory policies, a row for each. What a mode does with pages is in the simulator's
 * rows; since when kernels have it in kernels.ts.
 *
 * Source: include/uapi/linux/mempolicy.h; mm/mempolicy.c, mpol_new(), sanitize_mpol_flags() and
 * policy_modes.
 */

import { MPOL } from './uapi.ts';

/** The kernel's modes, `MPOL_*`. */
export type PolicyMode =
  | 'default'
  | 'local'
  | 'bind'
  | 'preferred'
  | 'preferred-many'
  | 'interleave'
  | 'weighted-interleave';

/** @internal */
export interface PolicyModeRow {
  readonly kernelName: `MPOL_${keyof typeof MPOL}`;
  readonly uapi: number;
  /** How /proc/PID/numa_maps spells it. */
  readonly label: string;
  readonly nodeCount: 'none' | 'one' | 'some';
  /** No policy of its own: the next wider one counts. */
  readonly isNone: boolean;
  /** Ranges with it can have a home node. */
  readonly takesHomeNode: boolean;
  /** Goes with MPOL_F_NUMA_BALANCING. */
  readonly takesBalancing: boolean;
  /** No memory but of its nodes, whatever the kernel has to end for it. */
  readonly isStrict: boolean;
}

function row(
  name: keyof typeof MPOL,
  label: string,
  nodeCount: PolicyModeRow['nodeCount'],
  options: Partial<PolicyModeRow> = {},
): PolicyModeRow {
  const base = { kernelName: `MPOL_${name}`, uapi: MPOL[name], label, nodeCount } as const;
  const none = { isNone: false, takesHomeNode: false, takesBalancing: false, isStrict: false };
  return { ...base, ...none, ...options };
}

/** Those that look through their nodes from one of them outwards. */
const NEAREST_FIRST = { takesHomeNode: true, takesBalancing: true };

/** @internal In the order in which they are listed for users. */
export const POLICY_MODES: Readonly<Record<PolicyMode, PolicyModeRow>> = {
  bind: row('BIND', 'bind', 'some', { ...NEAREST_FIRST, isStrict: true }),
  interleave: row('INTERLEAVE', 'interleave', 'some'),
  'weighted-interleave': row('WEIGHTED_INTERLEAVE', 'weighted interleave', 'some'),
  preferred: row('PREFERRED', 'prefer', 'one'),
  'preferred-many': row('PREFERRED_MANY', 'prefer (many)', 'some', NEAREST_FIRST),
  local: row('LOCAL', 'local', 'none'),
  default: row('DEFAULT', 'default', 'none', { isNone: true }),
};

/** @internal */
export const POLICY_MODE_NAMES: readonly PolicyMode[] = Object.freeze(
  Object.keys(POLICY_MODES) as PolicyMode[],
);

/** @internal In words: those that the flag numa-balancing goes with. */
export const BALANCED_MODES: string = POLICY_MODE_NAMES.filter(
  (mode) => POLICY_MODES[mode].takesBalancing,
).join(' and ');
