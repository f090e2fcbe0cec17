/**
 * `node-numa man`: the manual page.
 */

import { type CommandSpec, defineCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { manPage } from '../man-page.ts';

export const manCommand: CommandSpec = defineCommand({
  name: 'man',
  summary: 'print the manual page, for man -l -',
  examples: [{ line: 'node-numa man', says: 'the page as groff reads it' }],
  takesMachine: false,
  takesJson: false,
  async run({ output, program }) {
    output.raw(manPage(program));
    return EXIT.DONE;
  },
});
