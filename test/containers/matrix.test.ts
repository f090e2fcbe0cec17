/**
 * The container matrix: what each call may do in containers of an engine that answers here, what
 * the doctor says of it, and that following its remedies makes it work. docs/capabilities.md has
 * the table.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CapabilityCause, NumaCall } from '../../lib/index.ts';
import type { Examination } from '../../lib/services/doctor/examine.ts';
import {
  buildImage,
  type ContainerRun,
  engineObstacle,
  removeImage,
  runContainer,
} from './engine.ts';

const TAG = 'node-numa-test:matrix';
const MINUTES = 60_000;
const PROFILE = fileURLToPath(new URL('../../docs/seccomp/node-numa.json', import.meta.url));

const obstacle = engineObstacle();

type Answer = 'works' | CapabilityCause;

/** One row: options of `docker run`, and the answers. `null`: as old or new as the engine is. */
interface Row {
  readonly name: string;
  readonly options: readonly string[];
  readonly policies: Answer;
  readonly homeNode: Answer | null;
  readonly moves: Answer;
  readonly moveAllOfMbind: Answer;
  readonly moveAllOfMovePages: Answer;
}

const NICE = ['--cap-add', 'SYS_NICE'];
const UNCONFINED = ['--security-opt', 'seccomp=unconfined'];

const ROWS: readonly Row[] = [
  {
    name: 'A: plain',
    options: [],
    policies: 'seccomp',
    homeNode: 'seccomp',
    moves: 'seccomp',
    moveAllOfMbind: 'seccomp',
    moveAllOfMovePages: 'seccomp',
  },
  {
    name: 'B: SYS_NICE',
    options: NICE,
    policies: 'works',
    homeNode: null,
    moves: 'seccomp',
    moveAllOfMbind: 'works',
    moveAllOfMovePages: 'seccomp',
  },
  {
    name: 'B as a user: SYS_NICE for the container alone',
    options: [...NICE, '--user', '1000'],
    policies: 'works',
    homeNode: null,
    moves: 'seccomp',
    moveAllOfMbind: 'capability',
    moveAllOfMovePages: 'seccomp',
  },
  {
    name: 'C: no seccomp filter',
    options: UNCONFINED,
    policies: 'works',
    homeNode: 'works',
    moves: 'works',
    moveAllOfMbind: 'capability',
    moveAllOfMovePages: 'capability',
  },
  {
    name: 'D: no seccomp filter, and SYS_NICE',
    options: [...UNCONFINED, ...NICE],
    policies: 'works',
    homeNode: 'works',
    moves: 'works',
    moveAllOfMbind: 'works',
    moveAllOfMovePages: 'works',
  },
  {
    name: 'E: the profile of this package',
    options: ['--security-opt', `seccomp=${PROFILE}`],
    policies: 'works',
    homeNode: 'works',
    moves: 'works',
    moveAllOfMbind: 'capability',
    moveAllOfMovePages: 'capability',
  },
];

function named(rows: readonly Row[]): [name: string, row: Row][] {
  return rows.map((row) => [row.name, row]);
}

const POLICY_CALLS: readonly NumaCall[] = ['get_mempolicy', 'set_mempolicy', 'mbind'];
const MOVE_CALLS: readonly NumaCall[] = ['move_pages', 'migrate_pages'];

/** Allocates, touches, asks where the pages are, and moves them. */
const RESIDENCY = `
import { openNuma } from '/package/dist/index.js';
const numa = openNuma({ backend: 'native' });
show(numa.allocate(64 * 4096));
async function show(buffer) {
  buffer.touch({ lengthBytes: 16 * 4096 });
  buffer.touch({ offsetBytes: 16 * 4096, lengthBytes: 4096, access: 'read' });
  const { pages } = await buffer.residency();
  const sync = buffer.residencySync().pages;
  const to = numa.allowedNodes().first;
  const moved = await buffer.migrate({ to }).then(({ method }) => method, ({ code }) => code);
  const wanted = new Int32Array(64).fill(to);
  const placed = await buffer.place(wanted).then(({ method }) => method, ({ code }) => code);
  const shares = { partsBytes: { [to]: 64 * 4096 } };
  const spread = await buffer.distribute(shares)
    .then(({ placement }) => placement.method, ({ code }) => code);
  console.log(JSON.stringify({ pages, sync, moved, placed, spread }));
}
`;

/** What verbs say of a child, which is ours to look into in every container. */
const REFUSALS = `
import { spawn } from 'node:child_process';
import { bind, openNuma } from '/package/dist/index.js';
const child = spawn('sleep', ['60']);
const numa = openNuma({ backend: 'native' });
const memory = numa.process(child.pid);
const [{ start }] = await memory.mappings();
const verbs = {
  locate: () => memory.locate({ address: start, pageCount: 1 }),
  migrate: () => memory.migrate({ from: 'all', to: '+0' }),
  setPolicy: () => numa.thread.setPolicy(bind('+0')),
};
const said = {};
for (const [name, verb] of Object.entries(verbs)) {
  said[name] = await (async () => verb())().then(() => 'works', ({ message }) => message);
}
child.kill();
console.log(JSON.stringify(said));
`;

describe('containers', () => {
  let folder = '';

  beforeEach((context) => {
    if (obstacle !== undefined) context.skip(obstacle);
  });

  beforeAll(() => {
    if (obstacle !== undefined) return;
    folder = mkdtempSync(join(tmpdir(), 'node-numa-containers-'));
    buildImage(TAG);
  }, 10 * MINUTES);

  afterAll(() => {
    if (obstacle !== undefined) return;
    removeImage(TAG);
    rmSync(folder, { recursive: true });
  });

  function doctor(options: readonly string[]): Examination {
    const run = runContainer(TAG, options, ['node-numa', 'doctor', '--json']);
    expectQuiet(run);
    return JSON.parse(run.stdout) as Examination;
  }

  /** Not a line on standard error, libnuma's own warnings least of all. */
  function expectQuiet({ stderr, status }: ContainerRun): void {
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  }

  test.each(named(ROWS))('%s: what works, and why the rest does not', (_, row) => {
    const { capabilities } = doctor(row.options);
    if (capabilities === null) throw new Error('no backend');
    const { calls, confinement } = capabilities;
    const answerOf = (name: NumaCall): Answer => said(calls[name]);
    const partOf = (name: NumaCall, part: string): Answer => {
      const found = calls[name].parts.find((candidate) => candidate.name === part);
      return found === undefined ? 'unknown' : said(found);
    };
    for (const call of POLICY_CALLS) expect(answerOf(call), call).toBe(row.policies);
    for (const call of MOVE_CALLS) expect(answerOf(call), call).toBe(row.moves);
    const home = answerOf('set_mempolicy_home_node');
    expect(row.homeNode === null ? ['works', 'seccomp'] : [row.homeNode]).toContain(home);
    expect(partOf('mbind', 'MPOL_MF_MOVE_ALL')).toBe(row.moveAllOfMbind);
    expect(partOf('move_pages', 'MPOL_MF_MOVE_ALL')).toBe(row.moveAllOfMovePages);
    expect(confinement.surroundings.kind).toBe('docker');
    const isFiltered = !row.options.includes('seccomp=unconfined');
    expect(confinement.seccomp).toBe(isFiltered ? 'filter' : 'none');
  });

  function said({ works, cause }: { works: boolean; cause?: CapabilityCause }): Answer {
    return works ? 'works' : (cause ?? 'unknown');
  }

  test.each(named(ROWS))('%s: each remedy for a call helps', (_, { options }) => {
    const { findings } = doctor(options);
    const ill = findings.filter(({ id, state }) => id.startsWith('calls.') && state !== 'ok');
    const followed = new Map<string, Examination>();
    for (const { id, remedies } of ill) {
      expect(remedies.length, id).toBeGreaterThan(0);
      for (const { action } of remedies) {
        const after = followed.get(action) ?? doctor(follow(action, options));
        followed.set(action, after);
        // A flag that works has no finding of its own.
        const state = after.findings.find((finding) => finding.id === id)?.state ?? 'ok';
        expect(state, `${id} after ${action}`).toBe('ok');
      }
    }
  });

  /** Options of `docker run` with those of a remedy, as a reader would write them. */
  function follow(action: string, before: readonly string[]): string[] {
    const [, words] = /docker run (.+) \.\.\.$/.exec(action) ?? [];
    if (words === undefined) throw new Error(`this is no docker run: ${action}`);
    const added = words.split(' ');
    const kept = added[0] === '--security-opt' ? before.filter((word) => !isSeccomp(word)) : before;
    if (!action.includes('numa.json')) return [...kept, ...added];
    expect(action).toMatch(/^node-numa doctor --seccomp-profile > numa\.json; docker run /);
    const printed = runContainer(TAG, before, ['node-numa', 'doctor', '--seccomp-profile']);
    expectQuiet(printed);
    writeFileSync(join(folder, 'numa.json'), printed.stdout);
    const profile = `seccomp=${join(folder, 'numa.json')}`;
    return [...kept, ...added.map((word) => (word === 'seccomp=numa.json' ? profile : word))];
  }

  function isSeccomp(word: string): boolean {
    return word === '--security-opt' || word.startsWith('seccomp=');
  }

  test.each(named(ROWS))('%s: a refused verb names the filter', (_, row) => {
    const command = ['node', '--input-type=module', '--eval', REFUSALS];
    const run = runContainer(TAG, row.options, command);
    expectQuiet(run);
    const said = JSON.parse(run.stdout) as Record<string, string>;
    const expected = { locate: row.moves, migrate: row.moves, setPolicy: row.policies };
    for (const [verb, answer] of Object.entries(expected)) {
      const words = answer === 'works' ? /^works$/ : /a filter is on.*seccomp/;
      expect(said[verb], verb).toMatch(words);
    }
  });

  test.each(named(ROWS))('%s: residency() is told, and migrate() moves', (_, row) => {
    const command = ['node', '--input-type=module', '--eval', RESIDENCY];
    const run = runContainer(TAG, row.options, command);
    expectQuiet(run);
    const pages = { total: 64, present: 16, notPresent: 47, zeroPage: 1, failed: 0 };
    const mbindOrNone = row.policies === 'works' ? 'mbind' : 'NUMA_NOT_PERMITTED';
    const moved = row.moves === 'works' ? 'move_pages' : mbindOrNone;
    const told = { moved, placed: moved, spread: moved };
    expect(JSON.parse(run.stdout)).toEqual({ pages, sync: pages, ...told });
  });
});
