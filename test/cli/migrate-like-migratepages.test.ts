/**
 * `node-numa migrate` does what Debian's migratepages does, as the kernel judges: each moves a
 * process of its own whose pages lie alike before, and lie alike afterwards.
 */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { EXIT } from '../../lib/cli/exit-codes.ts';
import { mapPages, placeOn, where } from '../contract/pages.ts';
import type { World } from '../contract/world.ts';
import { puppetSubject } from '../puppet/native-world.ts';
import '../support/matchers.ts';
import { nodesFromZero, whenSupported } from '../support/needs.ts';
import { runCommand } from './run-command.ts';

/** Two pages on each node, in this order. */
const PLACES = [0, 0, 1, 1, 2, 2, 3, 3];
/** Largest number of a process, which none has in so small a machine. */
const NOBODY = '4194304';

interface Row {
  /** Arguments of migratepages behind the process. */
  readonly theirs: readonly string[];
  /** Words of ours behind the process. */
  readonly ours: readonly string[];
  /** Exit status of either; [0, 0] unless told. */
  readonly ends?: readonly [theirs: number, ours: number];
  /** Another process than the one that is there. */
  readonly pid?: string;
  /** Why the two part. */
  readonly note?: string;
}

const REFUSED = [1, 2] as const;

function moved(from: string, to: string, ...more: string[]): Row {
  return { theirs: [from, to], ours: ['--from', from, '--to', to, ...more] };
}

const rows: readonly Row[] = [
  moved('0', '1'),
  moved('0', '1', '--at-once'),
  moved('2', '0'),
  moved('0,2', '1'),
  moved('0-1', '2-3'),
  moved('0-1', '2-3', '--at-once'),
  moved('0-2', '1-3'),
  moved('1-3', '0-2', '--at-once'),
  moved('0-3', '2-3'),
  moved('0,3', '1,2'),
  moved('1', '0,2-3'),
  moved('all', '1'),
  moved('all', '0-1', '--at-once'),
  moved('!0', '0'),
  moved('!1-2', '1'),
  moved('+0', '+3'),
  moved('2', '2'),
  moved('all', 'all'),
  { ...moved('0', '9'), ends: REFUSED },
  { ...moved('9', '0'), ends: REFUSED },
  { ...moved('foo', '0'), ends: REFUSED },
  { ...moved('0', '1,'), ends: REFUSED },
  { theirs: ['0'], ours: ['--from', '0'], ends: REFUSED },
  { theirs: ['0', '1'], ours: ['--from', '0', '--to', '1'], pid: 'x', ends: REFUSED },
  { theirs: ['0', '1'], ours: ['--from', '0', '--to', '1'], pid: NOBODY, ends: [1, 1] },
  {
    theirs: ['', '1'],
    ours: ['--from', '', '--to', '1'],
    ends: [0, 2],
    note: 'migratepages moves nothing from no node, and says that it is done',
  },
];

let world: World | undefined;

beforeAll(async () => {
  if (existsSync('/usr/bin/migratepages')) world = await puppetSubject.open();
});

afterAll(() => world?.close());

function needMigratepages(context: TestContext): World {
  if (world === undefined) return context.skip("Debian's migratepages is not installed here");
  whenSupported(context, world.machine, [nodesFromZero(4)]);
  return world;
}

/** Status of a command, and where the pages of the process are that it was told. */
async function effectOn(
  subject: World,
  run: (pid: number) => Promise<number | null> | number | null,
): Promise<{ status: number | null; places: number[] }> {
  const process = await subject.spawn();
  try {
    const pages = await mapPages(process, subject.machine, PLACES.length);
    await placeOn(pages, PLACES);
    return { status: await run(process.pid), places: await where(pages) };
  } finally {
    await process.exit();
  }
}

describe('migrate does what migratepages does', () => {
  const titled = rows.map((row) => ({ title: [row.pid ?? 'PID', ...row.ours].join(' '), row }));

  test.for(titled)('migrate $title', async ({ row }, context) => {
    const on = needMigratepages(context);
    const theirs = await effectOn(on, (pid) => {
      const words = [row.pid ?? `${pid}`, ...row.theirs];
      return spawnSync('/usr/bin/migratepages', words, { stdio: 'ignore' }).status;
    });
    const ours = await effectOn(on, async (pid) => {
      const { exitCode } = await runCommand(['migrate', row.pid ?? `${pid}`, ...row.ours]);
      return exitCode;
    });
    // migratepages does not tell that it left shared pages, of the program's file for one.
    const status = ours.status === EXIT.SPARED ? EXIT.DONE : ours.status;
    expect([theirs.status, status]).toEqual(row.ends ?? [0, 0]);
    expect(ours.places).toEqual(theirs.places);
  });
});
