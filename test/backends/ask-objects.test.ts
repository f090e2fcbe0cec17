import { test } from 'vitest';
import { openSimulatedWorld } from '../simulator/simulated-world.ts';
import { readFileSync } from 'node:fs';
import { observe } from './ask-objects-observe.ts';
test('ask objects', { timeout: 300000 }, async () => {
  const simulated = process.env['ASK_SIMULATED'];
  const machine = JSON.parse(readFileSync(new URL('../../scripts/machines/four-nodes.json', import.meta.url), 'utf8'));
  const native = await import('../puppet/native-world.ts') as any;
  const open = Object.values(native).find((v: any) => typeof v?.open === 'function') as any ?? null;
  const world = simulated ? openSimulatedWorld(machine, { kernel: simulated as any }) : await (open?.open() ?? native.openPuppetWorld?.());
  for (const line of await observe(world)) console.log(`ASK ${line}`);
  await world.close();
});
