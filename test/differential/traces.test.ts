/** What kernels did, as recorded: releases differ only in what is known to differ. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readTrace } from '../../scripts/differential/trace.mjs';
import { classify } from './known-differences.ts';
import type { Outcome } from './outcome.ts';

const LINES = ['6.1', '6.12', '6.18', '7.2'];

function traceOf(line: string): ReturnType<typeof readTrace> {
  return readTrace(fileURLToPath(new URL(`../traces/${line}/programs.jsonl`, import.meta.url)));
}

describe('recorded traces', () => {
  test('every kernel line has one', () => {
    const folder = new URL('../traces/', import.meta.url);
    const missing = LINES.filter((line) => !existsSync(new URL(`${line}/programs.jsonl`, folder)));
    expect(missing).toEqual([]);
  });

  for (const [index, newer] of LINES.slice(1).entries()) {
    const older = LINES[index] as string;
    test(`${older} and ${newer} differ in nothing new`, () => {
      const a = traceOf(older);
      const b = traceOf(newer);
      expect(a.programs).toEqual(b.programs);
      const releases = { a: a.release, b: b.release };
      for (const [number, program] of a.programs.entries()) {
        const outcomes = [a, b].map(({ outcomes }) => outcomes[number] as Outcome);
        const [left, right] = outcomes as [Outcome, Outcome];
        const { first } = classify(program, left, right, releases);
        expect(first, `seed ${program.seed}`).toBeUndefined();
      }
    });
  }
});
