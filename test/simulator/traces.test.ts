/** The simulator does what kernels did: recorded programs, run again without a guest. */

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { KERNEL_PROFILES, type KernelLine } from '../../lib/simulator/nodes/kernel-profile.ts';
import type { MachineDescription } from '../../lib/simulator/nodes/machine-description.ts';
import { readTrace } from '../../scripts/differential/trace.mjs';
import { differencesOf } from '../differential/compare.ts';
import { runProgram } from '../differential/interpret.ts';
import type { Outcome } from '../differential/outcome.ts';
import type { Program } from '../differential/program.ts';
import { openSimulatedWorld } from './simulated-world.ts';

const LINES = Object.keys(KERNEL_PROFILES) as KernelLine[];
const MACHINE = JSON.parse(
  readFileSync(
    new URL('../../scripts/machines/four-nodes-single-cpu.json', import.meta.url),
    'utf8',
  ),
) as MachineDescription;

describe('recorded programs', () => {
  for (const line of LINES) {
    for (const file of ['programs.jsonl', 'corpus.jsonl']) {
      const path = fileURLToPath(new URL(`../traces/${line}/${file}`, import.meta.url));
      if (!existsSync(path)) continue;
      test(`${line}: ${file}`, async () => {
        const { programs, outcomes } = readTrace(path);
        let diverging = 0;
        for (const [index, program] of programs.entries()) {
          const world = openSimulatedWorld(MACHINE, { kernel: line });
          const outcome = await runProgram(world, program as Program);
          const found = differencesOf(program as Program, outcomes[index] as Outcome, outcome);
          if (found.length === 0) continue;
          diverging += 1;
          if (diverging < 8) console.log(program.seed, JSON.stringify(found[0]));
        }
        expect(diverging).toBe(0);
      });
    }
  }
});
