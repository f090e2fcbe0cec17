/**
 * `node-numa run` does what Debian's numactl does, as the kernel judges: the program that either
 * starts tells the policy, the CPUs and the nodes that the kernel says it has, and where the pages
 * are that it touches.
 *
 * Here ours does not become the program: this thread is set as the program would be, and starts it
 * as a child, which inherits the same. test/cli/run-program.test.ts has the real one.
 */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { formatIdList, parseIdList } from '../../lib/core/id-list.ts';
import { compareReleases } from '../../lib/core/kernels.ts';
import { defaultPolicy } from '../../lib/core/memory-policy.ts';
import { openNuma } from '../../lib/facade/open-numa.ts';
import { loadAddon } from '../../lib/native-backend/load-addon.ts';
import { UNWRITTEN } from '../contract/world.ts';
import { listOf } from '../puppet/line-text.ts';
import { readHostMachine } from '../support/host-machine.ts';
import { numaCallsUnmet } from '../support/needs.ts';
import { needDebianNumactl } from './debian-numactl.ts';
import { needFourNodes } from './four-nodes.ts';
import { type LaunchRow, launchRows } from './launch-rows.ts';
import { runCommand } from './run-command.ts';

/** Thrown in place of execve. */
class Became extends Error {
  readonly path: string;
  readonly words: readonly string[];
  constructor(path: Uint8Array, argv: Uint8Array) {
    super('became the command');
    const [name = ''] = stringsOf(path);
    this.path = name;
    this.words = stringsOf(argv);
  }
}

/** Strings that each end in a zero byte. */
function stringsOf(bytes: Uint8Array): string[] {
  return Buffer.from(bytes).toString().split('\0').slice(0, -1);
}

/** Says all of it by itself: under emulation each program more takes a tenth of a second. */
const PROGRAM = fileURLToPath(new URL('../../build/Release/puppet', import.meta.url));
const PAGES = 48;
const ADDRESS = '0x200000000000';
/** As bytes of a page: any length is rounded up. */
const INPUT = [
  'read_file /proc/self/status',
  'get_mempolicy 0 0 1025 buffer mode',
  `mmap ${ADDRESS} ${PAGES * 4096} private 3`,
  `touch ${ADDRESS} ${PAGES} write`,
  `move_pages 0 ${PAGES} span:${ADDRESS} null all:${UNWRITTEN} 0`,
  '',
].join('\n');

const machine = await readHostMachine();

/** What the kernel says of a program that was started. */
interface Effect {
  readonly status: number;
  readonly cpus: string;
  readonly allowedNodes: string;
  readonly mode: string;
  readonly nodes: string;
  /** Node of each page. */
  readonly places: string;
}

/** Some kernels remember CPUs that were asked for and are not there; nothing runs on them. */
function presentCpus(list: string): string {
  const present = machine.topology.nodes.flatMap(({ cpus }) => cpus);
  return formatIdList(
    parseIdList(list, 'Cpus_allowed_list', 8191).filter((cpu) => present.includes(cpu)),
  );
}

function effectOf(status: number, stdout: string): Effect {
  const replies = stdout.split('\n').filter((line) => line.startsWith('ok '));
  const words = (reply: number): string[] => replies[reply]?.split(' ') ?? [];
  const processStatus = Buffer.from(words(0)[1] ?? '', 'hex').toString();
  const field = (pattern: RegExp): string => pattern.exec(processStatus)?.[1] ?? '';
  const [, mode = '', nodes = ''] = words(1);
  return {
    status,
    cpus: presentCpus(field(/^Cpus_allowed_list:\s+(\S+)/m)),
    allowedNodes: field(/^Mems_allowed_list:\s+(\S+)/m),
    mode,
    nodes,
    places: words(4)[2] ?? '',
  };
}

function start(program: string, words: readonly string[]): Effect {
  const { status, signal, stdout } = spawnSync(program, words, {
    input: INPUT,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  return effectOf(status ?? (signal === 'SIGKILL' ? 137 : 999), stdout);
}

/** Words of a row; quoted parts are one word. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

async function startOurs(words: readonly string[]): Promise<Effect> {
  try {
    const { exitCode, stdout, stderr } = await runCommand(['run', ...words]);
    expect(stdout).toBe('');
    expect(stderr, 'says why').toMatch(/^(node-numa|error): /);
    return effectOf(exitCode, '');
  } catch (error) {
    if (!(error instanceof Became)) throw error;
    return start(error.path, error.words.slice(1));
  }
}

/** Of several nodes the nearest to the CPU counts: which CPU it is, chance tells. */
function isPlaceCertain({ cpus, mode, nodes }: Effect): boolean {
  const isInterleaved = ['3', '6'].includes(mode);
  const bits = [...nodes.matchAll(/0x[0-9a-f]+/g)].map(([word]) => BigInt(word).toString(2));
  const nodeCount = bits.join('').replaceAll('0', '').length;
  return cpus.length === 1 || isInterleaved || nodeCount === 1;
}

const obstacle = await numaCallsUnmet();
const numa = obstacle === undefined ? openNuma({ backend: 'native' }) : undefined;
const allCpus = numa?.thread.affinity() ?? [];

const loaded = loadAddon();
const execve = loaded.ok ? loaded.addon.execve : undefined;

beforeAll(() => {
  if (!loaded.ok) return;
  loaded.addon.execve = (path, argv) => {
    throw new Became(path, argv);
  };
});

afterAll(() => {
  if (loaded.ok && execve !== undefined) loaded.addon.execve = execve;
});

afterEach(() => {
  numa?.thread.setPolicy(defaultPolicy());
  numa?.thread.setAffinity(allCpus);
});

async function compare(row: LaunchRow): Promise<void> {
  const command = wordsOf(row.command ?? PROGRAM);
  numa?.thread.setAffinity(row.from ?? allCpus);
  const theirs = start('numactl', [...wordsOf(row.numactl), ...command]);
  const ours = await startOurs([...wordsOf(row.ours), ...command]);
  const [theirStatus, ourStatus] = statusesOf(row);
  expect([theirs.status, ours.status]).toEqual([theirStatus, ourStatus]);
  if (theirStatus !== ourStatus) return;
  const { places: theirPlaces, ...theirRest } = theirs;
  const { places, ...rest } = ours;
  expect(rest).toEqual(theirRest);
  if (ours.status === 0 && row.command === undefined) {
    expect(listOf(places).length).toBe(PAGES);
    expect(ours.cpus).not.toBe('');
    expect(ours.allowedNodes).not.toBe('');
    if (isPlaceCertain(ours)) expect(places).toBe(theirPlaces);
  }
}

describe('run does what numactl does', () => {
  for (const [about, rows] of Object.entries(launchRows)) {
    const titled = rows.map((row) => {
      const from = row.from === undefined ? '' : ` from CPU ${row.from}`;
      return { title: `${row.numactl} ${row.command ?? ''}`.trim() + from, row };
    });
    test.for(titled)(`${about}: numactl $title`, async ({ row }, context) => {
      if (obstacle !== undefined) context.skip(obstacle);
      needDebianNumactl(context);
      needFourNodes(context);
      await compare(row);
    });
  }

  test('on at least 40 command lines', () => {
    expect(Object.values(launchRows).flat().length).toBeGreaterThan(80);
  });
});

function statusesOf({ ends = [0, 0], since }: LaunchRow): readonly [number, number] {
  const isTooOld = since !== undefined && compareReleases(machine.kernel, since) < 0;
  return isTooOld ? [ends[0], 1] : ends;
}
