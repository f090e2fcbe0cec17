/** One of each object that users get, on one backend, and arguments with which each call works. */

import { bind, CpuMask, NodeMask, type Numa, openNuma } from '../../lib/index.ts';
import { Machine, presets } from '../../lib/simulator/public.ts';
import { openSyscalls } from '../../lib/syscalls/public.ts';
import { FaultFixtures } from '../../lib/testing/public.ts';

export interface World {
  /** What has methods, by the name that it has in this suite. */
  readonly owners: Readonly<Record<string, object>>;
  readonly numa: Numa;
  /** Mapped, and of four pages. */
  readonly address: bigint;
  readonly pageSizeBytes: number;
  readonly machine: Machine | undefined;
  end(): void;
}

const PAGES = 4;

function ownersOn(numa: Numa): { owners: Record<string, object>; address: bigint; end(): void } {
  const buffer = numa.allocate(PAGES * numa.pageSizeBytes);
  buffer.touch();
  const { topology, thread } = numa;
  const bare = openSyscalls(numa);
  const view = numa.view(new ArrayBuffer((PAGES + 1) * numa.pageSizeBytes));
  const memory = { buffer, view };
  const owners = { numa, topology, thread, ...memory, process: numa.process(), syscalls: bare };
  const end = () => {
    buffer.release();
    view.release();
    // What a call with wrong values has left of the thread.
    bare.setMempolicy({ mode: 0, nodemask: null });
  };
  return { owners, address: buffer.address, end };
}

/** On this host's kernel. */
export function nativeWorld(): World {
  const numa = openNuma({ backend: 'native' });
  return { ...ownersOn(numa), numa, pageSizeBytes: numa.pageSizeBytes, machine: undefined };
}

/** One machine for each world: a call may end its process. */
export function simulatedWorld(): World {
  const machine = new Machine(presets.twoSockets);
  const numa = openNuma({ machine });
  const { owners, address, end } = ownersOn(numa);
  const { self, settings, faults } = machine;
  const thread = self.mainThread;
  const made = settings.cpuset();
  if (!made.ok) throw new Error('no cpuset');
  const fixtures = new FaultFixtures(machine);
  const costs = machine.startCosts();
  const trace = machine.traceMigrations();
  const { memory, areas, objects, references, numa: numaCalls, steps, backend } = self;
  const calledStep = steps.touch({ address, pageCount: 1 }, 'read');
  return {
    owners: {
      ...owners,
      ...{ machine, settings, weights: settings.weights, faults, self, simulatedThread: thread },
      ...{ backend, memory, areas, objects, references, numaCalls, steps, steppedCall: calledStep },
      ...{ cpuset: made.value, cpusetSteps: made.value.steps, costs, trace, fixtures },
      ...{ writer: faults.racingWriter(self, { address, pageCount: 1 }) },
      ...{
        fault: fixtures.nodeFull(1),
        mask: NodeMask.of(0, 1),
        cpus: CpuMask.of(0, 1),
        policy: bind(0),
      },
    },
    numa,
    address,
    pageSizeBytes: machine.pageSizeBytes,
    machine,
    end,
  };
}
