/**
 * What is known to differ between kernel versions, as far as programs can show it, so that a run
 * tells new differences from old ones.
 */

import { ERRNO } from '../../lib/core/errno.ts';
import { type KernelFacts, kernelFacts } from '../../lib/core/kernel-facts.ts';
import { MPOL, MPOL_F, MPOL_MF, MPOL_MODE_FLAG } from '../../lib/core/uapi.ts';
import { type Difference, differencesOf } from './compare.ts';
import { OBJECT_DIFFERENCES } from './object-differences.ts';
import type { Outcome, StepOutcome } from './outcome.ts';
import type { Program, Step } from './program.ts';

/** Of two outcomes; `a` is the older one. */
export interface Releases {
  readonly a: string;
  readonly b: string;
}

export interface KnownDifference {
  readonly name: string;
  /** What kernels answer differently there. */
  readonly fact: keyof KernelFacts;
  /** The processes are in different states afterwards: what follows says nothing. */
  readonly parts: boolean;
  /** Some thousands of programs may not show it. */
  readonly isRare?: true;
  /** Only programs with groups can show it. */
  readonly isOfGroups?: true;
  /** Only programs with objects can show it. */
  readonly isOfObjects?: true;
  explains(program: Program, difference: Difference): boolean;
}

const MODE_MASK = 0xfff;

function modeOf(step: Step | undefined): number | undefined {
  return step !== undefined && 'mode' in step ? step.mode : undefined;
}

function isBalancing(mode: number | null | undefined): boolean {
  return ((mode ?? 0) & MPOL_MODE_FLAG.NUMA_BALANCING) !== 0;
}

function stepsBefore(program: Program, { index }: Difference): readonly Step[] {
  return program.steps.slice(0, index + 1);
}

function statusPairs({ a, b }: Difference): [number, number][] {
  const left = (a as StepOutcome).status ?? [];
  const right = (b as StepOutcome).status ?? [];
  return left.map((status, index): [number, number] => [status, right[index] as number]);
}

/** Whether a process may have come to other nodes before that. */
function hasChangedNodes(program: Program, difference: Difference): boolean {
  return stepsBefore(program, difference).some(
    ({ call }) => call === 'joinGroup' || call === 'setMems',
  );
}

function setsFlags(program: Program, difference: Difference, flags: number): boolean {
  return stepsBefore(program, difference).some((step) => {
    const mode = modeOf(step);
    return mode !== undefined && mode >= 0 && (mode & flags) !== 0;
  });
}

function hasOnlyField(difference: Difference, ...fields: string[]): boolean {
  return difference.fields.every((name) => fields.includes(name));
}

/** Calls that change part of a mapping, or map beside one. */
const CUTTING: ReadonlySet<string> = new Set([
  'mbind',
  'mlock',
  'mmap',
  'mprotect',
  'munlock',
  'madvise',
]);

/** Areas of a process without what they count: where they begin and end, rights, policies. */
function areasIn(texts: StepOutcome['watched']): string {
  return JSON.stringify(texts ?? {}).replaceAll(/~(?:anon|dirty|mapped|mapmax|N\d+)=\d+/g, '');
}

/** Whether mappings are cut otherwise, and nothing else is. */
function differsInAreas(difference: Difference): boolean {
  const [a, b] = [difference.a, difference.b] as [StepOutcome, StepOutcome];
  return hasOnlyField(difference, 'watched') && areasIn(a.watched) !== areasIn(b.watched);
}

function maps(program: Program, difference: Difference): boolean {
  return stepsBefore(program, difference).filter(({ call }) => call === 'mmap').length > 1;
}

const { STATIC_NODES, RELATIVE_NODES, NUMA_BALANCING } = MPOL_MODE_FLAG;

export const KNOWN: readonly KnownDifference[] = [
  {
    name: 'weighted-interleave',
    fact: 'hasWeightedInterleave',
    parts: true,
    explains: (_, { step }) => ((modeOf(step) ?? 0) & MODE_MASK) === MPOL.WEIGHTED_INTERLEAVE,
  },
  {
    name: 'balancing-with-preferred-many',
    fact: 'preferredManyTakesBalancing',
    parts: true,
    explains: (_, { step }) => {
      const mode = modeOf(step) ?? 0;
      return isBalancing(mode) && (mode & MODE_MASK) === MPOL.PREFERRED_MANY;
    },
  },
  {
    name: 'untouched-anonymous-status',
    fact: 'untouchedAnonymousErrno',
    parts: false,
    explains: (_, difference) =>
      hasOnlyField(difference, 'status') &&
      statusPairs(difference).every(([a, b]) => a === b || (a === -14 && b === -2)),
  },
  {
    name: 'mapped-between-pages',
    fact: 'mmapLooksAheadFirst',
    parts: true,
    explains: (program, difference) => differsInAreas(difference) && maps(program, difference),
  },
  {
    name: 'read-only-untouched',
    fact: 'readOnlyEndsPromise',
    parts: true,
    isRare: true,
    explains: (program, difference) =>
      differsInAreas(difference) &&
      stepsBefore(program, difference).some(
        (step) => step.call === 'mprotect' && step.access !== 'write',
      ),
  },
  {
    name: 'prot-none-pages',
    fact: 'protNonePagesAreVisible',
    parts: true,
    explains: (program, difference) =>
      difference.step?.call !== 'getMempolicy' &&
      stepsBefore(program, difference).some(
        (step) => step.call === 'mprotect' && step.access === 'none',
      ),
  },
  {
    name: 'interleave-index',
    fact: 'interleaveIndexBits',
    parts: true,
    explains: (program, difference) =>
      program.region === 'high' &&
      stepsBefore(program, difference).some((step) => {
        const mode = (modeOf(step) ?? 0) & MODE_MASK;
        return mode === MPOL.INTERLEAVE || mode === MPOL.WEIGHTED_INTERLEAVE;
      }),
  },
  {
    name: 'object-policy-kept',
    fact: 'movesByGivenPolicy',
    parts: true,
    isRare: true,
    explains: (program, difference) => {
      const { step } = difference;
      if (step?.call !== 'mbind' || (step.flags & (MPOL_MF.MOVE | MPOL_MF.MOVE_ALL)) === 0) {
        return false;
      }
      const isByTwo = stepsBefore(program, difference).some(({ call }) => call === 'fork');
      return (
        isByTwo && hasOnlyField(difference, 'pages', 'watched') && program.shared.includes(true)
      );
    },
  },
  {
    name: 'joined-equal-nodes',
    fact: 'rebindsToEqualNodes',
    parts: true,
    isOfGroups: true,
    explains: (program, difference) =>
      stepsBefore(program, difference).some(({ call }) => call === 'joinGroup') &&
      setsFlags(program, difference, STATIC_NODES | RELATIVE_NODES | NUMA_BALANCING),
  },
  {
    name: 'joined-all-cpus',
    fact: 'joiningForgetsAffinity',
    parts: true,
    isOfGroups: true,
    explains: (program, difference) =>
      hasOnlyField(difference, 'watched') &&
      stepsBefore(program, difference).some(({ call }) => call === 'joinGroup'),
  },
  {
    name: 'dirty-behind-fault',
    fact: 'ringsDirtyBehindFaults',
    parts: true,
    isRare: true,
    isOfGroups: true,
    explains: (program, difference) =>
      hasOnlyField(difference, 'watched') &&
      !differsInAreas(difference) &&
      program.shared.includes(true) &&
      stepsBefore(program, difference).some(({ call }) => call === 'register'),
  },
  {
    name: 'untouched-neighbour',
    fact: 'joinsUntouchedNeighbours',
    parts: true,
    explains: (_, difference) =>
      differsInAreas(difference) && CUTTING.has(difference.step?.call ?? ''),
  },
  {
    name: 'emptied-group',
    fact: 'cpusetInUseMayBeEmptied',
    parts: true,
    isOfGroups: true,
    explains: (_, { step, a, b }) => {
      const [older, newer] = [a, b] as [StepOutcome, StepOutcome];
      if (step?.call !== 'setMems' || step.nodes !== '') return false;
      return older.errno === ERRNO.ENOSPC && newer.errno === 0;
    },
  },
  {
    name: 'balancing-read-back',
    fact: 'balancingKeepsUserMask',
    parts: false,
    explains: (program, difference) => {
      if (!hasOnlyField(difference, 'nodes')) return false;
      const { step, a } = difference;
      // With NODE and ADDR the mode word is a node, and only the mask is the policy's.
      const isNodeQuery = step?.call === 'getMempolicy' && (step.flags & MPOL_F.NODE) !== 0;
      if (!isNodeQuery) return isBalancing((a as StepOutcome).mode);
      return stepsBefore(program, difference).some((before) => isBalancing(modeOf(before)));
    },
  },
  {
    name: 'balancing-rebinding',
    fact: 'balancingKeepsUserMask',
    parts: true,
    isRare: true,
    isOfGroups: true,
    explains: (program, difference) =>
      hasChangedNodes(program, difference) && setsFlags(program, difference, NUMA_BALANCING),
  },
  ...OBJECT_DIFFERENCES,
];

/** Those that part two releases, the older one first: all, or those that such programs show. */
export function knownBetween(
  releases: Releases,
  shown: Pick<Program, 'groups' | 'objects'> | undefined = undefined,
): readonly KnownDifference[] {
  const [a, b] = [kernelFacts(releases.a), kernelFacts(releases.b)];
  return KNOWN.filter(
    ({ fact, isOfGroups, isOfObjects }) =>
      a[fact] !== b[fact] &&
      (shown === undefined ||
        ((shown.groups !== undefined || !isOfGroups) &&
          (shown.objects !== undefined || !isOfObjects))),
  );
}

export interface Verdict {
  /** Names of the known differences met. */
  readonly known: readonly string[];
  /** Where the first of each is. */
  readonly places: Readonly<Record<string, number>>;
  /** The first difference that nothing known explains. */
  readonly first: Difference | undefined;
}

/** Tells what differs between two outcomes; `a` is that of the older release. */
export function classify(program: Program, a: Outcome, b: Outcome, releases: Releases): Verdict {
  const known = knownBetween(releases);
  const places: Record<string, number> = {};
  let first: Difference | undefined;
  for (const difference of differencesOf(program, a, b)) {
    const cause = known.find((candidate) => candidate.explains(program, difference));
    if (cause === undefined) {
      first = difference;
      break;
    }
    places[cause.name] ??= difference.index;
    if (cause.parts) break;
  }
  return { known: Object.keys(places), places, first };
}
