/**
 * The steps that only a simulated machine does: of processes beside one that has begun, of the
 * machine's administrator, and injected faults.
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { MADV } from '../../core/uapi.ts';
import type { SimulatedCpuset } from '../../simulator/interface/machine-settings.ts';
import type { SimulatedProcess, SteppedCall } from '../../simulator/interface/simulated-process.ts';
import type { Machine } from '../../simulator/simulated-machine.ts';
import { type Answer, answerOf, type StepResult } from './outcome.ts';
import type {
  BusyStep,
  CpusetStep,
  MapStep,
  PinStep,
  ProcessStep,
  SetStep,
  StepWord,
} from './scenario.ts';
import { COMMON_STEPS, mapped, type Performers, runOn, type Scene } from './steps.ts';

/** What names stand for, beside processes and mappings. */
export interface SimulatedScene extends Scene<SimulatedProcess> {
  readonly machine: Machine;
  readonly cpusets: Map<string, SimulatedCpuset>;
  /** What gives the references of a pin back. */
  readonly pins: Map<string, () => Answer>;
  /** What ends a fault. */
  readonly faults: Map<string, () => void>;
  /** @throws NumaError NUMA_INVALID_ARGUMENT: its step has failed */
  cpuset(name: string): SimulatedCpuset;
  /** Makes a call that may move pages: at once, or step by step where others act meanwhile. */
  move<T>(stepped: () => SteppedCall<T>, atOnce: () => SyscallResult<T>): SyscallResult<T>;
}

const PROCESS_STEPS: Performers<
  ('process' | 'thread' | 'fork' | 'exit') | ('map' | 'keepTouching' | 'madvise' | 'pin' | 'unpin'),
  SimulatedScene
> = {
  process: beginProcess,
  thread: (scene, step) => {
    const maker = scene.cast.actor(step.by);
    const thread = maker.thread.thread();
    const started = runOn(scene, scene.cast.addThread(step.name, maker, thread), step);
    return { ...started, details: `tid ${thread.tid}, ${started.details}` };
  },
  fork: ({ cast }, { name, by }) => {
    const parent = cast.actor(by);
    const child = parent.thread.fork();
    child.name = name;
    cast.addProcess(name, child, parent.processName);
    return { answer: 0, details: `pid ${child.pid}` };
  },
  exit: ({ cast }, { by }) => {
    cast.actor(by).process.exit();
    return { answer: 0 };
  },
  map,
  keepTouching: ({ cast }, step) => {
    const { memory } = cast.actor(step.by).thread;
    const { access = 'write', milliseconds } = step;
    return { answer: answerOf(memory.keepTouching(cast.span(step), access, milliseconds)) };
  },
  madvise: ({ cast }, step) => {
    const { areas } = cast.actor(step.by).thread;
    const advice = MADV[step.advice as keyof typeof MADV];
    return { answer: answerOf(areas.madvise(cast.span(step), advice)) };
  },
  pin,
  unpin: ({ pins }, step) => ({ answer: pins.get(step.pin)?.() ?? 0 }),
};

const MACHINE_STEPS: Performers<
  'set' | 'hugePool' | 'interleaveWeight' | 'cpuset' | 'setMems' | 'attach',
  SimulatedScene
> = {
  set: changeSettings,
  hugePool: ({ machine: { settings } }, { node, pageCount }) => {
    settings.setHugePoolPages(node, pageCount);
    return { details: `the pool has ${settings.hugePoolPages(node)}` };
  },
  interleaveWeight: ({ machine }, { node, weight }) => {
    machine.setInterleaveWeight(node, weight);
    return {};
  },
  cpuset: makeCpuset,
  setMems: (scene, { cpuset: name, nodes }) => {
    const cpuset = scene.cpuset(name);
    const result = scene.move(
      () => cpuset.steps.setMems(nodes),
      () => cpuset.setMems(nodes),
    );
    return { answer: answerOf(result) };
  },
  attach: (scene, { cpuset: name, by }) => {
    const cpuset = scene.cpuset(name);
    const { pid } = scene.cast.actor(by).process;
    const result = scene.move(
      () => cpuset.steps.attach(pid),
      () => cpuset.attach(pid),
    );
    return { answer: answerOf(result) };
  },
};

const FAULT_STEPS: Performers<
  'nodeFull' | 'busy' | 'writeback' | 'deny' | 'endFault',
  SimulatedScene
> = {
  nodeFull: (scene, { name, node, afterPages = 0 }) =>
    keepFault(scene, name, scene.machine.faults.nodeFull(node, afterPages)),
  busy: makeBusy,
  writeback: makeBusy,
  deny: (scene, { name, call, errno }) =>
    keepFault(scene, name, scene.machine.faults.deny(call, errno)),
  endFault: ({ faults }, { fault }) => {
    faults.get(fault)?.();
    return {};
  },
};

/** All but those that look at other steps. */
export const SIMULATED_STEPS: Performers<
  Exclude<StepWord, 'expect' | 'meanwhile'>,
  SimulatedScene
> = {
  ...COMMON_STEPS,
  ...PROCESS_STEPS,
  ...MACHINE_STEPS,
  ...FAULT_STEPS,
};

function beginProcess(scene: SimulatedScene, step: ProcessStep): StepResult {
  const { name, uid, capabilities } = step;
  const process = scene.machine.process({
    ...(uid === undefined ? {} : { uid }),
    ...(capabilities === undefined ? {} : { capabilities }),
  });
  process.name = name;
  const started = runOn(scene, scene.cast.addProcess(name, process), step);
  return { ...started, details: `pid ${process.pid}, ${started.details}` };
}

function map(scene: SimulatedScene, step: MapStep): StepResult {
  const { memory, objects } = scene.cast.actor(step.by).thread;
  const { file } = step;
  return mapped(scene, step, (request) => {
    if (file === undefined) return memory.mmap(request);
    const object = objects.create(file, request.pageCount, step.name);
    return object.ok ? objects.map(object.value, request) : object;
  });
}

function pin({ cast, pins }: SimulatedScene, step: PinStep): StepResult {
  const { thread } = cast.actor(step.by);
  const span = cast.span(step);
  const keep = (release: () => Answer): StepResult => {
    if (step.name !== undefined) pins.set(step.name, release);
    return { answer: 0 };
  };
  if (step.how === 'pipe') {
    const pipe = thread.references.splice(span);
    if (!pipe.ok) return { answer: answerOf(pipe) };
    return keep(() => answerOf(thread.references.close(pipe.value)));
  }
  const release = thread.pin(span);
  return keep(() => {
    release();
    return 0;
  });
}

function changeSettings({ machine }: SimulatedScene, step: SetStep): StepResult {
  const { balancing, hugePages } = step;
  if (balancing !== undefined) machine.settings.balancing = balancing;
  if (hugePages !== undefined) machine.hugePages = hugePages;
  return {};
}

function makeCpuset({ machine, cpusets }: SimulatedScene, step: CpusetStep): StepResult {
  const { name, nodes, version, migrates } = step;
  const made = machine.settings.cpuset({
    ...(version === undefined ? {} : { version }),
    ...(migrates === undefined ? {} : { migrates }),
  });
  if (!made.ok) return { answer: answerOf(made) };
  cpusets.set(name, made.value);
  return { answer: answerOf(made.value.setMems(nodes)) };
}

function makeBusy(scene: SimulatedScene, step: BusyStep): StepResult {
  const { process } = scene.cast.actor(step.by);
  const { faults } = scene.machine;
  const make = step.do === 'busy' ? faults.busy : faults.writeback;
  const end = make.call(faults, process, scene.cast.span(step), step.tries);
  return keepFault(scene, step.name, end);
}

function keepFault(scene: SimulatedScene, name: string | undefined, end: () => void): StepResult {
  if (name !== undefined) scene.faults.set(name, end);
  return {};
}
