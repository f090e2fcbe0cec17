/**
 * node-numa/testing: what users of node-numa put into their own tests. docs/testing.md shows it.
 */

export {
  type CpusetChange,
  type Fault,
  FaultFixtures,
  type PageChoice,
  type RacingWriterFault,
  type SlowLink,
} from './faults.ts';
export {
  type MachineFixtureOptions,
  type MachineScene,
  type NumaFixtures,
  numaFixtures,
  withMachine,
} from './fixtures.ts';
export { type MatcherAnswer, matchers, type NumaMatchers } from './matchers.ts';
