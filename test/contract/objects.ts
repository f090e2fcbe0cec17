/** What only some worlds have, and steps with it: objects behind memory, areas, settings. */

import { describe, expect } from 'vitest';
import type { PageSpan } from '../../lib/backend/backend.ts';
import { errnoName } from '../../lib/core/errno.ts';
import type { MemoryArea } from '../../lib/machine/areas.ts';
import type { VmCounters } from '../../lib/machine/counters.ts';
import type { MachineObject, MapObjectRequest, ObjectKind } from '../../lib/machine/objects.ts';
import type { Tag } from '../support/tags.ts';
import { Pages } from './pages.ts';
import { type DeclareTest, type OpenSubject, type Scene, testsOf } from './scene.ts';
import type {
  TextFiles,
  Trait,
  World,
  WorldMachine,
  WorldProcess,
  WorldSettings,
} from './world.ts';

/** A family for worlds that have at least one of these traits. */
export function familyFor(
  subject: OpenSubject,
  family: string | { readonly name: string; readonly tags: Tag[] },
  traits: readonly Trait[],
  body: (declare: DeclareTest) => void,
): void {
  if (!traits.some((trait) => subject.traits.has(trait))) return;
  const { name, tags } = typeof family === 'string' ? { name: family, tags: [] } : family;
  describe(name, { tags }, () => body(testsOf(subject)));
}

function present<T>(calls: T | undefined, trait: string): T {
  if (calls === undefined) throw new Error(`the world claims the trait ${trait} without its calls`);
  return calls;
}

export function filesOf({ files }: World): TextFiles {
  return present(files, 'files');
}

export function settingsOf({ settings }: World): WorldSettings {
  return present(settings, 'settings');
}

export function vmCountersOf({ vmCounters }: World): Promise<VmCounters> {
  return present(vmCounters, 'counters')();
}

/** A fresh object; a kind that this process may not make skips the test. */
export async function createObject(
  { process, skip }: Pick<Scene, 'process' | 'skip'>,
  kind: ObjectKind,
  pageCount: number,
  name = 'puppet',
): Promise<MachineObject> {
  const result = await process.objects.create(kind, pageCount, name);
  if (!result.ok) return skip(`needs an object of kind ${kind}: ${errnoName(result.errno)}`);
  return result.value;
}

/** A mapping of part of an object, by default shared. */
export async function mapObject(
  process: WorldProcess,
  machine: WorldMachine,
  object: MachineObject,
  request: MapObjectRequest,
): Promise<Pages> {
  const result = await process.objects.map(object, { isShared: true, ...request });
  if (!result.ok) throw new Error(`mapping ${object.kind} failed: errno ${result.errno}`);
  return new Pages(process, result.value, request.pageCount, machine.pageSizeBytes);
}

/** Takes what a call must have given. */
export function given<T>(result: { ok: true; value: T } | { ok: false }): T {
  expect(result).toSucceed();
  return (result as { value: T }).value;
}

/** The areas in a range, cut to it. */
export async function areasIn(process: WorldProcess, span: PageSpan): Promise<MemoryArea[]> {
  return given(await process.areas.list(span));
}

/** The line of the mapping that starts there, without the address and without `active`. */
export async function lineAt(
  process: WorldProcess,
  address: bigint,
  folder: 'self' | 'thread-self' = 'thread-self',
): Promise<string> {
  const start = `${address.toString(16).padStart(8, '0')} `;
  const lines = given(await process.areas.numaMaps(folder));
  const found = lines.filter((line) => line.startsWith(start));
  expect(found).toHaveLength(1);
  return found[0]?.slice(start.length).replace(/ active=\d+/, '') ?? '';
}

/** Pages of each mapping that its line counts as dirty. */
export async function dirtyIn(...mappings: Pages[]): Promise<number[]> {
  const counts: number[] = [];
  for (const pages of mappings) {
    counts.push(Number(/ dirty=(\d+)/.exec(await lineAt(pages.process, pages.address))?.[1] ?? 0));
  }
  return counts;
}
