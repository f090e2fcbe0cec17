/**
 * Lists of nodes as the files of a cpuset take them.
 *
 * Source: cpuset(7), List format, which tells neither strides nor empty parts;
 * Documentation/admin-guide/kernel-parameters.rst, cpu lists; lib/bitmap-str.c,
 * bitmap_parselist().
 */

import { expect } from 'vitest';
import { allowedNodes, confine, cpusetTests } from './cpuset-scene.ts';
import { familyFor } from './objects.ts';
import type { OpenSubject } from './scene.ts';

/** What is written, and the nodes that the group has then. */
const TAKEN: readonly (readonly [text: string, nodes: readonly number[]])[] = [
  ['1-3', [1, 2, 3]],
  ['3,1', [1, 3]],
  ['1,1-2,2', [1, 2]],
  ['0-3:1/2', [0, 2]],
  ['0-3:2/3', [0, 1, 3]],
  ['1-3:1/2', [1, 3]],
  ['2-3:1/1', [2, 3]],
  ['0-3:1/9', [0]],
  ['1,,3', [1, 3]],
  [',2,', [2]],
  [' 1 3', [1, 3]],
  ['\t1,\n 2', [1, 2]],
  ['01-0000003', [1, 2, 3]],
];

const REFUSED: readonly (readonly [text: string, errno: string])[] = [
  ['3-1', 'EINVAL'],
  ['0-3:3/2', 'EINVAL'],
  ['0-3:1/0', 'EINVAL'],
  ['0-3:1', 'EINVAL'],
  ['1 - 3', 'EINVAL'],
  ['1:1/2', 'EINVAL'],
  ['-1', 'EINVAL'],
  ['0x1', 'EINVAL'],
  ['0-N', 'EINVAL'],
  ['all', 'EINVAL'],
  ['99999', 'ERANGE'],
];

export function nodeListsContract(subject: OpenSubject): void {
  familyFor(subject, 'lists of nodes', ['settings'], (declare) => {
    const cpusets = cpusetTests(declare);
    cpusets('strides, blanks and empty parts are taken', async (scene, create) => {
      const cpuset = await confine(scene, create, '0-3');
      for (const [text, nodes] of TAKEN) {
        expect(await cpuset.setMems(text), text).toSucceed();
        expect(await allowedNodes(scene), text).toEqual(nodes);
      }
    });

    cpusets('a list that cannot be read changes nothing', async (scene, create) => {
      const cpuset = await confine(scene, create, '1-2');
      for (const [text, errno] of REFUSED) {
        expect(await cpuset.setMems(text), text).toFailWith('write', errno);
        expect(await allowedNodes(scene), text).toEqual([1, 2]);
      }
    });
  });
}
