/** What the script runs, bundled into one file. */

export { interleave } from './interleaving.ts';
