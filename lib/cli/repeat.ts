/**
 * Drawing the same again and again, until Ctrl-C, q or a closed pipe ends it.
 */

import { setTimeout } from 'node:timers/promises';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { Output } from './output.ts';

export interface RepeatSurroundings {
  readonly output: Output;
  readonly signal: AbortSignal;
}

/** Ends with the status of the last time; an interrupt is how it is meant to end. */
export async function repeatEvery(
  intervalMs: number,
  { output, signal }: RepeatSurroundings,
  draw: () => Promise<ExitCode>,
): Promise<ExitCode> {
  return output.onOtherScreen(async () => {
    let exitCode: ExitCode = EXIT.DONE;
    while (!signal.aborted && !output.isClosed) {
      exitCode = await draw();
      // An interrupt ends the wait, too.
      await setTimeout(intervalMs, undefined, { signal }).catch(() => {});
    }
    return exitCode;
  });
}
