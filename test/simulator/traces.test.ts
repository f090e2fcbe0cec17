/** The simulator does what kernels did: recorded programs, run again without a guest. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { KERNEL_PROFILES, type KernelLine } from '../../lib/simulator/nodes/kernel-profile.ts';
import type { MachineDescription } from '../../lib/simulator/nodes/machine-description.ts';
import { readTrace } from '../../scripts/differential/trace.mjs';
import type { Outcome } from '../differential/outcome.ts';
import { simulate } from '../differential/simulate.ts';
import { compareWithKernel } from '../differential/simulator-differences.ts';

const LINES = Object.keys(KERNEL_PROFILES) as KernelLine[];

function machine(name: string): MachineDescription {
  const file = new URL(`../../scripts/machines/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as MachineDescription;
}

const SINGLE_CPU = machine('four-nodes-single-cpu');
/** Programs with groups are recorded there. */
const TWO_CPUS = machine('four-nodes-two-cpus');

const FILES = ['programs.jsonl', 'groups.jsonl', 'corpus.jsonl'];
/** Cpusets of cgroup version 1, which only this kernel has. */
const OLD_FILES = ['groups-v1.jsonl', 'groups-v1-migrate.jsonl'];

describe('recorded programs', () => {
  for (const line of LINES) {
    for (const file of line === '6.1' ? [...FILES, ...OLD_FILES] : FILES) {
      test(`${line}: ${file}`, async () => {
        const path = fileURLToPath(new URL(`../traces/${line}/${file}`, import.meta.url));
        const { programs, outcomes } = readTrace(path);
        const found: unknown[] = [];
        for (const [index, program] of programs.entries()) {
          const on = file === 'programs.jsonl' ? SINGLE_CPU : TWO_CPUS;
          const simulated = await simulate(program, on, line);
          const verdict = compareWithKernel(program, outcomes[index] as Outcome, simulated);
          if (verdict !== undefined) found.push({ seed: program.seed, ...verdict });
        }
        expect(programs.length).toBeGreaterThan(5);
        expect(found).toEqual([]);
      });
    }
  }
});
