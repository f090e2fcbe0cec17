/**
 * All commands, in the order in which help lists them.
 */

import type { CommandSpec } from '../command.ts';
import { completionCommand } from './completion.ts';
import { doctorCommand } from './doctor.ts';
import { manCommand } from './man.ts';
import { migrateCommand } from './migrate.ts';
import { nodesCommand } from './nodes.ts';
import { runCommand } from './run.ts';
import { simulateCommand } from './simulate.ts';
import { statCommand } from './stat.ts';
import { topCommand } from './top.ts';
import { whereCommand } from './where.ts';

export const commands: readonly CommandSpec[] = [
  nodesCommand,
  whereCommand,
  topCommand,
  statCommand,
  migrateCommand,
  runCommand,
  doctorCommand,
  simulateCommand,
  completionCommand,
  manCommand,
];
