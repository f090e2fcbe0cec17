/** Files of procfs and sysfs that a kernel may not have, or not show. */

import type { Backend } from '../../backend/backend.ts';

/** What a file says to a parser; `null` where it cannot be read. */
export async function readFile<T>(
  backend: Backend,
  path: string,
  parse: (text: string) => T,
): Promise<T | null> {
  const result = await backend.readText(path);
  return result.ok ? parse(result.value) : null;
}
