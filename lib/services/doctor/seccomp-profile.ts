/**
 * The seccomp profile of this package: an engine's default one, and the six calls for everybody.
 */

import { readFileSync } from 'node:fs';

const PATH = new URL('../../../docs/seccomp/node-numa.json', import.meta.url);

/** Its text, for `--security-opt seccomp=FILE`. */
export function seccompProfile(): string {
  return readFileSync(PATH, 'utf8');
}
