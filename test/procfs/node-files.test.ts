/** What kernels say of a node, and what is none of it. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseMeminfo } from '../../lib/procfs/meminfo.ts';
import { parseCount, parseNumastat, parsePoolName } from '../../lib/procfs/node-files.ts';
import { parseCounters } from '../../lib/procfs/vmstat.ts';

const NUMASTAT = `numa_hit 42672
numa_miss 1
numa_foreign 2
interleave_hit 199
local_node 42603
other_node 69
`;

const NODE_MEMINFO = `Node 12 MemTotal:         739784 kB
Node 12 MemFree:          558092 kB
Node 12 Active(anon):       3792 kB
Node 12 HugePages_Total:     4
Node 12 HugePages_Free:      3
`;

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,20}$/);
const count = fc.nat();
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  // Pieces of the right kind in the wrong order.
  fc
    .array(fc.constantFrom('Node 1 ', 'MemFree', ':', ' ', ' kB', '\n', '7', '-', 'numa_hit'), {
      maxLength: 40,
    })
    .map((pieces) => pieces.join('')),
);

describe('numastat of a node', () => {
  test('gives the six counters', () => {
    expect(parseNumastat(NUMASTAT)).toEqual({
      numaHit: 42672,
      numaMiss: 1,
      numaForeign: 2,
      interleaveHit: 199,
      localNode: 42603,
      otherNode: 69,
    });
  });

  test('may have more of them, in any order', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(NUMASTAT.trim().split('\n'), { minLength: 6 }),
        fc.array(
          fc.tuple(
            name.map((text) => `x_${text}`),
            count,
          ),
          { maxLength: 5 },
        ),
        (lines, more) => {
          const text = [...more.map(([field, number]) => `${field} ${number}`), ...lines].join(
            '\n',
          );
          expect(parseNumastat(text)).toEqual(parseNumastat(NUMASTAT));
        },
      ),
    );
  });

  test('is nothing when it is cut before the last line', () => {
    const lastLine = NUMASTAT.indexOf('other_node');
    for (let end = 0; end <= lastLine; end += 1) {
      expect(parseNumastat(NUMASTAT.slice(0, end))).toBeNull();
    }
  });
});

describe('meminfo', () => {
  test('of a node has its number on each line, and counts without a unit', () => {
    const { bytes, counts } = parseMeminfo(NODE_MEMINFO);
    expect([...bytes]).toEqual([
      ['MemTotal', 739784 * 1024],
      ['MemFree', 558092 * 1024],
      ['Active(anon)', 3792 * 1024],
    ]);
    expect([...counts]).toEqual([
      ['HugePages_Total', 4],
      ['HugePages_Free', 3],
    ]);
  });

  test('of the machine has the same fields without it', () => {
    const { bytes, counts } = parseMeminfo(NODE_MEMINFO.replaceAll('Node 12 ', ''));
    expect({ bytes, counts }).toEqual(parseMeminfo(NODE_MEMINFO));
  });

  test('keeps whatever fields a kernel has, in its order', () => {
    const fields = fc.uniqueArray(fc.tuple(name, count, fc.boolean()), {
      selector: ([field]) => field,
    });
    fc.assert(
      fc.property(fields, fc.option(fc.nat(1023)), (rows, node) => {
        const prefix = node === null ? '' : `Node ${node} `;
        const lines = rows.map(([field, number, isSize]) => {
          return `${prefix}${`${field}:`.padEnd(16)} ${number}${isSize ? ' kB' : ''}`;
        });
        const { bytes, counts } = parseMeminfo(`${lines.join('\n')}\n`);
        const sizes = rows.filter(([, , isSize]) => isSize);
        const others = rows.filter(([, , isSize]) => !isSize);
        expect([...bytes]).toEqual(sizes.map(([field, number]) => [field, number * 1024]));
        expect([...counts]).toEqual(others.map(([field, number]) => [field, number]));
      }),
    );
  });
});

describe('pools of huge pages', () => {
  test('have their size in their name', () => {
    expect(parsePoolName('hugepages-2048kB')).toBe(2 ** 21);
    expect(parsePoolName('hugepages-1048576kB')).toBe(2 ** 30);
    expect(['power', 'hugepages-', 'hugepages-64MB'].map(parsePoolName)).toEqual([
      null,
      null,
      null,
    ]);
  });

  test('count in whole numbers', () => {
    expect(parseCount('4\n')).toBe(4);
    expect(['', '\n', '-1\n', '4 5\n', '0x4', '4\n\n'].map(parseCount)).toEqual(
      Array(6).fill(null),
    );
  });
});

test('no text makes a parser fail, or give what is no number', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const { bytes, counts } = parseMeminfo(text);
      const numbers = [...bytes.values(), ...counts.values(), ...parseCounters(text).values()];
      expect(numbers.every((value) => value >= 0 && Number.isFinite(value))).toBe(true);
      expect(parseNumastat(text)).toBeNull();
      parsePoolName(text);
      parseCount(text);
    }),
    { numRuns: 500 },
  );
});
