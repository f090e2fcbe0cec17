/** Text of others on a terminal: what is written out, and that it stays in its cell. */

import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { Output } from '../../lib/cli/output.ts';
import { Colours } from '../../lib/cli/render/colours.ts';
import { planText, reportText } from '../../lib/cli/render/migration-text.ts';
import { paragraph } from '../../lib/cli/render/paragraph.ts';
import { drawFrame } from '../../lib/cli/render/scenario-frame.ts';
import { cut, cutEnd, table } from '../../lib/cli/render/table.ts';
import { visible, visibleJson } from '../../lib/cli/render/visible.ts';
import type { MappingsMigrationReport } from '../../lib/core/migration-report.ts';
import { NodeMask } from '../../lib/core/node-mask.ts';
import type { MigrationPlan } from '../../lib/facade/process/migration-plan.ts';
import { playScenario } from '../../lib/services/scenario/play.ts';
import { openScenario } from '../../lib/services/scenario/read-scenario.ts';
import { HOSTILE, obeyedIn } from './hostile.ts';

const plain = new Colours(false);

describe('visible', () => {
  test.each([
    ['a\nb\r\t', 'a\\nb\\r\\t'],
    ['\u001b[31m\u0000\u007f\u0085\u009b', '\\x1b[31m\\x00\\x7f\\x85\\x9b'],
    ['\u202e\u2066\u200f\u061c', '\\u202e\\u2066\\u200f\\u061c'],
    ['a\u2028b\u2029\u00ad\ufeff\u200b', 'a\\u2028b\\u2029\\xad\\ufeff\\u200b'],
    ['\u{e0041}\u{e007f}', '\\u{e0041}\\u{e007f}'],
    ['\ud800x\udfff', '\\ud800x\\udfff'],
    ['\u3164\u115f\u{1d173}', '\\u3164\\u115f\\u{1d173}'],
    ['\uffff\u{10ffff}', '\\uffff\\u{10ffff}'],
    // Marks belong to a letter; without one they would change what is before the text.
    ['\u0301a', '\\u0301a'],
    ['\u202e\u0301\u0302', '\\u202e\\u0301\\u0302'],
    [`z${'\u0300'.repeat(6)}`, `z${'\u0300'.repeat(4)}\\u0300\\u0300`],
  ])('%j', (text, shown) => {
    expect(visible(text)).toBe(shown);
    expect(visible(shown)).toBe(shown);
  });

  test.each(['/usr/lib/naïve', 'cafe\u0301', '日本語', '😀 \u{1f44d}\u{1f3fd}', 'עברית', '\ufffd'])(
    'leaves %s as it is',
    (text) => {
      expect(visible(text)).toBe(text);
      expect(visibleJson(JSON.stringify(text))).toBe(JSON.stringify(text));
    },
  );

  test('JSON text has the same value', () => {
    const text = visibleJson(JSON.stringify({ [HOSTILE]: [HOSTILE] }, null, 2));
    expect(obeyedIn(text)).toBeUndefined();
    expect(JSON.parse(text)).toEqual({ [HOSTILE]: [HOSTILE] });
  });

  test('takes long texts of marks alone', () => {
    const marks = '\u0300'.repeat(50_000);
    for (const text of [marks, `a${marks}`, ` ${marks}`]) {
      expect(obeyedIn(visible(text))).toBeUndefined();
      expect(visible(text).length).toBeGreaterThan(6 * 49_000);
    }
  });
});

describe('what is printed', () => {
  function printed(isTTY: boolean, print: (output: Output) => void): string {
    let text = '';
    const write = (part: string): void => {
      text += part;
    };
    const stream = { isTTY, columns: 80, rows: 5, write };
    print(new Output({ stdout: stream, stderr: stream }, { FORCE_COLOR: isTTY ? '1' : '0' }));
    return text;
  }

  test('passes one gate, however it is printed', () => {
    const ways: ((output: Output) => void)[] = [
      (output) => output.lines([HOSTILE]),
      (output) => output.complain([HOSTILE]),
      (output) => output.json({ name: HOSTILE }),
      (output) => output.redraw([HOSTILE]),
      (output) => output.raw(HOSTILE),
    ];
    for (const way of ways) expect(obeyedIn(printed(false, way))).toBeUndefined();
    expect(printed(true, (output) => output.status(HOSTILE))).toBe(
      `\r\u001b[K${visible(HOSTILE).replace('\\x1b[31mred\\x1b[39m', '\u001b[31mred\u001b[39m')}`,
    );
  });

  test('a screen that is too low says what it leaves out', () => {
    const lines = ['1', '2', '3', '4', '5', '6'];
    expect(printed(true, (output) => output.redraw(lines))).toContain(
      '3\n\u001b[2mand 3 more lines',
    );
    expect(printed(true, (output) => output.redraw(lines.slice(2)))).toMatch(/3\n4\n5\n6\n$/);
  });
});

describe('lines and cells', () => {
  const names = [HOSTILE, '日本語日本語日本語', 'e\u0301'.repeat(30), '😀'.repeat(12), 'plain', ''];

  test.each([12, 20, 40, 81])('hold %i columns, whatever is in them', (columns) => {
    const shape = [
      { heading: 'number', cell: (): string => '1', align: 'right' as const, leaves: 1 },
      { heading: 'name', cell: (name: string): string => name, cutTo: 5 },
      { heading: 'end', cell: (): string => '|' },
    ];
    const lines = table(names, shape, { columns });
    for (const line of lines) expect(stringWidth(line), line).toBeLessThanOrEqual(columns);
    const ends = lines.slice(1, 1 + names.length).map((line) => stringWidth(line));
    // Half of a wide character is no column: a cell may be one short, and is filled up.
    expect(new Set(ends).size).toBe(1);
    expect(lines.length - names.length - 1 > 0).toBe(!lines[0]?.includes('number'));
  });

  test('are cut between characters, never within one', () => {
    for (const name of names.map(visible)) {
      for (let width = 2; width < 40; width += 1) {
        for (const text of [cut(name, width), cutEnd(name, width)]) {
          expect(stringWidth(text)).toBeLessThanOrEqual(width);
          expect(text).not.toMatch(/…\p{M}|[\ud800-\udbff](?![\udc00-\udfff])/u);
        }
      }
    }
  });

  test('of plans and reports', () => {
    const mapping = { start: 4096n, kind: 'file', name: HOSTILE, bytesToMove: 4096 };
    const plan = {
      ...{ pid: 1, from: NodeMask.parse('0'), to: NodeMask.parse('1'), mappings: [mapping] },
      ...{ selectedCount: 1, mappingCount: 1, bytesToMove: 4096 },
      warnings: [{ kind: 'shared', message: HOSTILE }],
    } as unknown as MigrationPlan;
    const pages = { moved: 0, busy: 1, noMemory: 0, notAttempted: 0, failed: 1, alreadyThere: 0 };
    const report = {
      ...{ pages, pageSizeBytes: 4096, steps: { count: 1, longestNs: 1 }, durationNs: 1 },
      ...{ failedBy: { [HOSTILE]: 1 }, aborted: false, complete: false },
      mappings: Array.from({ length: 10 }, () => ({ ...mapping, pages })),
    } as unknown as MappingsMigrationReport;
    const options = { columns: 60, colours: plain };
    const lines = [...planText(plan, options), ...reportText(report, options)];
    expect(obeyedIn(lines.join('\n'))).toBeUndefined();
    expect(lines.at(-1)).toBe('and 2 more: --json has all');
    const rows = lines.filter((line) => /4 KiB +(file|1000)|8 KiB/.test(line));
    expect(rows.length).toBe(9);
    for (const row of rows) expect(stringWidth(row), row).toBeLessThanOrEqual(60);
  });

  test('of the stepper', () => {
    const { summary, ...scenario } = openScenario('page');
    const play = playScenario(
      { ...scenario, name: HOSTILE, summary: HOSTILE },
      { isWatched: true },
    );
    const lines = drawFrame(play, 0, { columns: 80, rows: 24 }, plain);
    expect(summary).not.toBe('');
    expect(obeyedIn(lines.join('\n'))).toBeUndefined();
    expect(stringWidth(lines[0] as string)).toBeLessThanOrEqual(80);
  });

  test('of a paragraph, with its beginning painted', () => {
    const bold = { text: '7 a b', paint: (text: string) => `<${text}>` };
    expect(paragraph(': one two three', 12, bold)).toEqual(['<7 a b>: one', '  two three']);
    expect(paragraph(': one', 4, bold)).toEqual(['7 a', '  b:', '  one']);
  });
});
