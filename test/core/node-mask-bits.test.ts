/** Each node by itself: written as text, read back, put into words for the kernel. */

import { expect, test } from 'vitest';
import { NodeMask } from '../../lib/core/node-mask.ts';
import { nodemaskWords, nodesOfWords } from '../../lib/core/nodemask-words.ts';

const NODES = 300;

test('every one of 300 nodes alone survives text and words, and is the first of its set', () => {
  for (let node = 0; node < NODES; node += 1) {
    const alone = NodeMask.of(node);
    expect(alone.first).toBe(node);
    expect(`${alone}`).toBe(String(node));
    expect(NodeMask.parse(`${alone}`).equals(alone)).toBe(true);
    expect(nodesOfWords(nodemaskWords([node]).words)).toEqual([node]);
  }
});
