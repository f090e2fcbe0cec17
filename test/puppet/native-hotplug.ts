/**
 * Memory of a running machine whose pages are all movable, for tests in a guest: a block of a node
 * is taken offline and comes back as a zone of its own.
 *
 * Source: Documentation/admin-guide/mm/memory-hotplug.rst.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { MachineSettings } from '../contract/world-settings.ts';
import { tryWrite } from './native-cpusets.ts';

const TRIES = 200;

/** Of the blocks that may be free of the kernel's own memory: not a node's first and last. */
function stateFiles(node: number): string[] {
  const folder = `/sys/devices/system/node/node${node}`;
  const numbers = readdirSync(folder).flatMap((name) => /^memory(\d+)$/.exec(name)?.[1] ?? []);
  const ascending = numbers.map(Number).sort((a, b) => a - b);
  return ascending.slice(1, -1).map((number) => `${folder}/memory${number}/state`);
}

/** Pages of a process that has just ended may be held a moment longer. */
async function putBack(file: string): Promise<void> {
  const isOffline = (): boolean => readFileSync(file, 'utf8').startsWith('offline');
  for (let tries = 0; !isOffline() && !tryWrite(file, 'offline').ok; tries++) {
    if (tries === TRIES) throw new Error(`${file} does not go offline again`);
    await delay(50);
  }
  if (!tryWrite(file, 'online_kernel').ok) throw new Error(`${file} does not come back`);
}

export function withMovableMemory(
  memoryNodes: readonly number[],
): MachineSettings['withMovableMemory'] {
  return async (body) => {
    for (const node of memoryNodes.slice(1)) {
      const file = stateFiles(node).find((one) => tryWrite(one, 'offline').ok);
      if (file === undefined) continue;
      try {
        if (!tryWrite(file, 'online_movable').ok) return null;
        return await body(node);
      } finally {
        await putBack(file);
      }
    }
    return null;
  };
}
