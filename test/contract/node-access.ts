/** What files of nodes say: of any, and of the speed of a node's memory. */

import { expect } from 'vitest';
import { NODES_FOLDER } from '../../lib/procfs/node-files.ts';
import { filesOf } from './objects.ts';
import type { Scene } from './scene.ts';

/** The text of a file. */
export async function read({ world }: Scene, path: string): Promise<string> {
  const result = await filesOf(world).readText(path);
  expect(result, path).toSucceed();
  return result.ok ? result.value : '';
}

/** The names in a folder. */
export async function namesIn({ world }: Scene, path: string): Promise<string[]> {
  const result = await filesOf(world).readNames(path);
  expect(result, path).toSucceed();
  return result.ok ? result.value : [];
}

const SPEED_FILES = ['read_latency', 'write_latency', 'read_bandwidth', 'write_bandwidth'] as const;

type Access = Record<(typeof SPEED_FILES)[number], number> & { initiators: number[] };

/** What both classes say alike where no device is an initiator; `null` where there are none. */
export async function accessTo(scene: Scene, node: number): Promise<Access | null> {
  const folder = `${NODES_FOLDER}/node${node}`;
  if (!(await namesIn(scene, folder)).includes('access0')) return null;
  const classes = await Promise.all(
    [0, 1].map(async (accessClass) => {
      const initiators = `${folder}/access${accessClass}/initiators`;
      const names = await namesIn(scene, initiators);
      const texts = SPEED_FILES.map((name) => read(scene, `${initiators}/${name}`));
      const numbers = (await Promise.all(texts)).map(Number);
      const nodes = names.filter((name) => /^node\d+$/.test(name)).map((name) => name.slice(4));
      const speed = Object.fromEntries(SPEED_FILES.map((name, index) => [name, numbers[index]]));
      return { ...speed, initiators: nodes.map(Number).sort((a, b) => a - b) } as Access;
    }),
  );
  expect(classes[1]).toEqual(classes[0]);
  return classes[0] as Access;
}
