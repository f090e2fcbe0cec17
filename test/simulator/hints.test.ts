/** Verb by options by errno: an error names no option that was not given. */

import { describe, expect, test } from 'vitest';
import { ERRNO } from '../../lib/core/errno.ts';
import { type Backend, bind, type Numa, NumaError, openNuma } from '../../lib/index.ts';
import { Machine } from '../../lib/simulator/public.ts';
import { failureOf } from '../core/thrown.ts';
import { refusing } from '../support/numa-calls.ts';

/** Words of options, as errors write them. */
const OPTIONS = {
  includeShared: /includeShared/,
  move: /\bmove: '|options\.move/,
  strict: /\bstrict\b/,
  homeNode: /homeNode|home node/,
  'numa-balancing': /numa-balancing/,
} as const;

type OptionName = keyof typeof OPTIONS;

interface Row {
  readonly verb: string;
  readonly given: readonly OptionName[];
  run(numa: Numa): unknown;
}

function row(verb: string, given: readonly OptionName[], run: (numa: Numa) => unknown): Row {
  return { verb, given, run };
}

function touched(numa: Numa) {
  const buffer = numa.allocate(8 * 4096);
  buffer.touch();
  return buffer;
}

const balanced = bind(0, { flags: ['numa-balancing'] });
const ROWS: readonly Row[] = [
  row('residency()', [], (numa) => touched(numa).residency()),
  row('residencySync()', [], (numa) => touched(numa).residencySync()),
  row('policy()', [], (numa) => touched(numa).policy()),
  row('exemptFromBalancing()', [], (numa) => touched(numa).exemptFromBalancing()),
  row('migrate()', [], (numa) => touched(numa).migrate({ to: 1 })),
  row('migrate({ strict })', ['strict'], (numa) => touched(numa).migrate({ to: 1, strict: true })),
  row('migrate({ includeShared })', ['includeShared'], (numa) =>
    touched(numa).migrate({ to: 1, includeShared: true }),
  ),
  row('setPolicy()', [], (numa) => touched(numa).setPolicy(bind(0))),
  row('setPolicy() balanced', ['numa-balancing'], (numa) => touched(numa).setPolicy(balanced)),
  row('setPolicy() with homeNode', ['homeNode'], (numa) =>
    touched(numa).setPolicy(bind(0, { homeNode: 1 })),
  ),
  row("setPolicy({ move: 'own' })", ['move'], (numa) =>
    touched(numa).setPolicy(bind(0), { move: 'own' }),
  ),
  row("setPolicy({ move: 'all' })", ['move'], (numa) =>
    touched(numa).setPolicy(bind(0), { move: 'all' }),
  ),
  row('setPolicy({ strict })', ['strict'], (numa) =>
    touched(numa).setPolicy(bind(0), { strict: true }),
  ),
  row('thread.setPolicy()', [], (numa) => numa.thread.setPolicy(bind(0))),
  row('thread.setPolicy() balanced', ['numa-balancing'], (numa) => numa.thread.setPolicy(balanced)),
  row('thread.policy()', [], (numa) => numa.thread.policy()),
  row('thread.withPolicy()', [], (numa) => numa.thread.withPolicy(bind(0), () => {})),
  row('process().locate()', [], (numa) =>
    numa.process().locate({ address: touched(numa).address, pageCount: 1 }),
  ),
  row('process().migrate()', [], (numa) => {
    touched(numa);
    return numa.process().migrate({ to: 1 });
  }),
  row('process().migrateMappings()', [], (numa) => {
    touched(numa);
    return numa.process().migrateMappings({ to: 1 });
  }),
  row('process().migrateMappings({ includeShared })', ['includeShared'], (numa) => {
    touched(numa);
    return numa.process().migrateMappings({ to: 1, includeShared: true });
  }),
];

/** A machine whose calls fail so, but for their harmless forms, which tell what confines us. */
function failing(errno: number): Numa {
  const { backend } = new Machine().self;
  const failure = (syscall: string) => ({ ok: false, errno, syscall }) as const;
  const own: Partial<Backend> = {
    ...refusing(errno),
    mbind: (request) => (request.lengthBytes > 0 ? failure('mbind') : backend.mbind(request)),
    getMempolicy: (request) =>
      request.flags === 4 ? backend.getMempolicy(request) : failure('get_mempolicy'),
    movePagesSync: (request) =>
      request.status.length > 0 ? failure('move_pages') : backend.movePagesSync(request),
    // The files of /proc would tell in its place.
    readText: async (path) =>
      path === '/proc/self/numa_maps' ? failure('open') : backend.readText(path),
    readTextSync: (path) =>
      path === '/proc/self/numa_maps' ? failure('open') : backend.readTextSync(path),
  };
  return openNuma({
    backend: new Proxy(backend, {
      get(target, name: keyof Backend) {
        const value: unknown = own[name] ?? Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    }),
  });
}

const ERRNOS = [
  ...(['EPERM', 'EACCES', 'ENOSYS', 'EINVAL', 'ENOMEM', 'EFAULT', 'ENODEV'] as const),
  ...(['EIO', 'ESRCH', 'ENOENT', 'EOPNOTSUPP', 'EBUSY'] as const),
];

describe.each(ROWS)('$verb', ({ given, run }) => {
  test.each(ERRNOS)('%s', async (name) => {
    const numa = failing(ERRNO[name]);
    const outcome = await failureOf(async () => run(numa)).catch(() => undefined);
    // A call that is not made cannot fail; a full node is a result.
    if (outcome === undefined) return;
    const { error } = outcome;
    expect(error).toBeInstanceOf(NumaError);
    const { message, errnoName, argument } = error as unknown as NumaError;
    // What strict alone can answer is told as such.
    if (errnoName === 'EIO' || argument === 'options.strict') return;
    if (errnoName === 'EOPNOTSUPP' || errnoName === 'ENOENT') return;
    for (const [option, words] of Object.entries(OPTIONS)) {
      if (!given.includes(option as OptionName)) expect(message).not.toMatch(words);
    }
  });
});
