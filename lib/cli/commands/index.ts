/**
 * All commands, in the order in which help lists them.
 */

import type { CommandSpec } from '../command.ts';
import { doctorCommand } from './doctor.ts';
import { nodesCommand } from './nodes.ts';
import { runCommand } from './run.ts';
import { statCommand } from './stat.ts';

export const commands: readonly CommandSpec[] = [
  nodesCommand,
  runCommand,
  statCommand,
  doctorCommand,
];
