/**
 * node-numa/simulator: Linux's NUMA memory manager in process, for tests and for machines without
 * NUMA. docs/simulator.md says what it is and what it is not.
 */

export type { Backend, PageSpan } from '../backend/backend.ts';
export { checkMachineDescription } from './nodes/check-description.ts';
export type { KernelLine } from './nodes/kernel-line.ts';
export type { MachineDescription, MachineNode } from './nodes/machine-description.ts';
export { presets } from './presets.ts';
export {
  defaultMachine,
  type HugePagesWord,
  kernelLines,
  Machine,
  type MachineOptions,
} from './simulated-machine.ts';
export type {
  ProcessOptions,
  SimulatedCapability,
  SimulatedProcess,
  SimulatedThread,
} from './simulated-process.ts';
