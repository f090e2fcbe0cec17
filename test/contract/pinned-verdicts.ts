/**
 * Has everything that moves pages try it on each kind of memory, and puts what came of it into the
 * words of pinned-table.ts.
 */

import { expect } from 'vitest';
import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import { errnoName } from '../../lib/core/errno.ts';
import { MPOL, MPOL_MF } from '../../lib/core/uapi.ts';
import { emptyLists, ROUNDS_MAX } from './balancing-stage.ts';
import { cpuNodes } from './first-touch.contract.ts';
import { settingsOf } from './objects.ts';
import { maskOf, move, type Pages, UNWRITTEN, where } from './pages.ts';
import type { Group, Kind } from './pinned-kinds.ts';
import { balancedFate, tableOf } from './pinned-table.ts';
import type { Scene } from './scene.ts';

const { MOVE, MOVE_ALL, STRICT } = MPOL_MF;
const ROUND_MS = 1500;
/** What moves has moved by then, or in a later round; what is still at home then stays. */
const ROUNDS_MIN = 2;

/** Pages on one node that shall go to another. */
interface Journey {
  readonly pages: Pages;
  readonly isHuge: boolean;
  readonly near: number;
  readonly far: number;
}

/** Tries to move them; the value is what the call said. */
type Call = (journey: Journey) => Promise<string>;

/** An error by its name, or how much was counted as left behind. */
function told(result: SyscallResult<number | undefined>): string {
  if (!result.ok) return errnoName(result.errno);
  return result.value === undefined ? 'no error' : `counts ${result.value}`;
}

function mbind(flags: number): Call {
  return async ({ pages, far }) => told(await pages.mbind(MPOL.BIND, maskOf(far), flags));
}

/** The status of the pages where it is an error, else the call's answer. */
async function movePages({ pages, isHuge, far }: Journey): Promise<string> {
  const { result, status } = await move(pages.process, isHuge ? pages.part(0, 1) : pages, far);
  const refused = status.find((one) => one < 0 && one !== UNWRITTEN);
  return refused === undefined ? told(result) : errnoName(-refused);
}

async function migratePages({ pages: { process }, near, far }: Journey): Promise<string> {
  return told(await process.numa.migratePages({ pid: 0, from: maskOf(near), to: maskOf(far) }));
}

/** In the order of the table's lines. */
const CALLS: readonly Call[] = [
  mbind(MOVE),
  mbind(MOVE | STRICT),
  mbind(MOVE_ALL | STRICT),
  movePages,
  migratePages,
];

type Place = ReturnType<typeof cpuNodes>[number];

/** Pages are on the second node with a CPU: of the program itself hardly any are there. */
function placesOf({ machine }: Scene): { near: Place; far: Place } {
  const [far, near] = cpuNodes(machine) as [Place, Place];
  return { near, far };
}

async function fateOf(pages: Pages, scene: Scene): Promise<string> {
  const { near, far } = placesOf(scene);
  const nodes = await where(pages);
  if (nodes.every((node) => node === far.node)) return 'moves';
  return nodes.every((node) => node === near.node) ? 'stays' : nodes.join();
}

async function callVerdict(scene: Scene, kind: Kind, call: Call): Promise<string> {
  const process = await scene.world.spawn();
  try {
    const [near, far] = [placesOf(scene).near.node, placesOf(scene).far.node];
    const pages = await kind.prepare({ scene, process, near });
    const said = await call({ pages, isHuge: kind.isHuge === true, near, far });
    const fate = await fateOf(pages, scene);
    return fate === 'moves' && ['no error', 'counts 0'].includes(said) ? fate : `${fate}, ${said}`;
  } finally {
    await process.exit();
  }
}

/** What each call does, in a process of its own. */
async function callVerdicts(scene: Scene, kind: Kind): Promise<string[]> {
  const verdicts: string[] = [];
  for (const call of CALLS) verdicts.push(await callVerdict(scene, kind, call));
  return verdicts;
}

/**
 * A process goes on touching pages of all kinds from another node, until those moved that are said
 * to. One process has them all: it is marked by the CPU time that it gets.
 */
async function balancingVerdicts(scene: Scene, kinds: readonly Kind[]): Promise<string[]> {
  const { near, far } = placesOf(scene);
  const expected = kinds.map((kind) => balancedFate(kind, scene.facts));
  const process = await scene.world.spawn();
  try {
    // At home nothing moves before it is held: pinning is an access, too.
    expect(await process.runOnCpu(near.cpu)).toSucceed();
    const ranges: Pages[] = [];
    for (const kind of kinds) ranges.push(await kind.prepare({ scene, process, near: near.node }));
    for (const pages of ranges) expect(await fateOf(await pages.touch(), scene)).toBe('stays');
    expect(await process.runOnCpu(far.cpu)).toSucceed();
    let fates: string[] = [];
    for (let round = 1; round <= ROUNDS_MAX; round++) {
      await emptyLists(process, near.node);
      for (const { address, count } of ranges) {
        const milliseconds = Math.ceil(ROUND_MS / ranges.length);
        expect(
          await process.memory.keepTouching({ address, pageCount: count }, 'write', milliseconds),
        ).toSucceed();
      }
      fates = [];
      // 6.1 does not see pages that are marked; a touch takes the mark away.
      for (const pages of ranges) fates.push(await fateOf(await pages.touch(), scene));
      const isDone = expected.every((fate, index) => fate === 'stays' || fates[index] === fate);
      if (isDone && round >= ROUNDS_MIN) break;
    }
    return fates;
  } finally {
    await process.exit();
  }
}

/** The tables of the groups as they are on this machine. */
export async function measuredTables(scene: Scene, groups: readonly Group[]): Promise<string[]> {
  const { withBalancing, withTransparentHugePages } = settingsOf(scene.world);
  const kinds = groups.flatMap((group) => group.kinds);
  return withTransparentHugePages(async () => {
    const fates = await withBalancing(() => balancingVerdicts(scene, kinds));
    const said = new Map<Kind, string[]>();
    for (const [index, kind] of kinds.entries()) {
      said.set(kind, [...(await callVerdicts(scene, kind)), fates[index] as string]);
    }
    return groups.map((group) => tableOf(group, (kind) => said.get(kind) ?? []));
  });
}
