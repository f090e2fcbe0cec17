/**
 * The members of every step, each with its rule: what the reader checks, and what the published
 * schema (docs/schema/scenario.schema.json) is made of.
 */

import { FAULT_STEPS, MACHINE_STEPS } from './machine-steps.ts';
import { MEMORY_STEPS, PLACEMENT_STEPS, PROCESS_STEPS } from './process-steps.ts';
import type { StepWord } from './scenario.ts';
import {
  BY,
  integer,
  NAME,
  optionalMember,
  PAGE_MAX,
  PART,
  POLICY,
  type StepTable,
} from './shared-members.ts';

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
