/** Has a machine count its costs. */

import { invalidArgumentType, invalidArgumentValue, outOfRange } from '../core/argument-errors.ts';
import { checkInteger, checkOptions, plainCopy } from '../core/check-arguments.ts';
import { deepFreeze } from '../core/deep-freeze.ts';
import { CostLedger } from './cost/cost-ledger.ts';
import { MIGRATION_KINDS } from './cost/cost-model.ts';
import { COST_PROFILES } from './cost/cost-profile.ts';
import type { CallCosts, CostOptions, CostProfile } from './interface/costs.ts';
import type { MachineState } from './machine.ts';
import { movesInBatches } from './migrate/migrate-pages.ts';
import { bandwidthsOf } from './nodes/firmware.ts';
import { costProfiles } from './presets.ts';

/** @throws TypeError, RangeError for wrong options */
export function startCosts(machine: MachineState, options?: CostOptions): CostLedger {
  const known = ['profile', 'accessesPerTouch', 'copyThreads'] as const;
  const {
    profile = 'two-socket-zen3',
    accessesPerTouch = 1,
    copyThreads = 1,
  } = checkOptions(options, 'options', known);
  checkInteger(accessesPerTouch, 'options.accessesPerTouch', 1);
  checkInteger(copyThreads, 'options.copyThreads', 1);
  const { memory, description } = machine;
  const ledger = new CostLedger(checkProfile(profile), {
    nodes: description.nodes.map(({ id }) => id),
    distance: (from, to) => machine.distance(from, to),
    bandwidths: bandwidthsOf(description),
    batchesMigrations: movesInBatches(memory),
    pageSizeBytes: memory.pageSizeBytes,
    tablePages: memory.tablePages,
    accessesPerTouch,
    copyThreads,
  });
  memory.costs = ledger;
  return ledger;
}

function checkProfile(profile: unknown): CostProfile {
  const argument = 'options.profile';
  if (typeof profile === 'string') {
    const found = Object.entries(costProfiles).find(([name]) => name === profile);
    if (found !== undefined) return found[1];
    const names = Object.keys(costProfiles).join(', ');
    throw invalidArgumentValue(argument, `must be one of ${names}, or a profile`, profile);
  }
  const copy = plainCopy(profile, argument);
  const given = checkOptions(copy as CostProfile, argument, memberNames(PATTERN));
  checkText(given.name, `${argument}.name`);
  checkText(given.source, `${argument}.source`);
  for (const name of memberNames(PATTERN)) {
    if (typeof PATTERN[name] === 'number') checkNumber(given[name], `${argument}.${name}`);
  }
  const calls = checkOptions(given.calls, `${argument}.calls`, MIGRATION_KINDS);
  for (const kind of MIGRATION_KINDS) checkCall(calls[kind], `${argument}.calls.${kind}`);
  return deepFreeze(copy as CostProfile);
}

/** Has all members that a profile must have. */
const PATTERN = COST_PROFILES['two-socket-zen3'];

function memberNames<T extends object>(pattern: T): (keyof T & string)[] {
  return Object.keys(pattern) as (keyof T & string)[];
}

function checkCall(call: CallCosts | undefined, argument: string): void {
  const names = memberNames(PATTERN.calls.mbind);
  const given = checkOptions(call, argument, names);
  for (const name of names) checkNumber(given[name], `${argument}.${name}`);
}

function checkText(value: unknown, argument: string): void {
  if (typeof value !== 'string') throw invalidArgumentType(argument, 'a string', value);
}

/** Bandwidths may be infinite, and must not be 0. */
function checkNumber(value: unknown, argument: string): void {
  if (typeof value !== 'number') throw invalidArgumentType(argument, 'a number', value);
  const isBandwidth = /PerNs/.test(argument);
  if (isBandwidth ? value > 0 : value >= 0 && Number.isFinite(value)) return;
  throw outOfRange(argument, isBandwidth ? 'it must be above 0' : 'it must be 0 or more', value);
}
