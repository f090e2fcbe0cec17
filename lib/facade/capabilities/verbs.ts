/**
 * The ladder of each verb: the ways in which it is done, best first, and what each needs. The table
 * of docs/capabilities.md is this one; a test compares them.
 */

import type { Capability, NumaCall, Rung, VerbCapability } from './capability.ts';

/** A capability by name: a call, a call with a flag, or a file. */
type Need = NumaCall | `${NumaCall} ${string}` | `/proc/${string}`;

/** One way, before it is known whether it is open. */
export interface RungSpec {
  readonly by: string;
  readonly needs: readonly Need[];
  readonly lost?: string;
}

export interface VerbSpec {
  readonly verb: string;
  readonly rungs: readonly RungSpec[];
  /** Said where no way is open. */
  readonly instead?: string;
}

const POLICY_LESS = 'let the launcher set it: node-numa run, numactl, or a cpuset';

function oneWay(verb: string, needs: readonly Need[], instead?: string): VerbSpec {
  const rung = { by: needs.join(' + '), needs };
  return { verb, rungs: [rung], ...(instead === undefined ? {} : { instead }) };
}

export const VERBS: readonly VerbSpec[] = [
  {
    verb: 'buffer.residency()',
    rungs: [
      { by: 'move_pages', needs: ['move_pages'] },
      {
        by: '/proc/self/numa_maps',
        needs: ['/proc/self/numa_maps', '/proc/self/maps'],
        lost:
          'pages of a mapping that reaches beyond the range and has pages on several nodes, or pages ' +
          'of zeros, count as failed',
      },
    ],
  },
  oneWay(
    'buffer.migrate()',
    ['move_pages MPOL_MF_MOVE'],
    "setPolicy(bind(node), { move: 'own', strict: true }) moves by mbind, and leaves that policy",
  ),
  oneWay(
    'buffer.migrate({ includeShared })',
    ['move_pages MPOL_MF_MOVE_ALL'],
    'without includeShared pages of this process alone move, and the report counts the others',
  ),
  oneWay('buffer.setPolicy()', ['mbind'], 'set it for the thread before the first touch'),
  oneWay(
    "buffer.setPolicy({ move: 'own' })",
    ['mbind MPOL_MF_MOVE'],
    'migrate() moves without a policy',
  ),
  oneWay(
    "buffer.setPolicy({ move: 'all' })",
    ['mbind MPOL_MF_MOVE_ALL'],
    "move: 'own' leaves shared pages where they are",
  ),
  oneWay(
    'buffer.setPolicy() with homeNode',
    ['mbind', 'set_mempolicy_home_node'],
    'leave homeNode out: the search then begins at the node of the CPU that touches',
  ),
  oneWay('buffer.policy()', ['get_mempolicy MPOL_F_ADDR'], 'the policy column of numa_maps'),
  oneWay(
    'buffer.exemptFromBalancing()',
    ['mbind', 'get_mempolicy MPOL_F_ADDR', '/proc/self/maps'],
    'sysctl kernel.numa_balancing=0 stops it for the whole machine',
  ),
  oneWay('thread.setPolicy()', ['set_mempolicy'], POLICY_LESS),
  oneWay('thread.withPolicy()', ['set_mempolicy', 'get_mempolicy'], POLICY_LESS),
  oneWay('thread.policy()', ['get_mempolicy']),
  {
    verb: 'numa.allowedNodes()',
    rungs: [
      { by: 'get_mempolicy', needs: ['get_mempolicy MPOL_F_MEMS_ALLOWED'] },
      { by: 'numa_get_mems_allowed', needs: [], lost: 'may name nodes without memory' },
    ],
  },
  oneWay('process(pid).residency()', ['/proc/self/numa_maps', '/proc/self/maps']),
  oneWay(
    'process(pid).migrate()',
    ['migrate_pages'],
    'migrateMappings() moves mapping by mapping with move_pages',
  ),
  oneWay(
    'process(pid).migrateMappings()',
    ['move_pages MPOL_MF_MOVE', '/proc/self/numa_maps', '/proc/self/maps'],
    'migrate() moves the whole process with migrate_pages',
  ),
];

/** The verbs as they are now. */
export function climb(
  capabilities: ReadonlyMap<string, Capability>,
  verbs: readonly VerbSpec[] = VERBS,
): VerbCapability[] {
  const isOpen = ({ needs }: RungSpec): boolean =>
    needs.every((need) => capabilities.get(need)?.works === true);
  return verbs.map(({ verb, rungs: specs, instead }) => {
    const rungs: Rung[] = specs.map((spec) => ({
      by: spec.by,
      works: isOpen(spec),
      ...(spec.lost === undefined ? {} : { lost: spec.lost }),
    }));
    const chosen = rungs.find(({ works }) => works);
    if (chosen === undefined) return { verb, rungs, ...(instead === undefined ? {} : { instead }) };
    const lost = chosen.lost === undefined ? {} : { lost: chosen.lost };
    return { verb, by: chosen.by, ...lost, rungs };
  });
}
