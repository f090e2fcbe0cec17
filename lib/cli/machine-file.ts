/**
 * The machine that `--machine` names: a preset of the simulator, a file with a description, or a
 * scenario of the package or of a file.
 */

import type { MachineDescription } from '../core/machine-description.ts';
import { checkMachineDescription } from '../core/machine-description.ts';
import {
  bundledScenarioNames,
  openScenario,
  readJson,
  readScenario,
} from '../services/scenario/read-scenario.ts';
import type { Scenario } from '../services/scenario/scenario.ts';
import { presets } from '../simulator/presets.ts';
import { UsageError } from './usage-error.ts';

/** What a name or a path stands for. */
export type NamedMachine =
  | { readonly description: MachineDescription; readonly scenario?: undefined }
  | { readonly scenario: Scenario; readonly description?: undefined };

/** @throws UsageError naming the presets and scenarios, or what is wrong with the file */
export function readMachine(nameOrPath: string): NamedMachine {
  const descriptions = Object.values(presets);
  const preset = descriptions.find(({ name }) => name === nameOrPath);
  if (preset !== undefined) return { description: preset };
  const isPath = /[./]/.test(nameOrPath);
  const scenarios = bundledScenarioNames();
  if (!isPath && !scenarios.includes(nameOrPath)) {
    const names = descriptions.map(({ name }) => name).join(', ');
    const known = `there are ${names}, and the scenarios ${scenarios.join(', ')}`;
    throw new UsageError(`--machine ${nameOrPath}: there is no such machine; ${known}`);
  }
  try {
    return isPath ? readMachineFile(nameOrPath) : { scenario: openScenario(nameOrPath) };
  } catch (error) {
    throw new UsageError(`--machine ${nameOrPath}: ${(error as Error).message}`, { cause: error });
  }
}

/** Of the two, only a scenario has steps. */
function readMachineFile(path: string): NamedMachine {
  const value = readJson(path, 'machine');
  const isScenario = typeof value === 'object' && value !== null && 'steps' in value;
  return isScenario
    ? { scenario: readScenario(value) }
    : { description: checkMachineDescription(value) };
}
