/**
 * The steps of a machine's administrator, and injected faults, on a simulated machine.
 */

import { answerOf, type StepResult } from './outcome.ts';
import type { BusyStep, CpusetStep, SetStep } from './scenario.ts';
import type { Performers, Scene } from './simulated-steps.ts';

export const MACHINE_PERFORMERS: Performers<
  'set' | 'hugePool' | 'interleaveWeight' | 'cpuset' | 'setMems' | 'attach'
> = {
  set: changeSettings,
  hugePool: ({ cast }, { node, pageCount }) => {
    const { settings } = cast.machine;
    settings.setHugePoolPages(node, pageCount);
    return { details: `the pool has ${settings.hugePoolPages(node)}` };
  },
  interleaveWeight: ({ cast }, { node, weight }) => {
    cast.machine.setInterleaveWeight(node, weight);
    return {};
  },
  cpuset: makeCpuset,
  setMems: (scene, { cpuset: name, nodes }) => {
    const cpuset = scene.cast.cpuset(name);
    const result = scene.move(
      () => cpuset.steps.setMems(nodes),
      () => cpuset.setMems(nodes),
    );
    return { answer: answerOf(result) };
  },
  attach: (scene, { cpuset: name, by }) => {
    const cpuset = scene.cast.cpuset(name);
    const { pid } = scene.cast.actor(by).process;
    const result = scene.move(
      () => cpuset.steps.attach(pid),
      () => cpuset.attach(pid),
    );
    return { answer: answerOf(result) };
  },
};

export const FAULT_PERFORMERS: Performers<'nodeFull' | 'busy' | 'writeback' | 'deny' | 'endFault'> =
  {
    nodeFull: ({ cast }, { name, node, afterPages = 0 }) => {
      cast.keepFault(name, cast.machine.faults.nodeFull(node, afterPages));
      return {};
    },
    busy: makeBusy,
    writeback: makeBusy,
    deny: ({ cast }, { name, call, errno }) => {
      cast.keepFault(name, cast.machine.faults.deny(call, errno));
      return {};
    },
    endFault: ({ cast }, { fault }) => {
      cast.faults.get(fault)?.();
      return {};
    },
  };

function changeSettings({ cast }: Scene, { balancing, hugePages }: SetStep): StepResult {
  const { machine } = cast;
  if (balancing !== undefined) machine.settings.balancing = balancing;
  if (hugePages !== undefined) machine.hugePages = hugePages;
  return {};
}

function makeCpuset({ cast }: Scene, step: CpusetStep): StepResult {
  const { name, nodes, version, migrates } = step;
  const made = cast.machine.settings.cpuset({
    ...(version === undefined ? {} : { version }),
    ...(migrates === undefined ? {} : { migrates }),
  });
  if (!made.ok) return { answer: answerOf(made) };
  cast.cpusets.set(name, made.value);
  return { answer: answerOf(made.value.setMems(nodes)) };
}

function makeBusy({ cast }: Scene, step: BusyStep): StepResult {
  const { process } = cast.actor(step.by);
  const { faults } = cast.machine;
  const span = cast.span(step);
  const make = step.do === 'busy' ? faults.busy : faults.writeback;
  cast.keepFault(step.name, make.call(faults, process, span, step.tries));
  return {};
}
