/** An engine that is broken in one place, while something runs. */

import { operations } from '../../lib/simulator/migrate/operations.ts';

type Operations = typeof operations;

export async function withBroken<Name extends keyof Operations>(
  name: Name,
  broken: Operations[Name],
  run: () => Promise<unknown>,
): Promise<void> {
  const whole = operations[name];
  operations[name] = broken;
  try {
    await run();
  } finally {
    operations[name] = whole;
  }
}
