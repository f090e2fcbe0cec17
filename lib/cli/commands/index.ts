/**
 * All commands, in the order in which help lists them.
 */

import type { CommandSpec } from '../command.ts';
import { nodesCommand } from './nodes.ts';

export const commands: readonly CommandSpec[] = [nodesCommand];
