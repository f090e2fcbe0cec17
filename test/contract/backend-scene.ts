/** How the families of the backend interface itself declare their tests. */

import { test } from 'vitest';
import '../support/matchers.ts';
import type { Backend } from '../../lib/backend/backend.ts';
import type { Mapping } from '../../lib/backend/mapping.ts';
import { type KernelFacts, kernelFacts } from '../../lib/core/kernel-facts.ts';
import { expectValue } from '../support/expect-value.ts';
import type { BackendSubject } from './backend-world.ts';
import { UNWRITTEN } from './pages.ts';
import type { WorldMachine } from './world.ts';

export interface BackendScene {
  readonly backend: Backend;
  readonly machine: WorldMachine;
  readonly facts: KernelFacts;
  /** Maps pages that are given up when the test ends. */
  map(pageCount: number): Mapping;
}

/** The status of each page of a mapping. */
export function residencyOf(backend: Backend, { address, lengthBytes }: Mapping): number[] {
  const pageCount = lengthBytes / backend.pageSizeBytes;
  const status = new Int32Array(pageCount).fill(UNWRITTEN);
  expectValue(
    backend.movePagesSync({ pid: 0, pages: { address, pageCount }, nodes: null, flags: 0, status }),
  );
  return [...status];
}

export function backendTestsOf(
  subject: BackendSubject,
): (sentence: string, body: (scene: BackendScene) => void | Promise<void>) => void {
  return (sentence, body) => {
    test(sentence, async () => {
      const { backend, machine } = subject.open();
      const mappings: Mapping[] = [];
      const map = (pageCount: number): Mapping => {
        const mapping = expectValue(
          backend.mmap({ lengthBytes: pageCount * backend.pageSizeBytes }),
        );
        mappings.push(mapping);
        return mapping;
      };
      try {
        await body({ backend, machine, facts: kernelFacts(machine.kernel), map });
      } finally {
        for (const mapping of mappings) backend.munmap(mapping);
      }
    });
  };
}
