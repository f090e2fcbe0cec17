/**
 * Drawing the same again and again, until a signal or a closed pipe ends it.
 */

import { setTimeout } from 'node:timers/promises';
import { Option } from 'commander';
import { parsePositive } from './arguments.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { Interrupts } from './interrupts.ts';
import type { Output } from './output.ts';

export interface RepeatSurroundings {
  readonly output: Output;
  readonly interrupts: Interrupts;
  readonly options: { readonly json?: boolean };
}

/** `--watch [seconds]`, which several commands have. */
export function watchOption(): Option {
  return new Option('--watch [seconds]', 'draw it again and again')
    .argParser(parsePositive)
    .preset(SECONDS_DEFAULT);
}

const SECONDS_DEFAULT = 2;

/**
 * Shows something once, or with `--watch` again and again.
 * @param lines what is shown; undefined where it has been printed as JSON
 */
export async function showOrWatch(
  watchSeconds: number | undefined,
  surroundings: RepeatSurroundings,
  lines: () => Promise<readonly string[] | undefined>,
): Promise<ExitCode> {
  const { output } = surroundings;
  const show = async (): Promise<ExitCode> => {
    const shown = await lines();
    if (shown === undefined) return EXIT.DONE;
    if (watchSeconds === undefined) output.lines(shown);
    else output.redraw(shown);
    return EXIT.DONE;
  };
  if (watchSeconds === undefined) return show();
  return repeatEvery(watchSeconds * 1000, surroundings, show);
}

/** Ends with the status of the last time. */
export async function repeatEvery(
  intervalMs: number,
  surroundings: RepeatSurroundings,
  draw: () => Promise<ExitCode>,
): Promise<ExitCode> {
  const { output } = surroundings;
  return watching(surroundings, async () => {
    let exitCode: ExitCode = EXIT.DONE;
    while (!output.isClosed) {
      exitCode = await draw();
      await setTimeout(intervalMs);
    }
    return exitCode;
  });
}

/** Text is drawn on a screen of its own; JSON is for somebody to keep: one below the other. */
export function watching(
  { output, interrupts, options }: RepeatSurroundings,
  work: () => Promise<ExitCode>,
): Promise<ExitCode> {
  return options.json === true ? work() : output.onOtherScreen(work, interrupts);
}
