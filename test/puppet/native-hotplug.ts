/**
 * Memory of a running machine whose pages are all movable, for tests in a guest: a block of a node
 * is taken offline and comes back as a zone of its own.
 *
 * Source: Documentation/admin-guide/mm/memory-hotplug.rst.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { WorldSettings } from '../contract/world.ts';
import type { MachineFiles } from './puppet-files.ts';

const TRIES = 200;

/** Of the blocks that may be free of the kernel's own memory: not a node's first and last. */
async function stateFiles(files: MachineFiles, node: number): Promise<string[]> {
  const folder = `/sys/devices/system/node/node${node}`;
  const names = await files.names(folder);
  const numbers = names.flatMap((name) => /^memory(\d+)$/.exec(name)?.[1] ?? []);
  const ascending = numbers.map(Number).sort((a, b) => a - b);
  return ascending.slice(1, -1).map((number) => `${folder}/memory${number}/state`);
}

async function takeOffline(files: MachineFiles, node: number): Promise<string | undefined> {
  for (const file of await stateFiles(files, node)) {
    if ((await files.tryWrite(file, 'offline')).ok) return file;
  }
  return undefined;
}

/** Pages of a process that has just ended may be held a moment longer. */
async function putBack(files: MachineFiles, file: string): Promise<void> {
  const isOffline = async (): Promise<boolean> =>
    (await files.text(file)).startsWith('offline') || (await files.tryWrite(file, 'offline')).ok;
  for (let tries = 0; !(await isOffline()); tries++) {
    if (tries === TRIES) throw new Error(`${file} does not go offline again`);
    await delay(50);
  }
  await files.write(file, 'online_kernel');
}

export function withMovableMemory(
  files: MachineFiles,
  memoryNodes: readonly number[],
): WorldSettings['withMovableMemory'] {
  return async (body) => {
    for (const node of memoryNodes.slice(1)) {
      const file = await takeOffline(files, node);
      if (file === undefined) continue;
      try {
        if (!(await files.tryWrite(file, 'online_movable')).ok) return null;
        return await body(node);
      } finally {
        await putBack(files, file);
      }
    }
    return null;
  };
}
