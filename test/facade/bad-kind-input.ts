/** Wrong arguments of what maps memory of one kind or another. */

import {
  BOOLEANS,
  integers,
  NO_NODE,
  OPTIONS,
  RANGE,
  rows,
  TYPE,
  VALUE,
  WORDS,
  type Wrong,
} from './wrong-values.ts';

export function kindRows(): Wrong[] {
  return [
    ...rows('allocate', 'options.shared', BOOLEANS, ({ numa }, shared: boolean) =>
      numa.allocate(1, { shared }),
    ),
    ...rows(
      'allocate',
      'options.hugePages',
      [
        [1, VALUE],
        [null, VALUE],
        ['always', VALUE],
      ],
      ({ numa }, hugePages: never) => numa.allocate(1, { hugePages }),
    ),
    ...rows(
      'allocate',
      'options.populate',
      [
        [1, VALUE],
        [null, VALUE],
        ['yes', VALUE],
      ],
      ({ numa }, populate: never) => numa.allocate(1, { populate }),
    ),
    ...rows(
      'allocate',
      'options.populate.threads',
      [...integers(1024), [0, RANGE]],
      ({ numa }, threads: number) => numa.allocate(1, { populate: { threads } }),
    ),
    ...replicaRows(),
    ...rows(
      'resize',
      'lengthBytes',
      [...integers(2 ** 53 - 1), [0, RANGE]],
      ({ buffer }, bytes: number) => buffer.resize(bytes),
    ),
    ...rows(
      'bytesAt',
      'offsetBytes',
      [...integers(2 ** 53 - 1), [2 ** 40, RANGE]],
      ({ buffer }, at: number) => buffer.bytesAt(at, 1),
    ),
    ...rows(
      'bytesAt',
      'lengthBytes',
      [...integers(2 ** 53 - 1), [0, RANGE], [2 ** 40, RANGE]],
      (on, n: number) => on.buffer.bytesAt(0, n),
    ),
    ...rows('map', 'fd', integers(2 ** 31 - 1), ({ numa }, fd: number) => numa.map(fd)),
    ...rows('map', 'options', OPTIONS, ({ numa }, options: never) => numa.map(2 ** 20, options)),
    ...rows(
      'mapFile',
      'path',
      [
        [1, TYPE],
        [null, TYPE],
        [{}, TYPE],
      ],
      ({ numa }, path: string) => numa.mapFile(path),
    ),
    ...rows('mapFile', 'options', OPTIONS, ({ numa }, o: never) => numa.mapFile('/x', o)),
    ...rows('mapFile', 'options.protection', WORDS, ({ numa }, protection: never) =>
      numa.mapFile('/x', { protection }),
    ),
    ...rows('map', 'options.visibility', WORDS, ({ numa }, visibility: never) =>
      numa.map(2 ** 20, { visibility }),
    ),
  ];
}

function replicaRows(): Wrong[] {
  return [
    ...rows(
      'replicate',
      'source',
      [
        [undefined, TYPE],
        [1, TYPE],
        [{}, TYPE],
        ['text', TYPE],
      ],
      ({ numa }, source: never) => numa.replicate(source),
    ),
    ...rows('replicate', 'options', OPTIONS, ({ numa, buffer }, options: never) =>
      numa.replicate(buffer, options),
    ),
    ...rows('replicate', 'options.nodes', NO_NODE, ({ numa, buffer }, nodes: never) =>
      numa.replicate(buffer, { nodes }),
    ),
    ...rows(
      'attachReplicas',
      'handle',
      [
        [undefined, TYPE],
        [1, TYPE],
        [null, TYPE],
      ],
      ({ numa }, handle: never) => numa.attachReplicas(handle),
    ),
  ];
}
