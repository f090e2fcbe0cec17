/**
 * What is known to differ between kernel versions, as far as programs can show it, so that a run
 * tells new differences from old ones.
 */

import { MPOL, MPOL_F, MPOL_MODE_FLAG } from '../../lib/core/uapi.ts';
import { compareReleases } from '../contract/kernel-facts.ts';
import { type Difference, differencesOf } from './compare.ts';
import type { Outcome, StepOutcome } from './outcome.ts';
import type { Program, Step } from './program.ts';

/** Of two outcomes; `a` is the older one. */
export interface Releases {
  readonly a: string;
  readonly b: string;
}

interface KnownDifference {
  readonly name: string;
  /** The entry of docs/contract that tells it. */
  readonly contract: string;
  /** The first release that answers the newer way. */
  readonly since: string;
  /** The processes are in different states afterwards: what follows says nothing. */
  readonly parts: boolean;
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

function hasOnlyField(difference: Difference, field: string): boolean {
  return difference.fields.every((name) => name === field);
}

export const KNOWN: readonly KnownDifference[] = [
  {
    name: 'weighted-interleave',
    contract: 'C-1.0-14',
    since: '6.9',
    parts: true,
    explains: (_, { step }) => ((modeOf(step) ?? 0) & MODE_MASK) === MPOL.WEIGHTED_INTERLEAVE,
  },
  {
    name: 'balancing-with-preferred-many',
    contract: 'C-1.0-15',
    since: '6.12',
    parts: true,
    explains: (_, { step }) => {
      const mode = modeOf(step) ?? 0;
      return isBalancing(mode) && (mode & MODE_MASK) === MPOL.PREFERRED_MANY;
    },
  },
  {
    name: 'untouched-anonymous-status',
    contract: 'C-1.6-32',
    since: '6.12',
    parts: false,
    explains: (_, difference) =>
      hasOnlyField(difference, 'status') &&
      statusPairs(difference).every(([a, b]) => a === b || (a === -14 && b === -2)),
  },
  {
    name: 'prot-none-pages',
    contract: 'C-1.6-43',
    since: '6.12',
    parts: true,
    explains: (program, difference) =>
      difference.step?.call !== 'getMempolicy' &&
      stepsBefore(program, difference).some(
        (step) => step.call === 'mprotect' && step.access === 'none',
      ),
  },
  {
    name: 'interleave-index',
    contract: 'C-2.3-02',
    since: '6.12',
    parts: true,
    explains: (program, difference) =>
      program.region === 'high' &&
      stepsBefore(program, difference).some((step) => {
        const mode = (modeOf(step) ?? 0) & MODE_MASK;
        return mode === MPOL.INTERLEAVE || mode === MPOL.WEIGHTED_INTERLEAVE;
      }),
  },
  {
    name: 'balancing-read-back',
    contract: 'C-1.0-24',
    since: '7.0',
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
];

/** Those that part two releases, the older one first. */
export function knownBetween(releases: Releases): readonly KnownDifference[] {
  return KNOWN.filter(
    ({ since }) =>
      compareReleases(releases.a, since) < 0 && compareReleases(releases.b, since) >= 0,
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
