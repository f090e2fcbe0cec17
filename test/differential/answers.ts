/** Kernels' answers as the repository keeps them, read as outcomes. */

import {
  type AnswerSet,
  currentHashes,
  hashOf,
  readAnswers,
  remedy,
} from '../../scripts/differential/kept-answers.mjs';
import { batchText } from '../../scripts/differential/script.mjs';
import { readOutcome, scriptOf } from './batch.ts';
import { generateProgram } from './generate.ts';
import type { Outcome } from './outcome.ts';
import type { Program } from './program.ts';

export interface Answered {
  readonly programs: readonly Program[];
  /** Kernel line → the release that answered. */
  readonly releases: Readonly<Record<string, string>>;
  outcomes(line: string): Promise<readonly Outcome[]>;
}

/** Throws, and says what to run, where there are none or where they answer other programs. */
export async function answersOf(set: AnswerSet): Promise<Answered> {
  const kept = readAnswers(set);
  const lacking = set.lines.filter((line) => !kept?.replies.has(line));
  if (kept === undefined || lacking.length > 0) {
    throw new Error(`no answers of ${lacking.join(', ')} to ${set.kind} programs: ${remedy}`);
  }
  const programs = Array.from({ length: set.programCount }, (_, index) =>
    generateProgram(index + 1, new Set(), set.kind),
  );
  const scripts: string[][] = [];
  for (const program of programs) scripts.push(await scriptOf(program));
  if (currentHashes(set, hashOf(batchText(scripts))).programs !== kept.hashes.programs) {
    throw new Error(`kernels answered other ${set.kind} programs than there are now: ${remedy}`);
  }
  // Most kernels give the same reply.
  const read = programs.map(() => new Map<string, Outcome>());
  const outcomeOf = async (index: number, reply: string): Promise<Outcome> => {
    const mine = read[index] as Map<string, Outcome>;
    const outcome = mine.get(reply) ?? (await readOutcome(programs[index] as Program, reply));
    mine.set(reply, outcome);
    return outcome;
  };
  return {
    programs,
    releases: kept.releases,
    outcomes: (line) =>
      Promise.all((kept.replies.get(line) ?? []).map((reply, index) => outcomeOf(index, reply))),
  };
}
