/** The entries of a build with faults on purpose, beside the addon's own. */

import type { Addon } from '../../../lib/native-backend/addon.ts';
import { type EntryName, type EntryPoint, entryPoints, exportedNames } from '../entry-points.ts';

const PREFIX = 'planted_';

/** The table of all exports, with those that `planted_faults.cc` adds. */
export function stormEntries(addon: Addon): Record<EntryName, EntryPoint> {
  const planted = exportedNames(addon).filter((name) => name.startsWith(PREFIX));
  const rows = planted.map((name) => [name, { arguments: () => [] }] as const);
  return { ...entryPoints(addon), ...Object.fromEntries(rows) };
}
