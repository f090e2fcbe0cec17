/**
 * The members of every step, each with its rule: what the reader checks, and what the published
 * schema (docs/schema/scenario.schema.json) is made of.
 */

import { numaCalls } from '../../core/calls.ts';
import { NODE_ID_MAX, WEIGHT_MAX } from '../../core/uapi.ts';
import { MIGRATION_STEPS } from '../../simulator/interface/migration-event.ts';
import {
  BY,
  FAULT,
  integer,
  NAME,
  NEW_NAME,
  NODE_LIST,
  oneOf,
  optionalMember,
  PAGE_MAX,
  PAGES,
  PART,
  POLICY,
  requiredMember,
  type StepTable,
} from './members.ts';
import { MEMORY_STEPS, PLACEMENT_STEPS, PROCESS_STEPS } from './process-steps.ts';
import type { StepWord } from './scenario.ts';

/** What a machine's administrator does. */
const MACHINE_STEPS: StepTable<
  'set' | 'hugePool' | 'interleaveWeight' | 'cpuset' | 'setMems' | 'attach'
> = {
  set: {
    says: 'the administrator sets',
    members: {
      balancing: optionalMember(oneOf('off', 'on', 'tiering'), 'kernel.numa_balancing'),
      hugePages: optionalMember(oneOf('always', 'madvise', 'never'), 'transparent huge pages'),
    },
    choice: { members: ['balancing', 'hugePages'], min: 1 },
  },
  hugePool: {
    says: "sets a node's pool of huge pages",
    members: {
      node: requiredMember(integer(0, NODE_ID_MAX), 'the node'),
      pageCount: requiredMember(integer(0, PAGE_MAX), 'huge pages'),
    },
  },
  interleaveWeight: {
    says: 'sets a weight of weighted interleaving',
    members: {
      node: requiredMember(integer(0, NODE_ID_MAX), 'the node'),
      weight: requiredMember(integer(1, WEIGHT_MAX), 'default 1'),
    },
  },
  cpuset: {
    says: 'a new cpuset without processes',
    members: {
      name: NEW_NAME,
      nodes: requiredMember(NODE_LIST, 'its memory nodes'),
      version: optionalMember(integer(1, 2), 'of cgroups; default 2'),
      migrates: optionalMember({ kind: 'flag' }, 'version 1: pages follow (memory_migrate)'),
    },
  },
  setMems: {
    says: 'other nodes for a cpuset',
    members: {
      cpuset: requiredMember(NAME, 'by name'),
      nodes: requiredMember(NODE_LIST, 'its memory nodes from now on'),
    },
  },
  attach: {
    says: 'the process joins a cpuset',
    members: { ...BY, cpuset: requiredMember(NAME, 'by name') },
  },
};

/** Injected faults. */
const FAULT_STEPS: StepTable<
  'nodeFull' | 'busy' | 'writeback' | 'deny' | 'endFault' | 'meanwhile'
> = {
  nodeFull: {
    says: 'migrations find no memory on a node',
    members: {
      ...FAULT,
      node: requiredMember(integer(0, NODE_ID_MAX), 'the node'),
      afterPages: optionalMember(integer(0, PAGE_MAX), 'pages that it still gives; default 0'),
    },
  },
  busy: {
    says: 'somebody has a reference to pages for a moment, as often as told',
    members: { ...BY, ...PAGES, ...FAULT, tries: requiredMember(integer(1, 1000), 'how often') },
  },
  writeback: {
    says: 'pages are found to be written back, as often as told',
    members: { ...BY, ...PAGES, ...FAULT, tries: requiredMember(integer(1, 1000), 'how often') },
  },
  deny: {
    says: 'a filter refuses a call of all processes',
    members: {
      ...FAULT,
      call: requiredMember(oneOf(...numaCalls), 'the call'),
      errno: optionalMember(oneOf('EPERM', 'ENOSYS', 'EACCES'), 'default EPERM'),
    },
  },
  endFault: { says: 'ends a fault', members: { fault: requiredMember(NAME, 'by name') } },
  meanwhile: {
    says: 'does steps behind a step of the migration that comes next',
    members: {
      behind: requiredMember(oneOf(...MIGRATION_STEPS), 'a step of docs/migration.md'),
      occurrence: optionalMember(integer(1, 1e6), 'behind which of these; default the first'),
      steps: requiredMember({ kind: 'steps' }, 'what is done then'),
    },
  },
};

export const STEP_TABLE: StepTable<StepWord> = {
  ...PROCESS_STEPS,
  ...MEMORY_STEPS,
  ...PLACEMENT_STEPS,
  ...MACHINE_STEPS,
  ...FAULT_STEPS,
  expect: {
    says: 'what must be so now',
    members: {
      ...BY,
      answer: optionalMember(
        { kind: 'answer', pattern: /^E[A-Z0-9]{1,15}$/ },
        'of the step before: what the call returned, or the name of its errno',
      ),
      statuses: optionalMember(
        {
          kind: 'counts',
          pattern: /^([0-9]{1,2}|E[A-Z0-9]{1,15}|unset)$/,
          rule: 'must have nodes and names of errnos',
        },
        'of movePages before: pages by node, and by name of errno',
      ),
      mapping: optionalMember(NAME, 'a mapping by name'),
      ...PART,
      byNode: optionalMember(
        { kind: 'counts', pattern: /^[0-9]{1,2}$/, rule: 'must have nodes by number' },
        'its pages by node; nodes that are not named have none',
      ),
      notPresent: optionalMember(integer(0, PAGE_MAX), 'its pages that have no memory'),
      zeroPage: optionalMember(integer(0, PAGE_MAX), 'its pages that were only read'),
      value: optionalMember(integer(0), 'the word at the beginning of its first page'),
      policy: optionalMember(
        POLICY,
        'the policy of its first page, or without mapping of the thread',
      ),
    },
    choice: {
      members: ['answer', 'statuses', 'byNode', 'notPresent', 'zeroPage', 'value', 'policy'],
      min: 1,
    },
    needs: {
      firstPage: 'mapping',
      pageCount: 'mapping',
      byNode: 'mapping',
      notPresent: 'mapping',
      zeroPage: 'mapping',
      value: 'mapping',
    },
  },
};

export const STEP_WORDS: readonly StepWord[] = Object.keys(STEP_TABLE) as StepWord[];

/** Steps that can be done between two steps of a migration. */
export const MEANWHILE_WORDS: readonly StepWord[] = [
  ...(['touch', 'store', 'madvise', 'unmap', 'setPolicy', 'pin', 'unpin', 'exit'] as const),
  ...(['setMems', 'attach', 'endFault'] as const),
];
