/** What kernels did, as recorded: releases differ only in what is known to differ. */

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { kernelLines } from '../../lib/core/kernels.ts';
import { answerSets } from '../../scripts/differential/kept-answers.mjs';
import { readTrace } from '../../scripts/differential/trace.mjs';
import { scaledTimeoutMs } from '../support/environment.ts';
import { type Answered, answersOf } from './answers.ts';
import { classify, KNOWN, knownBetween, type Verdict } from './known-differences.ts';
import type { Outcome } from './outcome.ts';
import type { Program } from './program.ts';

const PAIRS = kernelLines
  .slice(1)
  .map((newer, index) => [kernelLines[index] as string, newer] as const);
const timeout = scaledTimeoutMs(60_000);
const CORPUS = new URL('./corpus/', import.meta.url);

type Trace = ReturnType<typeof readTrace>;

function traceOf(line: string, file: string): Trace {
  return readTrace(fileURLToPath(new URL(`../traces/${line}/${file}`, import.meta.url)));
}

function verdictsOf(a: Trace, b: Trace): Verdict[] {
  expect(a.programs).toEqual(b.programs);
  const releases = { a: a.release, b: b.release };
  return a.programs.map((program, index) => {
    const [left, right] = [a, b].map(({ outcomes }) => outcomes[index]) as [Outcome, Outcome];
    return classify(program, left, right, releases);
  });
}

/** In the order in which the corpus is recorded. */
const CORPUS_NAMES = readdirSync(CORPUS)
  .filter((name) => name.endsWith('.json'))
  .sort()
  .map((name) => name.replace('.json', ''));

for (const set of answerSets) {
  describe(`answers to random programs, ${set.kind}`, () => {
    let answers: Promise<Answered> | undefined;
    test.each(PAIRS)('%s and %s differ in nothing new', { timeout }, async (older, newer) => {
      answers ??= answersOf(set);
      const { programs, releases, outcomes } = await answers;
      const a = await outcomes(older);
      const b = await outcomes(newer);
      const between = { a: releases[older] as string, b: releases[newer] as string };
      for (const [index, program] of programs.entries()) {
        const [left, right] = [a[index], b[index]] as [Outcome, Outcome];
        const { first } = classify(program, left, right, between);
        expect(first, `seed ${program.seed}`).toBeUndefined();
      }
    });
  });
}

describe('the corpus', () => {
  test('has a program for each known difference', () => {
    expect(CORPUS_NAMES).toEqual(KNOWN.map(({ name }) => name).sort());
  });

  test('is what was recorded', () => {
    const read = (name: string): Program =>
      JSON.parse(readFileSync(new URL(`${name}.json`, CORPUS), 'utf8')) as Program;
    for (const line of kernelLines) {
      expect(traceOf(line, 'corpus.jsonl').programs, line).toEqual(CORPUS_NAMES.map(read));
    }
  });

  for (const [older, newer] of PAIRS) {
    test(`tells every difference of ${older} and ${newer}, each program its own`, () => {
      const a = traceOf(older, 'corpus.jsonl');
      const b = traceOf(newer, 'corpus.jsonl');
      const met = verdictsOf(a, b).map(({ known }) => known);
      const names = knownBetween({ a: a.release, b: b.release }).map(({ name }) => name);
      expect(met).toEqual(CORPUS_NAMES.map((name) => (names.includes(name) ? [name] : [])));
    });
  }
});

test('every known difference parts two kernels', () => {
  const parting = PAIRS.flatMap(([a, b]) => knownBetween({ a, b })).map(({ name }) => name);
  expect(parting.sort()).toEqual(KNOWN.map(({ name }) => name).sort());
});
