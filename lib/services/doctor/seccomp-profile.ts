/**
 * The seccomp profile of this package: an engine's default one, and the six calls for everybody.
 */

import { readFileSync } from 'node:fs';
import { packageFile } from '../../package-folder.ts';

/** Its text, for `--security-opt seccomp=FILE`. */
export function seccompProfile(): string {
  return readFileSync(packageFile('docs/seccomp/node-numa.json'), 'utf8');
}
