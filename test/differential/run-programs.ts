/** Programs on this kernel, as one batch. */

import { spawnSync } from 'node:child_process';
import { PUPPET_BINARY } from '../puppet/build.mjs';
import { parseBatch, readOutcome, scriptOf } from './batch.ts';
import type { Outcome } from './outcome.ts';
import type { Program } from './program.ts';

const OUTPUT_BYTES_MAX = 64 << 20;

/** The normalised outcome of each program, in their order. */
export async function runPrograms(programs: readonly Program[]): Promise<Outcome[]> {
  let input = '';
  for (const program of programs) input += `${(await scriptOf(program)).join('\n')}\n\n`;
  const { error, stdout } = spawnSync(PUPPET_BINARY, ['batch'], {
    input,
    encoding: 'latin1',
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  if (error !== undefined) throw error;
  const replies = parseBatch(stdout)?.replies ?? [];
  if (replies.length !== programs.length) {
    throw new Error(`${replies.length} answers to ${programs.length} programs`);
  }
  return Promise.all(
    programs.map((program, index) => readOutcome(program, replies[index] as string)),
  );
}
