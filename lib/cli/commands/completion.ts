/**
 * `node-numa completion`: what a shell reads to complete the words of this program.
 */

import { type CommandSpec, defineCommand } from '../command.ts';
import { completionScript, SHELLS, type Shell } from '../completion.ts';
import { EXIT } from '../exit-codes.ts';

export const completionCommand: CommandSpec = defineCommand({
  name: 'completion',
  summary: 'print the completions for a shell',
  description: [
    'For bash and zsh: eval "$(node-numa completion bash)" in the shell\'s own file. For fish: ' +
      'node-numa completion fish | source',
  ],
  args: [{ flags: '<shell>', description: 'the shell', choices: SHELLS }],
  examples: [
    { line: 'node-numa completion bash', says: 'for bash' },
    { line: 'node-numa completion fish', says: 'for fish' },
  ],
  takesMachine: false,
  takesJson: false,
  async run({ args, output, program }) {
    output.raw(completionScript(program, args[0] as Shell));
    return EXIT.DONE;
  },
});
