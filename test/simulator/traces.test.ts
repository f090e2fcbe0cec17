/** The simulator does what kernels did: programs that they ran, run again without a guest. */

import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type KernelLine, kernelLines, oldestKernelLine } from '../../lib/core/kernels.ts';
import type { MachineDescription } from '../../lib/core/machine-description.ts';
import { machineOf } from '../../lib/services/scenario/read-scenario.ts';
import { answerSets } from '../../scripts/differential/kept-answers.mjs';
import { readTrace } from '../../scripts/differential/trace.mjs';
import { type Answered, answersOf } from '../differential/answers.ts';
import type { Outcome } from '../differential/outcome.ts';
import type { Program } from '../differential/program.ts';
import { simulate } from '../differential/simulate.ts';
import { compareWithKernel } from '../differential/simulator-differences.ts';
import { scaledTimeoutMs } from '../support/environment.ts';

type Verdict = NonNullable<ReturnType<typeof compareWithKernel>>;

/** Cpusets of cgroup version 1, which only the oldest kernel has. */
const OLD_FILES = ['groups-v1.jsonl', 'groups-v1-migrate.jsonl'];

/** What the simulator does otherwise than the kernel, what is known included. */
async function differencesIn(
  programs: readonly Program[],
  outcomes: readonly Outcome[],
  on: MachineDescription,
  line: KernelLine,
): Promise<({ seed: number } & Verdict)[]> {
  const found: ({ seed: number } & Verdict)[] = [];
  for (const [index, program] of programs.entries()) {
    const simulated = await simulate(program, on, line);
    const verdict = compareWithKernel(program, outcomes[index] as Outcome, simulated);
    if (verdict !== undefined) found.push({ seed: program.seed, ...verdict });
  }
  return found;
}

describe('recorded programs', () => {
  for (const line of kernelLines) {
    for (const file of ['corpus.jsonl', ...(line === oldestKernelLine ? OLD_FILES : [])]) {
      test(`${line}: ${file}`, async () => {
        const path = fileURLToPath(new URL(`../traces/${line}/${file}`, import.meta.url));
        const { programs, outcomes } = readTrace(path);
        expect(programs.length).toBeGreaterThan(5);
        const on = machineOf('four-nodes-two-cpus');
        expect(await differencesIn(programs, outcomes, on, line)).toEqual([]);
      });
    }
  }
});

for (const set of answerSets) {
  describe(`answers to random programs, ${set.kind}`, () => {
    let answers: Promise<Answered> | undefined;
    test.each(set.lines)('as %s', { timeout: scaledTimeoutMs(120_000) }, async (line) => {
      answers ??= answersOf(set);
      const { programs, outcomes } = await answers;
      const kernel = await outcomes(line);
      expect(kernel).toHaveLength(set.programCount);
      const on = machineOf(set.machine);
      const found = await differencesIn(programs, kernel, on, line as KernelLine);
      expect(found.filter((verdict) => 'first' in verdict)).toEqual([]);
    });
  });
}
