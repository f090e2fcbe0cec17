/** What the scripts use, bundled into one file. */

export { KERNEL_FACTS } from '../../lib/core/kernel-facts.ts';
export { compareReleases, kernelLineOf } from '../../lib/core/kernels.ts';
export { parseBatch, readOutcome, scriptOf } from './batch.ts';
export { type Difference, differencesOf } from './compare.ts';
export { generateProgram, KINDS, type Kind } from './generate.ts';
export { classify, KNOWN, knownBetween, type Verdict } from './known-differences.ts';
export type { Outcome } from './outcome.ts';
export type { Program, Step } from './program.ts';
export { FEATURES, type Feature } from './scene.ts';
export { shrink } from './shrink.ts';
export { simulate } from './simulate.ts';
export { compareWithKernel, SIMULATOR_DIFFERENCES } from './simulator-differences.ts';
