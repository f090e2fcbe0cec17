// A user's tests in strict TypeScript, with every kind of public type, where vitest is not there.

import { bind, type MigrationReport } from 'node-numa';
import { presets } from 'node-numa/simulator';
import {
  type CpusetChange,
  type Fault,
  FaultFixtures,
  type MachineFixtureOptions,
  type MachineScene,
  type MatcherAnswer,
  matchers,
  type NumaFixtures,
  type NumaMatchers,
  numaFixtures,
  type PageChoice,
  type RacingWriterFault,
  type SlowLink,
  withMachine,
} from 'node-numa/testing';

const options: MachineFixtureOptions = { description: presets.twoSockets, mustRelease: true };
const fixtures: NumaFixtures = numaFixtures(options);
const names: readonly (keyof NumaMatchers)[] = ['toResideOn', 'toHaveMoved', 'toBeComplete'];

async function move({ machine, numa, faults }: MachineScene): Promise<MatcherAnswer> {
  using buffer = numa.allocate(10 * numa.pageSizeBytes, { policy: bind(0) });
  buffer.touch();
  const choice: PageChoice = { firstPage: 9, pageCount: 1 };
  using writer: RacingWriterFault = faults.racingWriter(buffer, choice);
  const change: CpusetChange = faults.shrinkCpusetAt('wait-writeback', '0');
  const full: Fault = faults.nodeFull(1, 7);
  const report: MigrationReport = await buffer.migrate({ to: 1 });
  full.end();
  if (change.hasHappened || writer.lostWrites().length > 0) throw new Error('unexpected');
  using others = new FaultFixtures(machine);
  const link: SlowLink = others.slowLink(0, 1, 2);
  if (link.costs.totalNs !== 0) throw new Error('unexpected');
  return matchers.toHaveMoved(report, 10);
}

const { pass, message } = await withMachine(options, move);
if (names.some((name) => !(name in matchers)) || fixtures.machine.length !== 2) {
  throw new Error('unexpected');
}
process.stdout.write(JSON.stringify({ pass, message: message() }));
