/** Backends whose answers to some files are others, or are counted. */

import type { Backend } from '../../lib/index.ts';

type ReadText = Backend['readText'];

/** @param answer gets the path, and what the backend itself would say */
export function withFiles(
  backend: Backend,
  answer: (path: string, ask: () => ReturnType<ReadText>) => ReturnType<ReadText>,
): Backend {
  return new Proxy(backend, {
    get(target, name) {
      if (name === 'readText') {
        return (path: string) => answer(path, () => target.readText(path));
      }
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
