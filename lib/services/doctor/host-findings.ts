/**
 * What surrounds the calls: the engine, the cpuset, limits, and what the kernel does by itself.
 * Each is left out where the machine does not tell.
 */

import type { Backend } from '../../backend/backend.ts';
import { formatIdList } from '../../core/id-list.ts';
import { NodeMask } from '../../core/node-mask.ts';
import { MIB_BYTES } from '../../core/units.ts';
import type { Capabilities } from '../../facade/capabilities/capability.ts';
import type { SurroundingsKind } from '../../facade/capabilities/surroundings.ts';
import { backendOf, type Numa } from '../../facade/numa.ts';
import { parseLimits } from '../../procfs/limits.ts';
import { parseStatus } from '../../procfs/status.ts';
import { unlistedProcesses } from '../unlisted-processes.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

/** What services get by default; less ends programs that register memory with devices. */
const LOCKED_BYTES_USUAL = 8 * MIB_BYTES;
/** Shares of vm.max_map_count in use. */
const MAPPINGS_WARNING = 0.5;
const MAPPINGS_PROBLEM = 0.9;

export function confinementFindings({ confinement, allNodes }: Capabilities): Finding[] {
  const { surroundings, seccomp, hasSysNice, hasNoNewPrivileges } = confinement;
  const { kind, evidence } = surroundings;
  const told = (value: boolean | null): string =>
    value === null ? 'unknown' : value ? 'yes' : 'no';
  const privileges = [
    `seccomp ${seccomp ?? 'unknown'}`,
    `CAP_SYS_NICE ${told(hasSysNice)}`,
    `no_new_privs ${told(hasNoNewPrivileges)}`,
  ];
  return [
    ok('container', `${kind === 'none' ? 'no container' : kind} (${evidence})`),
    ok('privileges', privileges.join(', ')),
    allNodes.works
      ? ok('cpuset.nodes', `${allNodes.name} may be used`)
      : warning('cpuset.nodes', `${allNodes.reason}`, allNodes.remedies),
  ];
}

export function nodeFindings({ topology }: Numa): Finding[] {
  if (topology.incompleteReason !== null) return [warning('nodes', topology.incompleteReason)];
  const count = topology.withMemory.size;
  if (count > 1) return [ok('nodes', `${count} nodes have memory: ${topology.withMemory}`)];
  const action = 'node-numa nodes --machine four-nodes';
  return [
    warning('nodes', 'one node has memory: pages have nowhere to move', [
      { action, effect: 'shows a simulated machine' },
    ]),
  ];
}

/** Whether the CPUs that may be used have memory of their own that may be used. */
export async function cpuFindings(numa: Numa): Promise<Finding[]> {
  const cpus = parseStatus(await textOf(backendOf(numa), '/proc/self/status')).cpusAllowed;
  if (cpus === null) return [];
  const { nodes } = numa.topology;
  const untold = NodeMask.from(nodes.filter((node) => node.cpus === null).map(({ id }) => id));
  if (!untold.isEmpty) {
    return [warning('cpuset.cpus', `which CPUs are of node ${untold} is not told`)];
  }
  const online = nodes.flatMap((node) => node.cpus ?? []);
  const usable = online.filter((cpu) => cpus.includes(cpu));
  const nodesOfCpus = nodes.filter((node) => node.cpus?.some((cpu) => usable.includes(cpu)));
  const ids = NodeMask.from(nodesOfCpus.map(({ id }) => id));
  const memory = numa.allowedNodes();
  const part = usable.length === online.length ? 'all CPUs' : `CPUs ${formatIdList(usable)}`;
  if (!ids.isEmpty && ids.intersection(memory).isEmpty) {
    const text = `CPUs are those of nodes ${ids}, memory is of nodes ${memory}: all is remote`;
    return [warning('cpuset.cpus', text, alignRemedies(`${ids}`, usable))];
  }
  return [ok('cpuset.cpus', `${part} may be used, of nodes ${ids}`)];
}

function alignRemedies(nodes: string, cpus: readonly number[]): Finding['remedies'] {
  const action = `docker run --cpuset-cpus ${formatIdList(cpus)} --cpuset-mems ${nodes} ...`;
  return [{ action, effect: 'CPUs and memory of the same nodes; other engines have the like' }];
}

/** Whether all processes can be found. */
export async function processFindings(numa: Numa): Promise<Finding[]> {
  const backend = backendOf(numa);
  if (!(await backend.readText('/proc/self/mounts')).ok) return [];
  const [unlisted] = await unlistedProcesses(backend);
  if (unlisted === undefined) return [ok('processes', 'all processes are listed')];
  const { kind, message } = unlisted;
  // Nothing is wrong with a container.
  if (kind === 'pid-namespace') return [ok('processes', message)];
  return [
    warning('processes', message, [
      { action: 'sudo node-numa top', effect: 'looks as root, who sees all' },
      {
        action: 'sudo mount -o remount,hidepid=0 /proc',
        effect: 'every user sees the processes of every other',
      },
    ]),
  ];
}

export async function limitFindings(numa: Numa, kind: SurroundingsKind): Promise<Finding[]> {
  const backend = backendOf(numa);
  const limits = parseLimits(await textOf(backend, '/proc/self/limits'));
  const locked = limits.get('Max locked memory');
  return [
    ...(locked === undefined ? [] : [lockedFinding(locked.soft, kind)]),
    ...(await mappingFindings(backend)),
  ];
}

function lockedFinding(bytes: number, kind: SurroundingsKind): Finding {
  const id = 'limits.memlock';
  if (bytes === Number.POSITIVE_INFINITY) return ok(id, 'any amount of memory may be locked');
  const text = `${bytes / MIB_BYTES} MiB may be locked or registered with devices`;
  if (bytes >= LOCKED_BYTES_USUAL) return ok(id, text);
  const action = LOCKED_REMEDIES[kind] ?? 'ulimit -l unlimited';
  return warning(id, text, [{ action, effect: 'RLIMIT_MEMLOCK no longer bounds it' }]);
}

const LOCKED_REMEDIES: Readonly<Partial<Record<SurroundingsKind, string>>> = {
  docker: 'docker run --ulimit memlock=-1 ...',
  podman: 'podman run --ulimit memlock=-1 ...',
  'systemd-service': 'LimitMEMLOCK=infinity',
};

/** mbind splits mappings: a process that is near the limit gets ENOMEM from it. */
async function mappingFindings(backend: Backend): Promise<Finding[]> {
  const max = Number.parseInt(await textOf(backend, '/proc/sys/vm/max_map_count'), 10);
  const maps = await textOf(backend, '/proc/self/maps');
  if (!(max > 0) || maps === '') return [];
  const count = maps.split('\n').length - 1;
  const text = `this process has ${count} mappings, vm.max_map_count is ${max}`;
  const id = 'limits.mappings';
  const effect = 'room for policies on many ranges, each of which splits mappings';
  const remedies = [{ action: `sysctl vm.max_map_count=${max * 4}`, effect }];
  if (count > max * MAPPINGS_PROBLEM) return [problem(id, text, remedies)];
  return [count > max * MAPPINGS_WARNING ? warning(id, text, remedies) : ok(id, text)];
}

/** What the kernel does to pages by itself. */
export async function kernelFindings(numa: Numa): Promise<Finding[]> {
  const { mode, isDemotionEnabled } = await numa.balancing();
  const findings: Finding[] = [];
  if (mode === 'off') findings.push(ok('balancing', 'automatic NUMA balancing is off'));
  else if (mode !== null) {
    const text = `automatic NUMA balancing is on (${mode}): it moves pages whose range and thread`;
    findings.push(
      warning('balancing', `${text} have no policy`, [
        {
          action: 'buffer.exemptFromBalancing()',
          effect: 'keeps one range where it is; any policy of its own does, too',
        },
        { action: 'sysctl kernel.numa_balancing=0', effect: 'stops it for the whole machine' },
      ]),
    );
  }
  if (isDemotionEnabled === true) {
    const effect = 'reclaim writes cold pages to swap, or drops them, in place of moving them';
    const action = 'echo false | sudo tee /sys/kernel/mm/numa/demotion_enabled';
    const text = 'reclaim moves cold pages to slower nodes (demotion)';
    findings.push(warning('demotion', text, [{ action, effect }]));
  }
  return [...findings, ...(await hugePageFindings(backendOf(numa)))];
}

async function hugePageFindings(backend: Backend): Promise<Finding[]> {
  const text = await textOf(backend, '/sys/kernel/mm/transparent_hugepage/enabled');
  const word = /\[(\w+)\]/.exec(text)?.[1];
  if (word === undefined) return [];
  const meaning = { always: ': pages are placed and moved 2 MiB at a time', never: '' }[word] ?? '';
  return [ok('thp', `transparent huge pages: ${word}${meaning}`)];
}

/** A file's text; empty where it cannot be read. */
async function textOf(backend: Backend, path: string): Promise<string> {
  const result = await backend.readText(path);
  return result.ok ? result.value : '';
}
