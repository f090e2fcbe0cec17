/**
 * Scenarios by name or by path, those that come with the package (scenarios/) and files, read from
 * JSON: the first broken rule is an error that names the step and its member. What the published
 * schema says is checked here too; names, ranges and policies only here.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { invalidArgumentValue } from '../../core/argument-errors.ts';
import { checkInteger, checkWord } from '../../core/check-arguments.ts';
import { kernelLines } from '../../core/kernels.ts';
import type { MachineDescription } from '../../core/machine-description.ts';
import { checkMachineDescription } from '../../core/machine-description.ts';
import { PAGE_SIZES_BYTES } from '../../core/units.ts';
import { packageFile } from '../../package-folder.ts';
import { presets } from '../../simulator/presets.ts';
import { HUGE_PAGE_WORDS } from '../../simulator/simulated-machine.ts';
import { ScenarioNames } from './check-names.ts';
import { checkList, checkMember, checkRecord, NAME, PAGE_MAX, type StepRules } from './members.ts';
import type { Scenario, Step, StepWord } from './scenario.ts';
import { MEANWHILE_WORDS, STEP_TABLE, STEP_WORDS } from './step-table.ts';

const FOLDER = 'scenarios';
const EXTENSION = '.json';
const FORMAT = 1;
const MEMBERS = [
  ...['$schema', 'format', 'name', 'summary', 'machine', 'kernel', 'pageSizeBytes'],
  ...['hugePages', 'recorded', 'watch', 'steps'],
];
const TEXT = { kind: 'text', pattern: /^[^\n]+$/, rule: 'must be one line of text' } as const;

/** Names of the scenarios of the package, in alphabetical order. */
export function bundledScenarioNames(): string[] {
  return readdirSync(packageFile(FOLDER))
    .filter((name) => name.endsWith(EXTENSION))
    .map((name) => name.slice(0, -EXTENSION.length))
    .sort();
}

/**
 * A scenario of the package by its name, or of a file, whose path has a dot or a slash.
 * @throws TypeError, RangeError with Node's codes, whatever is wrong
 */
export function openScenario(nameOrPath: string): Scenario {
  const isPath = /[./]/.test(nameOrPath);
  if (!isPath && !bundledScenarioNames().includes(nameOrPath)) {
    const rule = `must be a file, or one of ${bundledScenarioNames().join(', ')}`;
    throw invalidArgumentValue('scenario', rule, nameOrPath);
  }
  const path = isPath ? nameOrPath : packageFile(`${FOLDER}/${nameOrPath}${EXTENSION}`);
  return readScenario(readJson(path, 'scenario'));
}

/**
 * @param argument what the file is to be
 * @throws TypeError ERR_INVALID_ARG_VALUE: no such file, no JSON, or a member that it has twice
 */
export function readJson(path: string, argument: string): unknown {
  const fail = (what: string): never => {
    throw invalidArgumentValue(argument, what, `${path}`);
  };
  let text = '';
  let value: unknown;
  try {
    text = readFileSync(path, 'utf8');
    value = JSON.parse(text);
  } catch (error) {
    return fail(`cannot be read: ${(error as Error).message}`);
  }
  const twice = repeatedMember(text);
  return twice === undefined ? value : fail(`has the member ${twice} twice in one object`);
}

/** JSON.parse takes the last of members with one name, and says nothing. */
function repeatedMember(json: string): string | undefined {
  const objects: Set<string>[] = [];
  for (const [token, name] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') objects.push(new Set());
    else if (token === '}') objects.pop();
    else if (name !== undefined) {
      const names = objects.at(-1) as Set<string>;
      const plain = JSON.parse(name) as string;
      if (names.has(plain)) return name;
      names.add(plain);
    }
  }
  return undefined;
}

/**
 * The same value, checked.
 * @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE; RangeError ERR_OUT_OF_RANGE
 */
export function readScenario(value: unknown): Scenario {
  const members = checkRecord(value, 'scenario');
  rejectUnknown(members, 'scenario', MEMBERS);
  if (members['format'] !== FORMAT) {
    throw invalidArgumentValue('format', `must be ${FORMAT}`, members['format']);
  }
  checkMember(members['name'], NAME, 'name');
  checkMember(members['summary'], TEXT, 'summary');
  machineOf(members['machine']);
  const has = (name: string): boolean => members[name] !== undefined;
  if (has('kernel')) checkWord(members['kernel'], 'kernel', kernelLines);
  if (has('pageSizeBytes')) checkPageSize(members['pageSizeBytes']);
  if (has('hugePages')) checkWord(members['hugePages'], 'hugePages', HUGE_PAGE_WORDS);
  if (has('recorded')) checkMember(members['recorded'], TEXT, 'recorded');
  if (has('$schema')) checkMember(members['$schema'], TEXT, '$schema');
  checkList(members['steps'], 'steps').forEach((step, index) => {
    checkStep(step, `step ${index + 1}`, STEP_WORDS);
  });
  const scenario = value as Scenario;
  const names = new ScenarioNames(scenario.pageSizeBytes);
  scenario.steps.forEach((step, index) => {
    names.check(step, `step ${index + 1} (${step.do})`);
  });
  if (has('watch')) checkWatch(members['watch'], names);
  return scenario;
}

/** The machine that a scenario names. @throws TypeError, RangeError */
export function machineOf(machine: unknown): MachineDescription {
  if (typeof machine !== 'string') return checkMachineDescription(machine);
  const descriptions = Object.values(presets);
  const names = descriptions.map(({ name }) => name);
  const name = checkWord(machine, 'machine', names);
  return descriptions.find((preset) => preset.name === name) as MachineDescription;
}

function checkPageSize(value: unknown): void {
  if (PAGE_SIZES_BYTES.some((size) => size === value)) return;
  const rule = `must be one of ${PAGE_SIZES_BYTES.join(', ')}`;
  throw invalidArgumentValue('pageSizeBytes', rule, value);
}

function checkWatch(value: unknown, names: ScenarioNames): void {
  const watch = checkRecord(value, 'watch');
  rejectUnknown(watch, 'watch', ['mapping', 'page']);
  checkMember(watch['mapping'], NAME, 'watch.mapping');
  const { page = 0 } = watch;
  checkInteger(page, 'watch.page', 0, PAGE_MAX - 1);
  names.checkWatched(watch['mapping'] as string, page as number);
}

/** @param where how errors name the step, without its word */
function checkStep(value: unknown, where: string, words: readonly StepWord[]): void {
  const members = checkRecord(value, where);
  const word = checkWord(members['do'], `${where}, do`, words);
  const step = `${where} (${word})`;
  const rules = STEP_TABLE[word];
  rejectUnknown(members, step, ['do', ...Object.keys(rules.members)]);
  for (const [name, { rule, isRequired }] of Object.entries(rules.members)) {
    if (members[name] === undefined && !isRequired) continue;
    checkMember(members[name], rule, `${step}, ${name}`);
  }
  checkTogether(members, rules, step);
  if (word !== 'meanwhile') return;
  (value as { readonly steps: readonly Step[] }).steps.forEach((inner, index) => {
    checkStep(inner, `${step}, step ${index + 1}`, MEANWHILE_WORDS);
  });
}

/** Which members go together. */
function checkTogether(
  members: Readonly<Record<string, unknown>>,
  { choice, needs = {} }: StepRules,
  step: string,
): void {
  const has = (name: string): boolean => members[name] !== undefined;
  if (choice !== undefined) {
    const names = choice.members.join(', ');
    const given = choice.members.filter(has);
    if (given.length < choice.min) {
      throw invalidArgumentValue(step, `must have one of ${names}`, members);
    }
    if (given.length > (choice.max ?? choice.members.length)) {
      throw invalidArgumentValue(step, `must have only one of ${names}`, given.join(', '));
    }
  }
  for (const [name, other] of Object.entries(needs)) {
    if (!has(name) || has(other)) continue;
    throw invalidArgumentValue(`${step}, ${name}`, `means nothing without ${other}`, members[name]);
  }
}

function rejectUnknown(
  value: Readonly<Record<string, unknown>>,
  where: string,
  known: readonly string[],
): void {
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const rule = `is not known; known are ${known.join(', ')}`;
  throw invalidArgumentValue(`${where}, ${unknown}`, rule, unknown);
}
