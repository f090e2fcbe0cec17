/** The steps that only programs with objects have, and what there is for them. */

import type { WorldProcess, WorldSettings } from '../contract/world.ts';
import type { Step } from './program.ts';
import { type Answer, placed, plain, type Run, resized, SKIPPED, type StepOf } from './run.ts';

export type HugePageSettings = Pick<WorldSettings, 'withHugePool' | 'withTransparentHugePages'>;

/** In the pool of each node, as long as programs with objects run. */
const POOL_PAGES = 4;

export function withHugePages<T>(settings: HugePageSettings, body: () => Promise<T>): Promise<T> {
  return settings.withHugePool(POOL_PAGES, () => settings.withTransparentHugePages(body));
}

export async function makeObjects({ program, objects, living }: Run): Promise<void> {
  const process = living.get(0)?.process;
  if (program.objects === undefined || process === undefined) return;
  await process.allowHugePages();
  for (const { kind, pages } of program.objects) {
    const made = await process.objects.create(kind, pages);
    if (!made.ok) throw new Error(`seed ${program.seed}: no ${kind}: errno ${made.errno}`);
    objects.push(made.value);
  }
}

export function objectStep(run: Run, process: WorldProcess, step: Step): Answer | undefined {
  switch (step.call) {
    case 'resize': {
      const answer = process.areas.resize(run.span(step), step.newPages);
      return placed(run, resized(answer, run.address(step.page)), process);
    }
    case 'mremap': {
      const to = run.address(step.toPage);
      return placed(run, plain(process.areas.mremap(run.span(step), to)), process);
    }
    case 'mapObject':
    case 'writeObject':
      return withObject(run, process, step);
    default:
      return undefined;
  }
}

function withObject(
  run: Run,
  process: WorldProcess,
  step: StepOf<'mapObject' | 'writeObject'>,
): Answer {
  const object = run.objects[step.object];
  if (object === undefined) return Promise.resolve(SKIPPED);
  const { firstPage, pages } = step;
  if (step.call === 'writeObject') {
    return plain(process.objects.write(object, { firstPage, pageCount: pages }));
  }
  const { isShared } = step;
  const answer = process.objects.map(object, { ...run.span(step), firstPage, isShared });
  return placed(run, plain(answer), process);
}
