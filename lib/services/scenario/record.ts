/**
 * Performs a scenario on this host's kernel, and makes a scenario of what the kernel did: the same
 * steps, on a description of this host, each with what it must come to. Playing it compares the
 * simulator with the kernel.
 */

import type { Backend } from '../../backend/backend.ts';
import { NumaError } from '../../core/errors.ts';
import { kernelLineOf } from '../../core/kernels.ts';
import type { MachineDescription } from '../../core/machine-description.ts';
import { checkMachineDescription } from '../../core/machine-description.ts';
import { NodeMask } from '../../core/node-mask.ts';
import { parsePolicy } from '../../core/policy-text.ts';
import { MIB_BYTES } from '../../core/units.ts';
import { Topology } from '../../facade/topology.ts';
import { HOST_WORDS, HostStage } from './host-stage.ts';
import type { StepOutcome } from './outcome.ts';
import type { ExpectStep, Scenario, Step } from './scenario.ts';

const HUGE_PAGES_FILE = '/sys/kernel/mm/transparent_hugepage/enabled';

export interface Recording {
  /** What the kernel did, to be played. */
  readonly scenario: Scenario;
  /** Of the steps that were performed. */
  readonly outcomes: readonly StepOutcome[];
}

/**
 * The scenario's own expectations give way to what the kernel does.
 * @throws NumaError NUMA_UNSUPPORTED: a step that one process of Node cannot do here, a node that
 *   this host does not have, or a host that the simulator cannot describe; what a stage throws
 */
export async function recordScenario(scenario: Scenario, backend: Backend): Promise<Recording> {
  const snapshot = backend.topology();
  if (!snapshot.ok) throw unsupported('this host does not tell its nodes');
  const topology = new Topology(snapshot.value);
  const machine = describeHost(topology, backend.identity.kernel);
  checkSteps(scenario, topology);
  const stage = new HostStage(backend, machine);
  const outcomes: StepOutcome[] = [];
  const steps: Step[] = [];
  try {
    for (const [index, step] of scenario.steps.entries()) {
      if (step.do === 'expect') continue;
      const outcome = await stage.perform(step, index);
      outcomes.push(outcome);
      steps.push(asPerformed(step, stage));
      steps.push(...expectations(outcome, stage));
    }
  } finally {
    stage.end();
  }
  const { name, summary, watch } = scenario;
  const { kernel } = backend.identity;
  const hugePages = await hugePagesWord(backend);
  return {
    outcomes,
    scenario: {
      ...{ format: 1, name, summary, machine, kernel: kernelLineOf(kernel) },
      ...{ pageSizeBytes: backend.pageSizeBytes, hugePages, recorded: `Linux ${kernel}` },
      ...(watch === undefined ? {} : { watch }),
      steps,
    },
  };
}

function describeHost(topology: Topology, kernel: string): MachineDescription {
  const { nodes } = topology;
  const unknown = firstUnknown(topology);
  if (unknown !== undefined) throw unsupported(`this host does not tell ${unknown}`);
  const description = {
    name: 'host',
    description: `A machine that Linux ${kernel} was recorded on.`,
    nodes: nodes.map(({ id, cpus, memoryBytes }) => {
      return { id, memoryMiB: Math.floor(Number(memoryBytes) / MIB_BYTES), cpus };
    }),
    distances: nodes.map((from) => nodes.map((to) => topology.distance(from.id, to.id))),
  };
  try {
    return checkMachineDescription(description);
  } catch (error) {
    throw unsupported(`the simulator has no such machine: ${(error as Error).message}`);
  }
}

/** What a description needs, and this host does not tell. */
function firstUnknown(topology: Topology): string | undefined {
  const { nodes } = topology;
  for (const { id, cpus, memoryBytes } of nodes) {
    if (memoryBytes === null) return `the memory of node ${id}`;
    if (cpus === null) return `the CPUs of node ${id}`;
    const far = nodes.find((to) => topology.distance(id, to.id) === null);
    if (far !== undefined) return `the distance from node ${id} to node ${far.id}`;
  }
  return undefined;
}

/** Refuses what cannot be done here before anything is done. */
function checkSteps({ steps }: Scenario, { online }: Topology): void {
  const unmapped = new Set<string>();
  steps.forEach((step, index) => {
    const refuse = (reason: string): never => {
      throw unsupported(`step ${index + 1} (${step.do}): ${reason}`);
    };
    const reason = reasonAgainst(step, index);
    if (reason !== undefined) refuse(reason);
    const absent = nodesOf(step).difference(online);
    if (!absent.isEmpty) refuse(`names node ${absent}, and this host has ${online}`);
    const { mapping } = step as { readonly mapping?: string };
    if (mapping === undefined || step.do === 'expect') return;
    if (unmapped.has(mapping)) refuse(`${mapping} is unmapped, and its addresses may be another's`);
    if (step.do === 'unmap') unmapped.add(mapping);
  });
}

function reasonAgainst(step: Step, index: number): string | undefined {
  if (!HOST_WORDS.includes(step.do)) return 'one process of Node cannot do it on this host';
  if (step.do === 'process') {
    if (index > 0) return 'there is one process here, and it has begun';
    const isOther = step.uid !== undefined || step.capabilities !== undefined;
    return isOther ? 'the process here has the user that it has' : undefined;
  }
  if (step.do === 'map' && (step.shared === true || step.file !== undefined)) {
    return 'only private anonymous memory is mapped here';
  }
  if (step.do === 'unmap' && (step.firstPage !== undefined || step.pageCount !== undefined)) {
    return 'a mapping is given up as a whole here';
  }
  return undefined;
}

/** Nodes that a step cannot do without. */
function nodesOf(step: Step): NodeMask {
  const { node, to, from, policy } = step as {
    readonly node?: number;
    readonly to?: number | string;
    readonly from?: string;
    readonly policy?: string;
  };
  const ofPolicy = policy === undefined ? undefined : parsePolicy(policy, 'policy').nodes;
  const parts = [node, to, from, ofPolicy].filter((part) => part !== undefined);
  return parts.reduce<NodeMask>((all, part) => {
    if (typeof part === 'number') return all.union(NodeMask.from([part]));
    return all.union(typeof part === 'string' ? NodeMask.parse(part) : part);
  }, NodeMask.empty);
}

/** The step with what the kernel chose: where memory is mapped decides how it is interleaved. */
function asPerformed(step: Step, stage: HostStage): Step {
  if (step.do !== 'map' || !stage.mappingNames.includes(step.name)) return stage.placed(step);
  const { lengthBytes: _, ...rest } = step;
  const { address, pageCount } = stage.cast.mapping(step.name);
  return { ...rest, pageCount, address: `0x${address.toString(16)}` };
}

/** What a step came to; where it moved or touched pages, where they are. */
function expectations({ step, answer, statuses }: StepOutcome, stage: HostStage): ExpectStep[] {
  if (step.do === 'process' || step.do === 'map' || step.do === 'unmap') return [];
  // How many pages of this whole process could not move says nothing of the scenario's.
  const isTold = step.do !== 'migratePages' || typeof answer === 'string';
  const called: ExpectStep[] = [];
  if (isTold && answer !== null) {
    called.push({ do: 'expect', answer, ...(statuses === undefined ? {} : { statuses }) });
  }
  const { mapping } = step as { readonly mapping?: string };
  const all = step.do === 'migratePages' ? stage.mappingNames : [];
  const moved = mapping === undefined ? all : [mapping];
  const placed = moved.map((name): ExpectStep => {
    return { do: 'expect', mapping: name, ...stage.pagesOf(name) };
  });
  return [...called, ...placed];
}

async function hugePagesWord(backend: Backend): Promise<'always' | 'madvise' | 'never'> {
  const text = await backend.readText(HUGE_PAGES_FILE);
  const word = text.ok ? /\[(always|madvise|never)\]/.exec(text.value)?.[1] : undefined;
  return (word ?? 'never') as 'always' | 'madvise' | 'never';
}

function unsupported(message: string): NumaError {
  return new NumaError(`cannot be recorded: ${message}`, { code: 'NUMA_UNSUPPORTED' });
}
