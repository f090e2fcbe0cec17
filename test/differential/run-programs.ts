/** Many programs on this kernel, a few at a time. */

import type { World } from '../contract/world.ts';
import { normalised } from './compare.ts';
import { runProgram } from './interpret.ts';
import type { Outcome } from './outcome.ts';
import { openPipelinedWorld } from './pipelined-world.ts';
import type { Program } from './program.ts';

/** While one program waits for a fork, another goes on. */
const AT_ONCE = 4;
/** A puppet can have so many children in its life, and some to spare. */
const PROGRAMS_PER_WORLD = 1000;

async function runSome(
  world: World,
  programs: readonly Program[],
  take: (outcome: Outcome) => void,
): Promise<void> {
  const outcomes: (Outcome | undefined)[] = programs.map(() => undefined);
  let next = 0;
  let taken = 0;
  const work = async (): Promise<void> => {
    while (next < programs.length) {
      const index = next++;
      const program = programs[index] as Program;
      outcomes[index] = normalised(program, await runProgram(world, program));
      for (let ready = outcomes[taken]; ready !== undefined; ready = outcomes[taken]) {
        take(ready);
        outcomes[taken++] = undefined;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** Hands out the normalised outcome of each program, in their order. */
export async function runPrograms(
  count: number,
  programAt: (index: number) => Program,
  take: (outcome: Outcome) => void,
): Promise<void> {
  for (let start = 0; start < count; start += PROGRAMS_PER_WORLD) {
    const length = Math.min(PROGRAMS_PER_WORLD, count - start);
    const world = await openPipelinedWorld();
    try {
      const programs = Array.from({ length }, (_, index) => programAt(start + index));
      await runSome(world, programs, take);
    } finally {
      await world.close();
    }
  }
}
