/**
 * Asks each call and each of its flags once, without side effects, and puts the answers together
 * with what is known of this process.
 */

import type { Backend } from '../../backend/backend.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import { type NumaCall, numaCalls } from '../../core/calls.ts';
import { ERRNO, errnoName } from '../../core/errno.ts';
import { compareReleases } from '../../core/kernels.ts';
import { hasCapability, parseStatus } from '../../procfs/status.ts';
import type { Context } from '../context.ts';
import type { CallCapability, Capabilities, Capability, Confinement } from './capability.ts';
import { isReached, lacksNumaMaps } from './denial.ts';
import { explainRefusal, sinceText } from './explain.ts';
import { MODE_PROBES, PROBES, type Probe, SECCOMP_MODES } from './probes.ts';
import { remediesOf } from './remedies.ts';
import { findSurroundings } from './surroundings.ts';
import { climb } from './verbs.ts';

/** Files that verbs read. */
const FILES = ['/proc/self/maps', '/proc/self/numa_maps', '/proc/self/pagemap'] as const;

type FilePath = (typeof FILES)[number];

/** Asked once for each context: what is allowed to a process does not grow. */
const known = new WeakMap<Context, Promise<Capabilities>>();

export function capabilitiesOf(context: Context): Promise<Capabilities> {
  let found = known.get(context);
  if (found === undefined) {
    found = askAll(context);
    known.set(context, found);
  }
  return found;
}

async function askAll(context: Context): Promise<Capabilities> {
  const { backend } = context;
  const { kind, kernel } = backend.identity;
  const confinement = await findConfinement(backend);
  const files = await Promise.all(FILES.map((path) => askFile(backend, path, confinement)));
  const isWithoutNuma = files.some(({ cause }) => cause === 'kernel');
  const calls = await askCalls(backend, { confinement, isWithoutNuma });
  const byName = new Map<string, Capability>(files.map((file) => [file.name, file]));
  for (const call of Object.values(calls)) {
    byName.set(call.name, call);
    for (const part of call.parts) byName.set(`${call.name} ${part.name}`, part);
  }
  const allNodes = nodesCapability(context, confinement);
  const verbs = climb(byName);
  return freeze({ backend: kind, kernel, confinement, calls, files, allNodes, verbs });
}

/** What confines this process. */
async function findConfinement(backend: Backend): Promise<Confinement> {
  const text = await backend.readText('/proc/self/status');
  const status = parseStatus(text.ok ? text.value : '');
  const { seccompMode } = status;
  return {
    seccomp: seccompMode === null ? null : (SECCOMP_MODES[seccompMode] ?? null),
    hasNoNewPrivileges: status.hasNoNewPrivileges,
    userId: status.effectiveUid,
    hasSysNice: hasCapability(status, 'CAP_SYS_NICE'),
    hasSysPtrace: hasCapability(status, 'CAP_SYS_PTRACE'),
    surroundings: await findSurroundings(backend),
  };
}

async function askCalls(
  backend: Backend,
  process: Pick<Around, 'confinement' | 'isWithoutNuma'>,
): Promise<Record<NumaCall, CallCapability>> {
  const plain = new Map<NumaCall, Capability>();
  const parts = new Map<NumaCall, Capability[]>();
  for (const probe of [...PROBES, ...MODE_PROBES]) {
    const result = await probe.ask(backend);
    const { kernel } = backend.identity;
    const doesPlainWork = plain.get(probe.call)?.works;
    const answer = judge(probe, result, { kernel, ...process, doesPlainWork });
    if (probe.part === undefined) plain.set(probe.call, answer);
    else parts.set(probe.call, [...(parts.get(probe.call) ?? []), answer]);
  }
  const modes = modesOfThreads(plain, parts.get('mbind') ?? [], backend.identity.kernel);
  parts.set('set_mempolicy', modes);
  const answers: Partial<Record<NumaCall, CallCapability>> = {};
  for (const name of numaCalls) {
    const itself = plain.get(name) as Capability;
    answers[name] = { ...itself, name, parts: parts.get(name) ?? [] };
  }
  return answers as Record<NumaCall, CallCapability>;
}

type Around = Omit<Parameters<typeof explainRefusal>[0], 'probe' | 'errno'>;

function judge(probe: Probe, result: SyscallResult<unknown>, around: Around): Capability {
  if (result.ok || isReached(probe, result)) {
    return { name: probe.part ?? probe.call, works: true, isProbed: true };
  }
  return explainRefusal({ probe, errno: result.errno, ...around });
}

/**
 * Modes of set_mempolicy cannot be asked without setting one. The kernel checks them as those of
 * mbind; where mbind is refused, its release has to do.
 */
function modesOfThreads(
  plain: ReadonlyMap<NumaCall, Capability>,
  ofMbind: readonly Capability[],
  kernel: string,
): Capability[] {
  const setMempolicy = plain.get('set_mempolicy') as Capability;
  const isMbindOpen = plain.get('mbind')?.works === true;
  return MODE_PROBES.map(({ part, since }) => {
    const name = part as string;
    if (!setMempolicy.works) return { ...setMempolicy, name, isProbed: false };
    const asked = ofMbind.find((mode) => mode.name === name);
    if (isMbindOpen && asked !== undefined) return { ...asked, isProbed: false };
    if (since === undefined || compareReleases(kernel, since) >= 0) {
      return { name, works: true, isProbed: false };
    }
    const reason = sinceText(since, kernel);
    const remedies = remediesOf({ cause: 'kernel', since }, 'none');
    return { name, works: false, isProbed: false, cause: 'kernel', reason, remedies };
  });
}

async function askFile(
  backend: Backend,
  path: FilePath,
  confinement: Confinement,
): Promise<Capability> {
  const result = await lookAt(backend, path);
  if (result.ok) return { name: path, works: true, isProbed: true };
  const isLacking = path === '/proc/self/numa_maps' && lacksNumaMaps(backend);
  const cause = isLacking ? 'kernel' : 'procfs';
  const reason = isLacking
    ? 'the kernel was built without it: CONFIG_NUMA'
    : 'this file of /proc is missing or closed to this process';
  return {
    name: path,
    works: false,
    isProbed: true,
    cause,
    errnoName: errnoName(result.errno),
    reason,
    remedies: remediesOf({ cause }, confinement.surroundings.kind),
  };
}

/** The names of a folder have to do: to read numa_maps is to walk all page tables. */
async function lookAt(backend: Backend, path: FilePath): Promise<SyscallResult<unknown>> {
  if (path === '/proc/self/pagemap') return backend.pagemap({ address: 0n, pageCount: 1 });
  const names = await backend.readNames('/proc/self');
  if (!names.ok || names.value.includes(path.slice('/proc/self/'.length))) return names;
  return { ok: false, errno: ERRNO.ENOENT, syscall: 'open' };
}

/** Whether all nodes with memory may be used. */
function nodesCapability(context: Context, { surroundings }: Confinement): Capability {
  const { withMemory } = context.topology;
  const allowed = context.allowedNodes();
  const name = 'all nodes with memory';
  const forbidden = withMemory.difference(allowed);
  if (forbidden.isEmpty) return { name, works: true, isProbed: true };
  const cause = 'cpuset';
  const reason = `the cpuset of this thread has nodes ${allowed} of ${withMemory}`;
  const remedies = remediesOf({ cause, nodes: `${withMemory}` }, surroundings.kind);
  return { name, works: false, isProbed: true, cause, reason, remedies };
}

/** Freezes what the caller gets, all the way down. */
function freeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null && !Object.isFrozen(member)) freeze(member);
  }
  return Object.freeze(value);
}
