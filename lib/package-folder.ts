/**
 * Where the package lies: its addon, its scenarios and its profile are files beside its code.
 */

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NAME = 'node-numa';

/**
 * The nearest folder above this code with a package.json, if that is ours. Bundlers put the code
 * into a file of another package, leave `import.meta.url` out (CommonJS), or write the path of
 * another machine there: then there is none.
 */
export function packageFolder(): string | undefined {
  const url: string | undefined = import.meta.url;
  if (!url?.startsWith('file:')) return undefined;
  for (
    let folder = dirname(fileURLToPath(url));
    folder !== dirname(folder);
    folder = dirname(folder)
  ) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest)) return nameOf(manifest) === NAME ? folder : undefined;
  }
  return undefined;
}

/** A file of the package, for what is never bundled by others. */
export function packageFile(path: string): string {
  return join(packageFolder() ?? '.', path);
}

function nameOf(manifest: string): unknown {
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: unknown }).name;
}
