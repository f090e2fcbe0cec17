/**
 * What to write, and where, so that something works that does not: exact text for what this process
 * runs in. The narrowest permission first.
 *
 * Source: Docker's and Podman's seccomp profiles, which have four of the six calls for containers
 * with CAP_SYS_NICE, and move_pages and migrate_pages for none; systemd.exec(5), systemd-nspawn(1),
 * Kubernetes' SecurityContext; capabilities(7).
 */

import { NUMA_CALLS, type NumaCall, numaCalls } from '../../core/calls.ts';
import type { CapabilityCause, Remedy } from './capability.ts';
import type { SurroundingsKind } from './surroundings.ts';

/** What a remedy is looked for. */
export interface Ailment {
  readonly cause: CapabilityCause;
  /** The call; absent for what is none. */
  readonly call?: NumaCall;
  /** The filter is older than the call, and has no rule for it. */
  readonly isUnknownToFilter?: boolean;
  /** First release that has it, for the cause `kernel`. */
  readonly since?: string | undefined;
  /** The nodes that should be allowed, for the cause `cpuset`. */
  readonly nodes?: string;
  /** Capabilities of a container go to its root. */
  readonly userId?: number | null;
  /** setcap is of no use where nothing new may be gained by execve. */
  readonly hasNoNewPrivileges?: boolean | null;
}

type Table = Readonly<Partial<Record<SurroundingsKind, readonly Remedy[]>>>;

const ALL_CALLS = numaCalls.join(' ');
const PROFILE = 'node-numa doctor --seccomp-profile > numa.json';
const LIKE_DEFAULT = "the engine's default profile and the six calls; no privilege is added";
const NO_FILTER = 'no filter at all';

export function remediesOf(ailment: Ailment, kind: SurroundingsKind): readonly Remedy[] {
  switch (ailment.cause) {
    case 'seccomp':
      return seccompRemedies(ailment, kind);
    case 'capability':
      return privilegeRemedies(ailment, kind);
    case 'kernel':
      return [kernelRemedy(ailment.since)];
    case 'cpuset':
      return cpusetRemedies(ailment.nodes ?? '', kind);
    case 'procfs':
      return [{ action: 'mount -t proc proc /proc', effect: 'processes see themselves in /proc' }];
    case 'unknown':
      return [
        {
          action: 'journalctl -k --grep "audit|apparmor|selinux"',
          effect: 'shows whether a security module refused it',
        },
      ];
  }
}

function seccompRemedies(
  { call, isUnknownToFilter }: Ailment,
  kind: SurroundingsKind,
): readonly Remedy[] {
  const found = SECCOMP[kind] ?? SECCOMP_ELSEWHERE;
  const hasRule = call !== undefined && isUnknownToFilter !== true;
  const isByCapability = hasRule && NUMA_CALLS[call].isOpenedByCapability;
  return isByCapability ? [...found, ...(SECCOMP_BY_CAPABILITY[kind] ?? [])] : found;
}

const SECCOMP: Table = {
  docker: [
    { action: `${PROFILE}; docker run --security-opt seccomp=numa.json ...`, effect: LIKE_DEFAULT },
    { action: 'docker run --security-opt seccomp=unconfined ...', effect: NO_FILTER },
  ],
  podman: [
    { action: `${PROFILE}; podman run --security-opt seccomp=numa.json ...`, effect: LIKE_DEFAULT },
    { action: 'podman run --security-opt seccomp=unconfined ...', effect: NO_FILTER },
  ],
  kubernetes: [
    {
      action:
        'securityContext: { seccompProfile: { type: Localhost, localhostProfile: numa.json } }',
      effect:
        'the six calls; numa.json, printed by `node-numa doctor --seccomp-profile`, must be in ' +
        '/var/lib/kubelet/seccomp on each machine of the cluster',
    },
    {
      action: 'securityContext: { seccompProfile: { type: Unconfined } }',
      effect: NO_FILTER,
    },
  ],
  'systemd-nspawn': [
    { action: `systemd-nspawn --system-call-filter="${ALL_CALLS}" ...`, effect: 'the six calls' },
  ],
  lxc: [
    {
      action: 'lxc.seccomp.profile =',
      effect: `${NO_FILTER}; or remove the lines with these calls from the profile`,
    },
  ],
  'systemd-service': [
    {
      action: `SystemCallFilter=${ALL_CALLS}`,
      effect: 'in [Service] (`systemctl edit UNIT`), behind the lines that are there: adds the six',
    },
  ],
};

const SECCOMP_ELSEWHERE: readonly Remedy[] = [
  {
    action: 'grep Seccomp /proc/self/status',
    effect: 'is 0 where no filter is: start this program by something that sets none',
  },
];

/** Engines open four of the calls to containers that have CAP_SYS_NICE. */
const SECCOMP_BY_CAPABILITY: Table = {
  docker: [
    {
      action: 'docker run --cap-add SYS_NICE ...',
      effect: 'policies only: move_pages and migrate_pages stay refused',
    },
  ],
  podman: [
    {
      action: 'podman run --cap-add SYS_NICE ...',
      effect: 'policies only: move_pages and migrate_pages may stay refused',
    },
  ],
  kubernetes: [
    {
      action: 'securityContext: { capabilities: { add: [SYS_NICE] } }',
      effect: 'policies only: move_pages and migrate_pages stay refused',
    },
  ],
};

function privilegeRemedies(
  { hasNoNewPrivileges, userId }: Ailment,
  kind: SurroundingsKind,
): readonly Remedy[] {
  const found = PRIVILEGE[kind];
  if (found !== undefined) return userId === 0 ? found : found.map(asRoot);
  const sudo = { action: 'sudo node ...', effect: 'runs as root' };
  const setcap = {
    action: 'sudo setcap cap_sys_nice+ep "$(readlink -f "$(command -v node)")"',
    effect: 'every program of this Node.js may then move what others share',
  };
  return hasNoNewPrivileges === true ? [sudo] : [sudo, setcap];
}

/** Other users of a container do not get its capabilities. */
function asRoot({ action, effect }: Remedy): Remedy {
  const withUser = action
    .replace('SYS_NICE ...', 'SYS_NICE --user root ...')
    .replace('{ capabilities', '{ runAsUser: 0, capabilities');
  return { action: withUser, effect };
}

const AS_ROOT = 'for root inside, where the container shares the user namespace of the host';

const PRIVILEGE: Table = {
  docker: [{ action: 'docker run --cap-add SYS_NICE ...', effect: AS_ROOT }],
  podman: [
    { action: 'sudo podman run --cap-add SYS_NICE ...', effect: `${AS_ROOT}: not rootless` },
  ],
  kubernetes: [
    { action: 'securityContext: { capabilities: { add: [SYS_NICE] } }', effect: AS_ROOT },
  ],
  'systemd-nspawn': [
    { action: 'systemd-nspawn --capability=CAP_SYS_NICE ...', effect: `${AS_ROOT}` },
  ],
  lxc: [{ action: 'lxc.cap.keep = sys_nice ...', effect: `${AS_ROOT}: not unprivileged ones` }],
  'systemd-service': [
    { action: 'AmbientCapabilities=CAP_SYS_NICE', effect: 'in [Service] (`systemctl edit UNIT`)' },
  ],
};

function kernelRemedy(since: string | undefined): Remedy {
  if (since === undefined) {
    return {
      action: 'CONFIG_NUMA=y, CONFIG_MIGRATION=y',
      effect: "a kernel that was built with these has it; distributions' kernels for servers are",
    };
  }
  return { action: `Linux ${since} or newer`, effect: 'has it' };
}

function cpusetRemedies(nodes: string, kind: SurroundingsKind): readonly Remedy[] {
  const effect = 'the nodes may be used';
  switch (kind) {
    case 'docker':
    case 'podman':
      return [{ action: `${kind} run --cpuset-mems ${nodes} ...`, effect }];
    case 'kubernetes':
      return [
        {
          action: 'memoryManagerPolicy: None',
          effect: 'of the kubelet: its Static policy confines pods of the class Guaranteed',
        },
      ];
    case 'systemd-service':
      return [{ action: `AllowedMemoryNodes=${nodes}`, effect: `in [Service]: ${effect}` }];
    default:
      return [
        {
          action: `echo ${nodes} | sudo tee /sys/fs/cgroup/GROUP/cpuset.mems`,
          effect: `${effect}; GROUP is in /proc/self/cgroup, and all above it must allow them, too`,
        },
      ];
  }
}
