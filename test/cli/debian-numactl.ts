/**
 * Debian's numactl and numastat, and what they print. Both are run as programs; nothing of theirs
 * is part of this project.
 */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { TestContext } from 'vitest';

const FOLDER = '/usr/bin';

export function needDebianNumactl(context: TestContext): void {
  const isThere = ['numactl', 'numastat'].every((name) => existsSync(`${FOLDER}/${name}`));
  if (!isThere) context.skip("Debian's numactl is not installed here");
}

function textOf(program: string, words: readonly string[]): string {
  // As wide as it takes: otherwise it goes on below with more nodes. Fields of /proc that it does
  // not know are told on standard error.
  const env = { ...process.env, NUMASTAT_WIDTH: '1000' };
  return execFileSync(`${FOLDER}/${program}`, [...words], {
    encoding: 'utf8',
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

export interface NumactlNode {
  readonly id: number;
  readonly cpus: readonly number[];
  /** Whole MiB, rounded down. */
  readonly sizeMiB: number;
  readonly freeMiB: number;
  /** In the order of the nodes. */
  readonly distances: readonly number[];
}

export function numactlHardware(): NumactlNode[] {
  const text = textOf('numactl', ['--hardware']);
  const numbersAfter = (start: string): number[] => {
    const line = text.split('\n').find((candidate) => candidate.trimStart().startsWith(start));
    return line === undefined
      ? []
      : (line.slice(line.indexOf(':') + 1).match(/\d+/g) ?? []).map(Number);
  };
  const ids = [...text.matchAll(/^node (\d+) size:/gm)].map(([, id]) => Number(id));
  return ids.map((id) => ({
    id,
    cpus: numbersAfter(`node ${id} cpus:`),
    sizeMiB: numbersAfter(`node ${id} size:`)[0] as number,
    freeMiB: numbersAfter(`node ${id} free:`)[0] as number,
    distances: numbersAfter(`${id}:`),
  }));
}

/** Rows of numbers by their name, as numastat's tables and ours have them. */
export function rowsOf(text: string): Map<string, number[]> {
  const rows = new Map<string, number[]>();
  for (const line of text.split('\n')) {
    const match = /^(\S.*?)((?:\s+-?\d+(?:\.\d+)?)+)$/.exec(line.trimEnd());
    // Headings end in the number of a node.
    if (match === null || / node( \d+)?$/.test(match[1] as string)) continue;
    rows.set(match[1] as string, (match[2] as string).trim().split(/\s+/).map(Number));
  }
  return rows;
}

export function numastat(...words: string[]): Map<string, number[]> {
  return rowsOf(textOf('numastat', words));
}
