/** The steps that only programs with groups have. */

import type { WorldProcess } from '../contract/world.ts';
import type { Step } from './program.ts';
import {
  type Answer,
  placed,
  placedAll,
  plain,
  type Run,
  readBack,
  SKIPPED,
  type StepOf,
} from './run.ts';

const NOT_THERE: Answer = Promise.resolve(SKIPPED);

function register(run: Run, process: WorldProcess, step: StepOf<'register'>): Answer {
  const ring = process.references.registerBuffer(run.span(step));
  run.pins.set(step.pin, ring);
  return placed(run, plain(ring), process);
}

/** To be waited for: it asks for its ring before it sends anything. */
export async function unregister(
  run: Run,
  process: WorldProcess,
  step: StepOf<'unregister'>,
): Answer {
  const ring = await run.pins.get(step.pin);
  if (ring?.ok !== true) return SKIPPED;
  return plain(process.references.unregisterBuffer(ring.value));
}

function madvise(run: Run, process: WorldProcess, step: StepOf<'madvise'>): Answer {
  return placed(run, plain(process.areas.madvise(run.span(step), step.advice)), process);
}

function joinGroup(run: Run, step: StepOf<'joinGroup'>): Answer {
  const group = run.groups[step.group === 'root' ? 0 : step.group];
  if (group === undefined) return NOT_THERE;
  const pid = run.pidOf(step.target);
  const answer = plain(step.group === 'root' ? group.leave(pid) : group.attach(pid));
  const joined = run.living.get(step.target)?.process;
  return placedAll(run, joined === undefined ? answer : readBack(answer, joined));
}

function setMems(run: Run, step: StepOf<'setMems'>): Answer {
  const group = run.groups[step.group];
  return group === undefined ? NOT_THERE : placedAll(run, plain(group.setMems(step.nodes)));
}

/** undefined for any other step. */
export function groupStep(run: Run, process: WorldProcess, step: Step): Answer | undefined {
  switch (step.call) {
    case 'register':
      return register(run, process, step);
    case 'madvise':
      return madvise(run, process, step);
    case 'joinGroup':
      return joinGroup(run, step);
    case 'setMems':
      return setMems(run, step);
    default:
      return undefined;
  }
}
