/** Each refusal of each verb about another process, with its real cause. */

import { describe, expect, test } from 'vitest';
import { type Backend, type Numa, type NumaError, openNuma } from '../../lib/index.ts';
import { type DeniableCall, Machine, type SimulatedProcess } from '../../lib/simulator/public.ts';
import { failureOf } from '../core/thrown.ts';

type Verb = (numa: Numa, pid: number, address: bigint) => Promise<unknown>;

const VERBS = {
  residency: (numa, pid) => numa.process(pid).residency(),
  mappings: (numa, pid) => numa.process(pid).mappings(),
  plan: (numa, pid) => numa.process(pid).plan({ to: 1 }),
  locate: (numa, pid, address) => numa.process(pid).locate({ address, pageCount: 1 }),
  migrate: (numa, pid) => numa.process(pid).migrate({ to: 1 }),
  migrateMappings: (numa, pid) => numa.process(pid).migrateMappings({ to: 1 }),
  'migrateMappings({ includeShared })': (numa, pid) =>
    numa.process(pid).migrateMappings({ to: 1, includeShared: true }),
} as const satisfies Record<string, Verb>;

type VerbName = keyof typeof VERBS;

/** Those that ask move_pages or migrate_pages about the process. */
const BY_CALL: Readonly<Partial<Record<VerbName, DeniableCall>>> = {
  locate: 'move_pages',
  migrate: 'migrate_pages',
  migrateMappings: 'move_pages',
  'migrateMappings({ includeShared })': 'move_pages',
};

function service(machine: Machine, uid = 0): { target: SimulatedProcess; address: bigint } {
  const target = machine.process({ uid });
  const mapped = target.memory.mmap({ pageCount: 8 });
  if (!mapped.ok) throw new Error(`mmap: errno ${mapped.errno}`);
  target.memory.touch({ address: mapped.value, pageCount: 8 }, 'write');
  return { target, address: mapped.value };
}

/** A backend with texts of its own in the place of some files. */
function withTexts(backend: Backend, texts: Readonly<Record<string, string>>): Backend {
  const read = (path: string) => {
    const value = texts[path];
    return value === undefined ? undefined : ({ ok: true, value } as const);
  };
  const own: Partial<Backend> = {
    readText: async (path) => read(path) ?? backend.readText(path),
    readTextSync: (path) => read(path) ?? backend.readTextSync(path),
  };
  return new Proxy(backend, {
    get(target, name: keyof Backend) {
      const value: unknown = own[name] ?? Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

async function refused(verb: Verb, numa: Numa, pid: number, address: bigint): Promise<NumaError> {
  return (await failureOf(() => verb(numa, pid, address))).error as unknown as NumaError;
}

const byCall = Object.entries(BY_CALL) as [VerbName, DeniableCall][];

describe.each([0, 1000])('a seccomp filter, asked by user %i', (uid) => {
  test.each(byCall)('%s: the filter refuses %s, not the process', async (name, call) => {
    for (const errno of ['EPERM', 'EACCES', 'ENOSYS'] as const) {
      const machine = new Machine();
      const { target, address } = service(machine, uid);
      machine.faults.deny(call, errno);
      const numa = openNuma({ backend: machine.process({ uid }).backend });
      const error = await refused(VERBS[name], numa, target.pid, address);
      expect(error.code).toBe(errno === 'ENOSYS' ? 'NUMA_UNSUPPORTED' : 'NUMA_NOT_PERMITTED');
      expect(error.message).toContain('a filter is on');
      expect(error.hint).toContain('seccomp');
      expect(error.message).not.toMatch(/dumpable|belongs|allowed nodes|includeShared/);
    }
  });
});

test.each(byCall)('%s denied with no filter on: nobody says by whom', async (name, call) => {
  const machine = new Machine();
  const { target, address } = service(machine);
  machine.faults.deny(call);
  const own = '/proc/self/status';
  const { backend } = machine.self;
  const status = backend.readTextSync(own);
  const text = status.ok ? status.value.replace(/Seccomp:\t\d/, 'Seccomp:\t0') : '';
  const numa = openNuma({ backend: withTexts(backend, { [own]: text }) });
  const error = await refused(VERBS[name], numa, target.pid, address);
  expect(error.message).toContain('no seccomp filter is on');
  expect(error.message).not.toMatch(/dumpable|belongs/);
});

/** Texts of /proc that stand for a process and a caller. */
interface Persons {
  readonly target: string;
  readonly own: string;
  readonly more?: Readonly<Record<string, string>>;
  readonly rule: RegExp;
}

const IDS = 'Uid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\n';
const NONE = 'CapPrm:\t0\nCapEff:\t0\nSeccomp:\t0\n';
const TRACER = 'CapPrm:\t80000\nCapEff:\t80000\nSeccomp:\t0\n';
const PLAIN = `${IDS}${NONE}`;

/** All processes here are refused by the simulator, as not dumpable; the texts tell why else. */
const PERSONS: Readonly<Record<string, Persons>> = {
  'another user': {
    target: `Uid:\t7\t7\t7\t7\nGid:\t1000\t1000\t1000\t1000\n${NONE}`,
    own: PLAIN,
    rule: /belongs to user 7, and we are 1000; run as user 7, with CAP_SYS_PTRACE/,
  },
  'a program with a saved user': {
    target: `Uid:\t1000\t1000\t0\t1000\nGid:\t1000\t1000\t1000\t1000\n${NONE}`,
    own: PLAIN,
    rule: /belongs to user 0, and we are 1000/,
  },
  'another group': {
    target: `Uid:\t1000\t1000\t1000\t1000\nGid:\t1000\t42\t1000\t1000\n${NONE}`,
    own: PLAIN,
    rule: /runs with group 42, and we with 1000; run with group 42/,
  },
  'more capabilities than ours': {
    target: `${IDS}${TRACER}`,
    own: PLAIN,
    rule: /has capabilities that we lack/,
  },
  'not dumpable': { target: PLAIN, own: PLAIN, rule: /is not dumpable \(PR_SET_DUMPABLE/ },
  'not dumpable, or AppArmor': {
    target: PLAIN,
    own: PLAIN,
    more: { '/proc/self/attr/current': 'docker-default (enforce)\n' },
    rule: /is not dumpable.*or the security module \(docker-default \(enforce\)\) forbids it/,
  },
  'a tracer, confined by AppArmor': {
    target: PLAIN,
    own: `${IDS}${TRACER}`,
    more: { '/proc/self/attr/current': 'docker-default (enforce)\n' },
    rule: /we may trace.*the security module \(docker-default \(enforce\)\) or a sandbox/,
  },
  'a tracer in a user namespace of its own': {
    target: PLAIN,
    own: `${IDS}${TRACER}`,
    more: {
      '/proc/self/uid_map': '         0     100000      65536\n',
      '/proc/PID/uid_map': '         0          0 4294967295\n',
    },
    rule: /in another user namespace, where our privileges count for nothing/,
  },
};

test('root without the privilege is not sent to root', async () => {
  const machine = new Machine();
  const { target, address } = service(machine, 1000);
  target.isDumpable = false;
  const root = machine.process({ uid: 0, capabilities: [] });
  for (const status of [PLAIN, `${IDS.replaceAll('1000', '7')}${NONE}`, `${IDS}${TRACER}`]) {
    const texts = {
      [`/proc/${target.pid}/status`]: status,
      '/proc/self/status': `${IDS.replaceAll('1000', '0')}${NONE}`,
    };
    const numa = openNuma({ backend: withTexts(root.backend, texts) });
    const { hint } = await refused(VERBS.locate, numa, target.pid, address);
    expect(hint).toMatch(/run .*with CAP_SYS_PTRACE/);
    expect(hint).not.toContain('as root');
  }
});

const VERBS_THAT_ASK = Object.keys(VERBS).filter((name) => name !== 'mappings') as VerbName[];

describe.each(Object.entries(PERSONS))('%s', (_, { target: theirs, own, more, rule }) => {
  test('is told by each verb', async () => {
    const machine = new Machine();
    const { target, address } = service(machine, 1000);
    target.isDumpable = false;
    const { pid } = target;
    const texts = { [`/proc/${pid}/status`]: theirs, '/proc/self/status': own };
    for (const [path, text] of Object.entries(more ?? {}))
      texts[path.replace('PID', `${pid}`)] = text;
    const { backend } = machine.process({ uid: 1000 });
    const numa = openNuma({ backend: withTexts(backend, texts) });
    for (const name of VERBS_THAT_ASK) {
      if (name === 'migrateMappings({ includeShared })') continue;
      const error = await refused(VERBS[name], numa, pid, address);
      expect([name, error.code]).toEqual([name, 'NUMA_NOT_PERMITTED']);
      expect(error.message).toMatch(rule);
      expect(error.message).not.toMatch(/seccomp profile|ptrace_scope|Yama/);
    }
  });
});

describe('the cpuset of the other process', () => {
  function confined(uid = 0) {
    const machine = new Machine();
    const { target, address } = service(machine, uid);
    const cpuset = machine.settings.cpuset();
    if (!cpuset.ok) throw new Error(`cpuset: errno ${cpuset.errno}`);
    cpuset.value.setMems('0,3');
    cpuset.value.attach(target.pid);
    return { machine, target, address };
  }

  test('is named where it forbids the target, and our own is not', async () => {
    const { machine, target } = confined();
    const memory = openNuma({ machine }).process(target.pid);
    for (const includeShared of [false, true]) {
      const { code, error } = await failureOf(() =>
        memory.migrateMappings({ to: 1, includeShared }),
      );
      expect(code).toBe('NUMA_NODE_NOT_ALLOWED');
      expect(error.message).toContain("the process's cpuset allows node 0,3 only");
      expect(error.message).not.toContain('allowed nodes');
      expect(error.hint).toContain('cpuset.mems');
    }
  });

  test('and one call for all, by who has no CAP_SYS_NICE', async () => {
    const { machine, target } = confined(1000);
    const numa = openNuma({ backend: machine.process({ uid: 1000 }).backend });
    const { code, error } = await failureOf(() => numa.process(target.pid).migrate({ to: 1 }));
    expect(code).toBe('NUMA_NOT_PERMITTED');
    expect(error.message).toContain("the process's cpuset allows node 0,3 only");
  });

  test('is a warning of the plan', async () => {
    const { machine, target } = confined();
    const memory = openNuma({ machine }).process(target.pid);
    const { warnings } = await memory.plan({ to: 1 });
    expect(warnings.filter(({ kind }) => kind === 'cpuset')).toEqual([
      { kind: 'cpuset', message: "node 1 is refused: the process's cpuset allows node 0,3 only" },
    ]);
    const allowed = await memory.plan({ to: 3 });
    expect(allowed.warnings.filter(({ kind }) => kind === 'cpuset')).toEqual([]);
  });
});

test('shared pages without CAP_SYS_NICE: the option is named, and nothing else', async () => {
  const machine = new Machine();
  const { target } = service(machine, 1000);
  const numa = openNuma({ backend: machine.process({ uid: 1000 }).backend });
  const memory = numa.process(target.pid);
  const { code, error } = await failureOf(() =>
    memory.migrateMappings({ to: 1, includeShared: true }),
  );
  expect(code).toBe('NUMA_NOT_PERMITTED');
  expect(error).toMatchObject({
    argument: 'options.includeShared',
    rule: 'needs CAP_SYS_NICE in the initial user namespace; the call works',
    hint: 'leave this option out, or run with CAP_SYS_NICE',
  });
  expect(error.message).toContain(': options.includeShared: needs CAP_SYS_NICE in ');
  expect((await memory.migrateMappings({ to: 1 })).complete).toBe(true);
});
