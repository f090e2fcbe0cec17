/** The parsers of a process's files: what the kernel writes comes back, and nothing breaks them. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mappingKindOf } from '../../lib/procfs/mapping-kind.ts';
import { type MapsEntry, parseMaps, parseMapsLine } from '../../lib/procfs/maps.ts';
import { type NumaMapsEntry, pagesByNodeOf, parseNumaMaps } from '../../lib/procfs/numa-maps.ts';
import { parseSmaps } from '../../lib/procfs/smaps.ts';
import { parseStat } from '../../lib/procfs/stat.ts';
import { hasCapability, parseStatus } from '../../lib/procfs/status.ts';

const PAGE = 4096n;
const address = fc.bigInt({ min: 1n, max: 2n ** 47n / PAGE - 1n }).map((page) => page * PAGE);
/** Anything that a file may be called, line ends included; not ending as a deleted one's does. */
const path = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
  .filter((text) => !/[\\\0]/.test(text))
  .map((text) => `/${text}`)
  .filter((text) => !text.endsWith(' (deleted)'));
const hex = (value: bigint): string => value.toString(16).padStart(8, '0');

describe('maps', () => {
  const entry = fc.record({
    start: address,
    pages: fc.bigInt({ min: 1n, max: 2n ** 20n }),
    permissions: fc.constantFrom('rw-p', 'r-xp', 'rw-s', '---p'),
    name: fc.option(path),
    isDeleted: fc.boolean(),
  });

  test('gives back what the kernel was told to show', () => {
    const property = fc.property(fc.array(entry), (entries) => {
      const text = entries.map(({ start, pages, permissions, name, isDeleted }) => {
        const shown = name === null ? '' : `${name.replaceAll('\n', '\\012')}`;
        const deleted = name !== null && isDeleted ? ' (deleted)' : '';
        const head = `${hex(start)}-${hex(start + pages * PAGE)} ${permissions} 00000000 00:00 0 `;
        return name === null ? head : `${head}                         ${shown}${deleted}`;
      });
      const parsed = parseMaps(`${text.join('\n')}\n`);
      expect(parsed.map(({ name }) => name)).toEqual(entries.map(({ name }) => name));
      expect(parsed.map(({ start, end }) => (end - start) / PAGE)).toEqual(
        entries.map(({ pages }) => pages),
      );
      expect(parsed.map(({ isDeleted }) => isDeleted)).toEqual(
        entries.map(({ name, isDeleted }) => name !== null && isDeleted),
      );
    });
    fc.assert(property);
  });

  const lineOf = (device: string, shown: string): MapsEntry => {
    const head = `7f0000000000-7f0000400000 rw-s 00000000 ${device} 0 `;
    return parseMapsLine(`${head}                         ${shown}`) as MapsEntry;
  };

  test.each([
    ['/memfd:pool (deleted)', 'shared'],
    ['/SYSV0000002a (deleted)', 'shared'],
    ['/dev/zero (deleted)', 'shared'],
    ['/secretmem (deleted)', 'shared'],
    ['/dev/shm/segment', 'shared'],
    ['/dev/shm/segment (deleted)', 'shared'],
    ['[anon_shmem:name]', 'shared'],
    ['/anon_hugepage (deleted)', 'hugetlb'],
    ['/dev/zero', 'anonymous'],
    ['/dev/nvidia0', 'device'],
    ['/dev/dri/renderD128', 'device'],
    ['/dev/infiniband/uverbs0', 'device'],
    ['/dmabuf:', 'device'],
    ['/dmabuf:panfrost', 'device'],
    ['anon_inode:dmabuf', 'device'],
    ['/drm mm object (deleted)', 'device'],
    ['/i915 (deleted)', 'device'],
    ['/[aio] (deleted)', 'device'],
    ['anon_inode:[io_uring]', 'device'],
    ['anon_inode:[perf_event]', 'device'],
    ['anon_inode:kvm-vcpu:0', 'device'],
    ['socket:[4026]', 'device'],
    ['[vdso]', 'special'],
    ['[vvar_vclock]', 'special'],
    ['[uprobes]', 'special'],
    ['[sigpage]', 'special'],
    ['[anon:v8]', 'anonymous'],
    ['[stack:4711]', 'anonymous'],
    ['[heap]', 'heap'],
    ['[stack]', 'stack'],
    ['/usr/lib/libnuma.so.1', 'file'],
    ['', 'anonymous'],
  ] as const)('%s is %s', (shown, kind) => {
    expect(mappingKindOf(lineOf('00:01', shown), false)).toBe(kind);
    expect(mappingKindOf(lineOf('00:01', shown), true)).toBe('hugetlb');
  });

  test.each([
    ['08:01', '/memfd:pool (deleted)'],
    ['08:01', '/[aio] (deleted)'],
    ['08:01', '/drm mm object (deleted)'],
    ['08:01', '/dmabuf:notes'],
    ['00:1f', '/memfd:pool'],
    ['00:1f', '/[aio]'],
    ['00:1f', '/i915'],
  ])("%s %s is a user's file", (device, shown) => {
    expect(mappingKindOf(lineOf(device, shown), false)).toBe('file');
  });
});

describe('numa_maps', () => {
  const policies = [
    ...['default', 'local', 'bind:0-1', 'bind=static:0,2', 'prefer:3', 'interleave:0-3'],
    ...['prefer (many):0,2', 'weighted interleave:0-1', 'bind=relative|balancing:0'],
  ];
  const entry = fc.record({
    start: address,
    policy: fc.constantFrom(...policies),
    file: fc.option(path),
    isHugetlb: fc.boolean(),
    pages: fc.dictionary(fc.nat({ max: 1023 }).map(String), fc.integer({ min: 1, max: 2 ** 40 })),
    anonymousPages: fc.nat(),
  });

  test('gives back what the kernel was told to show', () => {
    const octal = (text: string): string => `\\${text.charCodeAt(0).toString(8).padStart(3, '0')}`;
    const property = fc.property(fc.array(entry), (entries) => {
      const text = entries.map(({ start, policy, file, isHugetlb, pages, anonymousPages }) =>
        [
          `${hex(start)} ${policy}`,
          ...(file === null ? [] : [`file=${file.replaceAll(/[\n\t= ]/g, octal)}`]),
          ...(isHugetlb ? ['huge'] : []),
          ...(anonymousPages > 0 ? [`anon=${anonymousPages}`] : []),
          ...Object.entries(pages).map(([node, count]) => `N${node}=${count}`),
          'kernelpagesize_kB=4',
        ].join(' '),
      );
      const parsed = parseNumaMaps(`${text.join('\n')}\n`);
      expect(parsed.map(({ policy }) => policy)).toEqual(entries.map(({ policy }) => policy));
      expect(parsed.map(({ file }) => file)).toEqual(entries.map(({ file }) => file));
      expect(parsed.map(({ isHugetlb }) => isHugetlb)).toEqual(
        entries.map(({ isHugetlb }) => isHugetlb),
      );
      expect(parsed.map(({ anonymousPages }) => anonymousPages)).toEqual(
        entries.map(({ anonymousPages }) => anonymousPages),
      );
      expect(parsed.map(({ pagesByNode }) => Object.fromEntries(pagesByNode))).toEqual(
        entries.map(({ pages }) => pages),
      );
    });
    fc.assert(property);
  });

  test('a line that tells no size of pages counts base pages', () => {
    const [entry] = parseNumaMaps('7f0000000000 default anon=3 dirty=3 N0=1 N2=2\n');
    const pages = pagesByNodeOf(entry as NumaMapsEntry, 4096);
    expect(Object.fromEntries(pages)).toEqual({ 0: 1, 2: 2 });
  });

  test('a mapping without pages has a policy, and nothing else', () => {
    const [entry] = parseNumaMaps('7f0000000000 prefer (many):0-1\n');
    expect(entry).toMatchObject({ policy: 'prefer (many):0-1', mapCountMax: 0 });
    expect(entry?.pagesByNode.size).toBe(0);
  });
});

describe('smaps', () => {
  test('joins the lines of a mapping', () => {
    const text = [
      '7f0000000000-7f0000400000 rw-p 00000000 00:00 0 ',
      'Size:               4096 kB',
      'KernelPageSize:        4 kB',
      'Rss:                4096 kB',
      'AnonHugePages:      2048 kB',
      'Swap:                  8 kB',
      'Locked:              100 kB',
      'ANewField:             1 kB',
      'THPeligible:           1',
      'VmFlags: rd wr mr mw me lo sd ',
      '7f0000400000-7f0000600000 rw-s 00000000 00:0f 44   /anon_hugepage (deleted)',
      'KernelPageSize:     2048 kB',
      'Private_Hugetlb:    2048 kB',
    ].join('\n');
    expect(parseSmaps(text)).toMatchObject([
      {
        residentBytes: 2 ** 22,
        hugeBytes: 2 ** 21,
        swappedBytes: 8192,
        lockedBytes: 102_400,
        flags: ['rd', 'wr', 'mr', 'mw', 'me', 'lo', 'sd'],
      },
      { name: '/anon_hugepage', isDeleted: true, residentBytes: 2 ** 21, flags: [] },
    ]);
  });
});

describe('stat', () => {
  test('a name may be anything', () => {
    const property = fc.property(
      fc.string({ maxLength: 15 }),
      fc.nat({ max: 500 }),
      (name, cpu) => {
        const fields = Array.from({ length: 50 }, (_, at) => (at === 36 ? cpu : at));
        const text = `42 (${name}) S ${fields.slice(1).join(' ')}\n`;
        expect(parseStat(text)).toMatchObject({ id: 42, name, state: 'S', processor: cpu });
      },
    );
    fc.assert(property);
  });

  test('what is cut short is no answer', () => {
    expect(parseStat('42 (node) S 1 2 3')).toBeNull();
    expect(parseStat('')).toBeNull();
  });
});

describe('status', () => {
  test('tells users, privileges and what is allowed', () => {
    const text =
      'Name:\tmy (odd) name\nTgid:\t7\nUid:\t1000\t0\t0\t0\nGid:\t100\t101\t102\t103\n' +
      'CapPrm:\t0000000000c00000\nCapEff:\t0000000000800000\n' +
      'Seccomp:\t2\nNoNewPrivs:\t1\nCpus_allowed_list:\t0-2,5\nMems_allowed_list:\t1\n' +
      'VmRSS:\t     12 kB\n';
    const status = parseStatus(text);
    expect(status).toEqual({
      name: 'my (odd) name',
      threadGroupId: 7,
      realUid: 1000,
      effectiveUid: 0,
      userIds: [1000, 0, 0, 0],
      groupIds: [100, 101, 102, 103],
      effectiveCapabilities: 0x800000n,
      permittedCapabilities: 0xc00000n,
      seccompMode: 2,
      hasNoNewPrivileges: true,
      cpusAllowed: [0, 1, 2, 5],
      nodesAllowed: [1],
      residentBytes: 12_288,
    });
    expect(hasCapability(status, 'CAP_SYS_NICE')).toBe(true);
    expect(hasCapability(status, 'CAP_SYS_PTRACE')).toBe(false);
  });

  test('what a kernel does not tell is null', () => {
    expect(
      Object.values(parseStatus('Name:\n'))
        .slice(1)
        .every((value) => value === null),
    ).toBe(true);
  });
});

test('no text breaks a parser', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom('7f00-', '7f0000000000 bind:', '42 (', 'VmFlags:', 'Rss: kB', 'N0=1'),
    fc.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{8} rw-p [0-9a-f ]+$/),
    fc.stringMatching(/^[0-9a-f]{12} (bind|file|N\d|heap)[=: ]?[\d ]*$/),
  );
  const property = fc.property(fc.array(line), (lines) => {
    const text = lines.join('\n');
    expect(parseMaps(text).length).toBeLessThanOrEqual(lines.join('\n').split('\n').length);
    parseNumaMaps(text);
    parseSmaps(text);
    parseStat(text);
    parseStatus(text);
  });
  fc.assert(property);
});
