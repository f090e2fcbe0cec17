/** What a command prints of a machine that the test opens. */

import { EventEmitter } from 'node:events';
import type { CommandSpec } from '../../lib/cli/command.ts';
import { Interrupts, type SignalSource } from '../../lib/cli/interrupts.ts';
import { Output } from '../../lib/cli/output.ts';
import type { Numa } from '../../lib/index.ts';

export async function printedBy(
  spec: CommandSpec,
  open: () => Numa,
  args: readonly unknown[],
  options: object,
): Promise<string> {
  let printed = '';
  const write = (text: string) => {
    printed += text;
  };
  const stream = { write };
  const output = new Output({ stdout: stream, stderr: stream }, {});
  const source = Object.assign(new EventEmitter(), { pid: 0, kill: () => {} });
  const interrupts = new Interrupts(source as unknown as SignalSource);
  const textOf = ({ message }: Error) => message;
  const program = undefined as never;
  await spec.run({ options, args, output, interrupts, open, textOf, program });
  return printed;
}
