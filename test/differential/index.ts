/** What the scripts use, bundled into one file for this machine's Node and the guest's. */

export { type Difference, differencesOf } from './compare.ts';
export { generateProgram } from './generate.ts';
export { classify, type Verdict } from './known-differences.ts';
export { hashOf, type Outcome } from './outcome.ts';
export type { Program, Step } from './program.ts';
export { runPrograms } from './run-programs.ts';
export { FEATURES, type Feature } from './scene.ts';
export { shrink } from './shrink.ts';
