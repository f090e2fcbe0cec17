/** Another platform for the modules of one test file, which runs in a process of its own. */

import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { afterAll, expect, test } from 'vitest';
import { openNuma } from '../../lib/index.ts';
import { facadeTests } from './facade-tests.ts';

/** The tests of the facade where the platform is that, and the simulator is chosen by itself. */
export function facadeTestsOn(platform: NodeJS.Platform): void {
  const own = os.platform;
  const inject = (answer: typeof own): void => {
    os.platform = answer;
    syncBuiltinESMExports();
  };
  inject(() => platform);
  afterAll(() => inject(own));

  test(`${platform} gets the simulator`, () => {
    const { kind, reason } = openNuma().backend;
    expect(kind).toBe('simulator');
    expect(reason).toContain(`${platform} has no NUMA memory policy; simulates the preset`);
  });

  facadeTests();
}
