/**
 * What this process runs in: a container of which engine, a service of systemd, or neither. Told
 * from files that engines leave where a process inside can see them.
 *
 * Source: systemd's container interface (systemd.io/CONTAINER_INTERFACE), proc_pid_mountinfo(5),
 * cgroups(7). Docker and Podman mount a container's hosts and resolv.conf from a folder of its own.
 */

import type { Backend } from '../../backend/backend.ts';

export type SurroundingsKind =
  | 'kubernetes'
  | 'docker'
  | 'podman'
  | 'systemd-nspawn'
  | 'lxc'
  | 'container'
  | 'systemd-service'
  | 'none';

export interface Surroundings {
  /** `container`: one of an engine that is not known here. */
  readonly kind: SurroundingsKind;
  /** What told it: a path, with the words found there. */
  readonly evidence: string;
}

/** A path, and words in its text that mean something. */
interface Sign {
  readonly path: string;
  readonly pattern: RegExp;
  readonly kind: SurroundingsKind;
}

const ROOT = '/proc/self/root';
const CONTAINER_MANAGER = `${ROOT}/run/host/container-manager`;
const CONTAINER_ID = '[0-9a-f]{64}';

/** The first that is there counts: a pod is also a container of some engine. */
const SIGNS: readonly Sign[] = [
  {
    path: `${ROOT}/var/run/secrets/kubernetes.io/serviceaccount/namespace`,
    pattern: /(?:)/,
    kind: 'kubernetes',
  },
  {
    path: '/proc/self/mountinfo',
    pattern: /\/kubelet\/pods\/|\/io\.containerd\.grpc\.v1\.cri\/sandboxes\//,
    kind: 'kubernetes',
  },
  { path: '/proc/self/cgroup', pattern: /\/kubepods[.\-/]/, kind: 'kubernetes' },
  { path: `${ROOT}/run/.containerenv`, pattern: /(?:)/, kind: 'podman' },
  {
    path: '/proc/self/mountinfo',
    pattern: new RegExp(`/overlay-containers/${CONTAINER_ID}/userdata/`),
    kind: 'podman',
  },
  { path: '/proc/self/cgroup', pattern: /\/libpod-/, kind: 'podman' },
  { path: `${ROOT}/.dockerenv`, pattern: /(?:)/, kind: 'docker' },
  {
    path: '/proc/self/mountinfo',
    pattern: new RegExp(`/containers/${CONTAINER_ID}/(?:hosts|hostname|resolv\\.conf) `),
    kind: 'docker',
  },
  {
    path: '/proc/self/cgroup',
    pattern: new RegExp(`/docker[-/]${CONTAINER_ID}`),
    kind: 'docker',
  },
  { path: CONTAINER_MANAGER, pattern: /systemd-nspawn/, kind: 'systemd-nspawn' },
  { path: CONTAINER_MANAGER, pattern: /lxc/, kind: 'lxc' },
  { path: '/proc/self/cgroup', pattern: /\/lxc[./]/, kind: 'lxc' },
  { path: CONTAINER_MANAGER, pattern: /(?:)/, kind: 'container' },
  {
    path: '/proc/self/cgroup',
    pattern: /\/(?!user@)[^/\n]+\.service(?=$|\/)/m,
    kind: 'systemd-service',
  },
];

/** Names those around this process. */
export async function findSurroundings(backend: Backend): Promise<Surroundings> {
  const texts = new Map<string, string | null>();
  for (const { path, pattern, kind } of SIGNS) {
    let text = texts.get(path);
    if (text === undefined) {
      const result = await backend.readText(path);
      text = result.ok ? result.value : null;
      texts.set(path, text);
    }
    const [found] = (text === null ? null : pattern.exec(text)) ?? [];
    if (found !== undefined) return { kind, evidence: evidenceOf(path, found) };
  }
  return { kind: 'none', evidence: 'no sign of a container or of a service' };
}

/** Ids are of no use to people. */
function evidenceOf(path: string, found: string): string {
  const shown = path.replace(ROOT, '');
  const words = found.trim().replace(new RegExp(CONTAINER_ID), 'ID');
  return words === '' ? `${shown} is there` : `${shown} has ${words}`;
}
