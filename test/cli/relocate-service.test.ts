/**
 * A service that knows nothing of node-numa is moved while it answers requests: all of it, and by
 * the command line its files only, and half of it. The figures are printed; the test holds what
 * must be true of them whatever the machine's speed.
 */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import {
  type MappingKind,
  type MappingsMigrationReport,
  type ProcessResidency,
  remoteShareOf,
} from '../../lib/index.ts';
import { memoryNodes, numa } from '../facade/machine.ts';
import { RunningService, type Stalls } from './running-service.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const MIGRATEPAGES = '/usr/bin/migratepages';
/** Larger for figures: `npm run guest -- --env NODE_NUMA_SERVICE_MIB=512 ...`. */
const MIB = Number(process.env['NODE_NUMA_SERVICE_MIB'] ?? 32);
const DATA_BYTES = MIB * 2 ** 20;
/** Each step costs an emulated CPU as much as some hundred pages. */
const PAUSE_BUDGET_MS = 40;
/** For an emulated machine beside others. */
const TIMEOUT_MS = 120_000 + MIB * 1000;
const run = promisify(execFile);

interface Placement {
  readonly residency: ProcessResidency;
  readonly remoteShare: number;
}

const JSON_BYTES_MAX = 64 * 2 ** 20;

/** A command line's JSON, whatever its exit status. */
async function commandJson<T>(...words: string[]): Promise<{ exitCode: number; value: T }> {
  const options = { maxBuffer: JSON_BYTES_MAX };
  const ran = await run(process.execPath, [PROGRAM, ...words, '--json'], options).then(
    ({ stdout }) => ({ exitCode: 0, stdout }),
    (error: { code: number; stdout: string }) => ({ exitCode: error.code, stdout: error.stdout }),
  );
  return { exitCode: ran.exitCode, value: JSON.parse(ran.stdout) as T };
}

/** Where the service runs, and where its memory is first. */
const candidates = [...memoryNodes.slice(1), ...memoryNodes.slice(0, 1)];
const b = candidates.find((node) => numa.topology.withCpus.has(node)) as number;
const a = memoryNodes.find((node) => node !== b) as number;
let service: RunningService | undefined;

beforeAll(async () => {
  if (memoryNodes.length < 2) return;
  // Runs on the second node's CPUs, with memory of the first.
  const placed = ['run', '--memory-nodes', `${a}`, '--policy', 'preferred', '--cpu-nodes', `${b}`];
  service = await RunningService.start(MIB, [process.execPath, PROGRAM, ...placed, '--']);
}, TIMEOUT_MS);
afterAll(() => service?.stop());

function needService(context: TestContext): RunningService {
  if (service === undefined) {
    context.skip(`needs 2 nodes with memory; this machine has ${memoryNodes.length}`);
  }
  return service;
}

async function placement(pid: number): Promise<Placement> {
  const [residency, threads] = [
    await numa.process(pid).residency(),
    await numa.process(pid).threads(),
  ];
  return { residency, remoteShare: Number(remoteShareOf(residency.bytesByNode, threads)) };
}

const onNode = (place: Placement, node: number, kind: MappingKind = 'anonymous'): number =>
  place.residency.byKind[kind].bytesByNode[node] ?? 0;

const figures: string[] = [];

function note(what: string, stalls: Stalls): void {
  const { requestCount, medianUs, p99Us, longestUs, histogram } = stalls;
  const times = [medianUs, p99Us, longestUs].map((us) => `${us.toFixed(0)} us`).join(', ');
  const bins = Object.entries(histogram).map(([power, count]) => `<=${power}us ${count}`);
  figures.push(`${what}: ${requestCount} requests; median, 99 %, longest stall ${times}`);
  figures.push(`  ${bins.join('  ')}`);
}

afterAll(() => {
  if (figures.length > 0) process.stdout.write(`${figures.join('\n')}\n`);
});

describe('a service moved while it answers', () => {
  test('all of it, its data kept', { timeout: TIMEOUT_MS }, async (context) => {
    const { pid } = needService(context);
    const running = needService(context);
    const before = await placement(pid);
    expect(onNode(before, a)).toBeGreaterThan(DATA_BYTES * 0.95);
    note('before', (await running.whileAsked(() => setTimeout(500))).stalls);
    const data = await running.check();
    const during = await running.whileAsked(() =>
      numa.process(pid).migrateMappings({ from: a, to: b, pauseBudgetMs: PAUSE_BUDGET_MS }),
    );
    const report = during.value;
    expect(report.pages.moved * report.pageSizeBytes).toBeGreaterThan(DATA_BYTES * 0.95);
    expect(during.stalls.requestCount).toBeGreaterThan(0);
    note(`during (${report.steps.count} steps)`, during.stalls);
    const after = await placement(pid);
    expect(onNode(after, b)).toBeGreaterThan(DATA_BYTES * 0.95);
    expect(after.remoteShare).toBeLessThan(before.remoteShare);
    note('after', (await running.whileAsked(() => setTimeout(500))).stalls);
    const check = await running.check();
    expect(check.sum).toBe(data.sum);
    expect(check.counted % 256).toBe(check.writeCount % 256);
    figures.push(
      `remote share ${before.remoteShare.toFixed(2)} before, ` +
        `${after.remoteShare.toFixed(2)} after; ` +
        `${report.pages.moved} pages in ${(report.durationNs / 1e9).toFixed(2)} s`,
    );
    if (!existsSync(MIGRATEPAGES)) return;
    // Back again, as numactl's own tool does it: one call, as long as it takes.
    const whole = await running.whileAsked(() => run(MIGRATEPAGES, [`${pid}`, `${b}`, `${a}`]));
    note('migratepages', whole.stalls);
    const ratio = whole.stalls.longestUs / during.stalls.longestUs;
    figures.push(`longest stall of migratepages to ours: ${ratio.toFixed(2)}`);
  });

  test('its files only', { timeout: TIMEOUT_MS }, async (context) => {
    const { pid } = needService(context);
    const before = await placement(pid);
    const to = onNode(before, a, 'file') > onNode(before, b, 'file') ? b : a;
    const { value } = await commandJson<{ report: MappingsMigrationReport }>(
      ...['migrate', `${pid}`, '--to', `${to}`, '--mapping', 'kind=file', '--include-shared'],
    );
    expect(value.report.mappings.every(({ kind }) => kind === 'file')).toBe(true);
    const after = await placement(pid);
    for (const node of [a, b]) {
      const change = Math.abs(onNode(after, node) - onNode(before, node));
      expect(change).toBeLessThan(DATA_BYTES * 0.2);
    }
    const files = Object.values(after.residency.byKind.file.bytesByNode);
    const all = files.reduce((sum, bytes) => sum + bytes, 0);
    expect(onNode(after, to, 'file')).toBeGreaterThan(all * 0.9);
  });

  test('half of it, by Ctrl-C', { timeout: TIMEOUT_MS }, async (context) => {
    const { pid } = needService(context);
    const before = await placement(pid);
    const [from, to] = onNode(before, a) > onNode(before, b) ? [a, b] : [b, a];
    const words = ['migrate', `${pid}`, '--from', `${from}`, '--to', `${to}`, '--json'];
    const child = spawn(process.execPath, [PROGRAM, ...words, '--pause-budget', '1'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    const ended = once(child, 'close');
    for (;;) {
      const { byKind } = await numa.process(pid).residency();
      const moved = (byKind.anonymous.bytesByNode[to] ?? 0) - onNode(before, to);
      if (moved > DATA_BYTES / 10) break;
      await setTimeout(100);
    }
    child.kill('SIGINT');
    expect((await ended)[0]).toBe(3);
    const { report } = JSON.parse(text) as { report: MappingsMigrationReport };
    expect(report.aborted).toBe(true);
    expect(report.pages.notAttempted).toBeGreaterThan(0);
    const after = await placement(pid);
    const movedAnonymous = report.mappings
      .filter(({ kind }) => kind === 'anonymous')
      .reduce((sum, { pages }) => sum + pages.moved, 0);
    const change = onNode(after, to) - onNode(before, to);
    // The service goes on: what it maps or frees meanwhile is not of the move.
    const slackBytes = DATA_BYTES / 16;
    const moved = movedAnonymous * report.pageSizeBytes;
    expect(Math.abs(change - moved)).toBeLessThan(slackBytes);
    figures.push(`aborted: ${report.pages.moved} of ${report.pages.total} pages moved, as counted`);
  });
});
