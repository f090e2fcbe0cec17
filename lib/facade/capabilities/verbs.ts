/**
 * The ladder of each verb: the ways in which it is done, best first, and what each needs. The table
 * of docs/capabilities.md is this one; a test compares them.
 */

import type { NumaCall } from '../../core/calls.ts';
import type { Capability, Rung, VerbCapability } from './capability.ts';

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
  /** Said where no way is open, and this one is. */
  readonly instead?: Advice;
}

export interface Advice {
  readonly text: string;
  readonly needs: readonly Need[];
}

/** Done from outside, without the call. */
const CONFINE = 'confine memory by a cpuset: docker run --cpuset-mems, AllowedMemoryNodes=';

function oneWay(
  verb: string,
  needs: readonly Need[],
  text?: string,
  textNeeds: readonly Need[] = [],
): VerbSpec {
  const rung = { by: needs.join(' + '), needs };
  const instead = text === undefined ? {} : { instead: { text, needs: textNeeds } };
  return { verb, rungs: [rung], ...instead };
}

/** What moves a range: the ways of buffer/migrate-range.ts. */
function movingRungs(flag: 'MPOL_MF_MOVE' | 'MPOL_MF_MOVE_ALL', lost: string = ''): RungSpec[] {
  return [
    { by: `move_pages ${flag}`, needs: [`move_pages ${flag}`] },
    {
      by: `mbind ${flag}`,
      needs: [`mbind ${flag}`, 'get_mempolicy MPOL_F_NODE | MPOL_F_ADDR', '/proc/self/maps'],
      lost:
        'a step blocks the calling thread, and pages that others fault in meanwhile go to the ' +
        'target; a home node of the policy; busy and full are told apart by the room in the ' +
        `node's zones${lost}`,
    },
  ];
}

/** Pages in a row with one target move together. */
const BY_RUNS = '; two calls for each run of pages with one target';

export const VERBS: readonly VerbSpec[] = [
  {
    verb: 'buffer.residency()',
    rungs: [
      { by: 'move_pages', needs: ['move_pages'] },
      {
        by: '/proc/self/numa_maps',
        needs: ['/proc/self/numa_maps', '/proc/self/maps'],
        lost:
          'pages of a mapping that reaches beyond the range and has pages on several nodes, or ' +
          'pages of zeros, count as failed',
      },
    ],
  },
  { verb: 'buffer.migrate()', rungs: movingRungs('MPOL_MF_MOVE') },
  {
    verb: 'buffer.migrate({ includeShared })',
    rungs: movingRungs('MPOL_MF_MOVE_ALL'),
    instead: {
      text: 'without includeShared pages of this process alone move, and the others are counted',
      needs: ['move_pages MPOL_MF_MOVE'],
    },
  },
  { verb: 'buffer.place()', rungs: movingRungs('MPOL_MF_MOVE', BY_RUNS) },
  oneWay('buffer.pageStatuses()', ['move_pages'], 'residency() counts pages by node', [
    '/proc/self/numa_maps',
  ]),
  {
    verb: 'buffer.distribute()',
    rungs: movingRungs('MPOL_MF_MOVE', BY_RUNS).map((rung) => ({
      ...rung,
      by: rung.by.startsWith('mbind') ? rung.by : `mbind + ${rung.by}`,
      needs: ['mbind', ...rung.needs],
    })),
    instead: { text: 'setPolicy(interleave()) spreads pages evenly', needs: ['mbind'] },
  },
  oneWay('buffer.setPolicy()', ['mbind'], 'set it for the thread before the first touch', [
    'set_mempolicy',
  ]),
  oneWay(
    "buffer.setPolicy({ move: 'own' })",
    ['mbind MPOL_MF_MOVE'],
    'migrate() moves without a policy',
    ['move_pages MPOL_MF_MOVE'],
  ),
  oneWay(
    "buffer.setPolicy({ move: 'all' })",
    ['mbind MPOL_MF_MOVE_ALL'],
    "move: 'own' leaves shared pages where they are",
    ['mbind MPOL_MF_MOVE'],
  ),
  oneWay(
    'buffer.setPolicy() with homeNode',
    ['mbind', 'set_mempolicy_home_node'],
    'leave homeNode out: the search then begins at the node of the CPU that touches',
    ['mbind'],
  ),
  oneWay(
    'buffer.policy()',
    ['get_mempolicy MPOL_F_ADDR'],
    'read the second column of /proc/self/numa_maps',
    ['/proc/self/numa_maps'],
  ),
  oneWay(
    'buffer.exemptFromBalancing()',
    ['mbind', 'get_mempolicy MPOL_F_ADDR', '/proc/self/maps'],
    'sysctl kernel.numa_balancing=0 stops it for the whole machine',
  ),
  oneWay('thread.setPolicy()', ['set_mempolicy'], CONFINE),
  oneWay('thread.bind()', ['set_mempolicy'], CONFINE),
  oneWay('thread.withPolicy()', ['set_mempolicy', 'get_mempolicy'], CONFINE),
  oneWay('thread.policy()', ['get_mempolicy']),
  {
    verb: 'numa.allowedNodes()',
    rungs: [
      { by: 'get_mempolicy', needs: ['get_mempolicy MPOL_F_MEMS_ALLOWED'] },
      { by: '/proc/self/status', needs: [], lost: 'may name nodes without memory' },
    ],
  },
  oneWay('process(pid).residency()', ['/proc/self/numa_maps', '/proc/self/maps']),
  oneWay(
    'process(pid).migrate()',
    ['migrate_pages'],
    'migrateMappings() moves mapping by mapping with move_pages',
    ['move_pages MPOL_MF_MOVE'],
  ),
  oneWay(
    'process(pid).migrateMappings()',
    ['move_pages MPOL_MF_MOVE', '/proc/self/numa_maps', '/proc/self/maps'],
    'migrate() moves the whole process with migrate_pages',
    ['migrate_pages'],
  ),
];

/** The verbs as they are now. */
export function climb(
  capabilities: ReadonlyMap<string, Capability>,
  verbs: readonly VerbSpec[] = VERBS,
): VerbCapability[] {
  const isOpen = ({ needs }: Pick<RungSpec, 'needs'>): boolean =>
    needs.every((need) => capabilities.get(need)?.works === true);
  return verbs.map(({ verb, rungs: specs, instead }) => {
    const rungs: Rung[] = specs.map((spec) => ({
      by: spec.by,
      works: isOpen(spec),
      ...(spec.lost === undefined ? {} : { lost: spec.lost }),
    }));
    const chosen = rungs.find(({ works }) => works);
    if (chosen === undefined) {
      const isOfUse = instead !== undefined && isOpen(instead);
      return { verb, rungs, ...(isOfUse ? { instead: instead.text } : {}) };
    }
    const lost = chosen.lost === undefined ? {} : { lost: chosen.lost };
    return { verb, by: chosen.by, ...lost, rungs };
  });
}
