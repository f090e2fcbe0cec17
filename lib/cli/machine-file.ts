/**
 * The machine that `--machine` names: a preset of the simulator, or a file with a description.
 */

import { readFileSync } from 'node:fs';
import { checkMachineDescription } from '../simulator/nodes/check-description.ts';
import type { MachineDescription } from '../simulator/nodes/machine-description.ts';
import { presets } from '../simulator/presets.ts';
import { UsageError } from './usage-error.ts';

/** @throws UsageError naming the presets, or what is wrong with the file */
export function readMachine(nameOrPath: string): MachineDescription {
  const descriptions = Object.values(presets);
  const preset = descriptions.find(({ name }) => name === nameOrPath);
  if (preset !== undefined) return preset;
  if (!/[./]/.test(nameOrPath)) {
    const names = descriptions.map(({ name }) => name).join(', ');
    throw new UsageError(`--machine ${nameOrPath}: there is no such preset; there are ${names}`);
  }
  try {
    return checkMachineDescription(JSON.parse(readFileSync(nameOrPath, 'utf8')));
  } catch (error) {
    throw new UsageError(`--machine ${nameOrPath}: ${(error as Error).message}`, { cause: error });
  }
}
