/**
 * Scenarios by name or by path: those that come with the package (scenarios/), and files.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { invalidArgumentValue } from '../../core/argument-errors.ts';
import { packageFile } from '../../package-folder.ts';
import { readScenario } from './read-scenario.ts';
import type { Scenario } from './scenario.ts';

const FOLDER = 'scenarios';
const EXTENSION = '.json';

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
