/**
 * Matchers in the form that `expect.extend()` of vitest and jest takes. Each says what it found,
 * by node. Nothing here imports a test runner.
 */

import { describe, invalidArgumentType, invalidArgumentValue } from '../core/argument-errors.ts';
import { text } from '../core/call-arguments.ts';
import {
  checkArray,
  checkInteger,
  checkItems,
  checkWord,
  isInstance,
  reading,
  readMembers,
} from '../core/check-arguments.ts';
import { errnoName } from '../core/errno.ts';
import type { NumaError } from '../core/errors.ts';
import type { AnyMigrationReport } from '../core/migration-report.ts';
import { isNodeMask, type NodeExpression, NodeMask } from '../core/node-mask.ts';
import type { MappedBuffer } from '../facade/buffer/mapped-buffer.ts';
import type { Residency } from '../facade/pages/residency.ts';
import {
  MIGRATION_STEPS,
  type MigrationEvent,
  type MigrationStep,
} from '../simulator/interface/migration-event.ts';

/** The steps of two pages, about. */
const SHOWN_STEPS_MAX = 40;
/** More than any trace that a test looks at. */
const EVENTS_MAX = 2 ** 22;

/** What a matcher answers. */
export interface MatcherAnswer {
  readonly pass: boolean;
  readonly message: () => string;
}

/** The matchers as methods of `expect(...)`; for the type declarations of a test runner. */
export interface NumaMatchers<R = unknown> {
  /**
   * Every present page of a MappedBuffer, or of a Residency, is on these nodes, and at least one is
   * present. `all`, `!0` and `+0` have no meaning here: name nodes.
   */
  toResideOn(nodes: NodeExpression): R;
  /** A report of `migrate()` or `migrateMappings()` says that so many pages moved; without a
   *  number: at least one. */
  toHaveMoved(pageCount?: number): R;
  /** A report of `migrate()` or `migrateMappings()` says that every present page is on its
   *  target. */
  toBeComplete(): R;
  /** A SyscallResult or a NumaError: this call said no, with this errno by name. */
  toFailWith(syscall: string, errno: string): R;
  /** A trace of migrations, or some of its events, has these steps in this order; others may lie
   *  between them. */
  toContainSteps(steps: readonly MigrationStep[]): R;
}

type Matcher<A extends unknown[]> = (received: unknown, ...expected: A) => MatcherAnswer;

/** For `expect.extend(matchers)`. */
export const matchers: {
  readonly [Name in keyof NumaMatchers]: Matcher<Parameters<NumaMatchers[Name]>>;
} = { toResideOn, toHaveMoved, toBeComplete, toFailWith, toContainSteps };

function toResideOn(received: unknown, nodes: NodeExpression): MatcherAnswer {
  const wanted = nodesOf(nodes);
  const { byNode, pages } = residencyOf(received);
  const isElsewhere = Object.keys(byNode).some((node) => !wanted.has(Number(node)));
  return answer(
    (pages['present'] ?? 0) > 0 && !isElsewhere,
    `every present page to be on node ${wanted}`,
    `${nodesText(byNode)}; ${countsText(pages)}`,
  );
}

function toHaveMoved(received: unknown, pageCount?: number): MatcherAnswer {
  const report = reportOf(received);
  const { moved = 0 } = report.pages;
  if (pageCount === undefined) {
    return answer(moved > 0, `pages to have moved to ${report.targetText}`, reportText(report));
  }
  checkInteger(pageCount, 'pageCount', 0);
  const wanted = `${pageCount} pages to have moved to ${report.targetText}`;
  return answer(moved === pageCount, wanted, reportText(report));
}

function toBeComplete(received: unknown): MatcherAnswer {
  const report = reportOf(received);
  const wanted = `every present page to be on ${report.targetText}`;
  return answer(report.complete, wanted, reportText(report));
}

function toFailWith(received: unknown, syscall: string, errno: string): MatcherAnswer {
  text(syscall, 'syscall');
  text(errno, 'errno');
  const failed = failureOf(received);
  const pass = failed !== null && failed.syscall === syscall && failed.errno === errno;
  const found = failed === null ? 'success' : `${failed.syscall}: ${failed.errno}`;
  return answer(pass, `${syscall}: ${errno}`, found);
}

function toContainSteps(received: unknown, steps: readonly MigrationStep[]): MatcherAnswer {
  const wantedSteps = checkArray(steps, 'steps').map((step) =>
    checkWord(step, 'steps', MIGRATION_STEPS),
  );
  const found = stepsOf(received);
  let matched = 0;
  for (const step of found) if (step === wantedSteps[matched]) matched += 1;
  const missing = wantedSteps[matched];
  const last = wantedSteps[matched - 1];
  const behind = last === undefined ? '' : ` behind ${last}`;
  const lack = missing === undefined ? '' : `no ${missing}${behind} in `;
  const wanted = `the steps ${wantedSteps.join(', ')} in this order`;
  return answer(missing === undefined, wanted, `${lack}${stepsText(found)}`);
}

function stepsText(steps: readonly unknown[]): string {
  if (steps.length === 0) return 'a trace without steps';
  const shown = steps
    .slice(0, SHOWN_STEPS_MAX)
    .map((step) => (typeof step === 'string' ? step : describe(step)))
    .join(', ');
  const rest = steps.length - SHOWN_STEPS_MAX;
  return rest > 0 ? `${shown}, and ${rest} more` : shown;
}

function answer(pass: boolean, wanted: string, found: string): MatcherAnswer {
  return { pass, message: () => `expected ${pass ? 'not ' : ''}${wanted}; found ${found}` };
}

function nodesOf(nodes: NodeExpression): NodeMask {
  const mask = typeof nodes === 'string' ? NodeMask.parse(nodes) : maskOf(nodes);
  if (mask.isEmpty) throw invalidArgumentValue('nodes', 'must name at least one node', `${mask}`);
  return mask;
}

function maskOf(nodes: number | Iterable<number>): NodeMask {
  return typeof nodes === 'number' ? NodeMask.of(nodes) : NodeMask.from(nodes);
}

/** Numbers by name: pages by node, or by what became of them. */
type Counts = Readonly<Record<string, number>>;

interface GivenReport {
  readonly pages: Counts;
  readonly failedBy: Counts;
  readonly before: Counts;
  readonly after: Counts;
  /** Where its pages were to go. */
  readonly targetText: string;
  readonly complete: boolean;
}

interface GivenTarget {
  readonly target: unknown;
  readonly to: unknown;
}

/** Objects of another copy of the package have no class in common with ours: members decide. */
function given<T extends object>(
  received: unknown,
  names: readonly (keyof T & string)[],
): Partial<T> {
  return isObject(received) ? readMembers<T>(received, 'received', names) : {};
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Undefined where one of them is no number. */
function countsOf(value: unknown): Counts | undefined {
  if (!isObject(value)) return undefined;
  const entries = reading(value, 'received', () => Object.entries(value));
  return entries.every(([, count]) => typeof count === 'number')
    ? Object.fromEntries(entries)
    : undefined;
}

function residencyOf(received: unknown): { byNode: Counts; pages: Counts } {
  const { residencySync } = given<MappedBuffer>(received, ['residencySync']);
  const look = typeof residencySync === 'function' ? residencySync.call(received) : received;
  const residency = given<Residency>(look, ['byNode', 'pages']);
  const [byNode, pages] = [countsOf(residency.byNode), countsOf(residency.pages)];
  if (byNode !== undefined && pages !== undefined) return { byNode, pages };
  throw invalidArgumentType('received', 'a MappedBuffer or a Residency', received);
}

function reportOf(received: unknown): GivenReport {
  const names = ['pages', 'failedBy', 'before', 'after', 'target', 'to', 'complete'] as const;
  const report = given<AnyMigrationReport & GivenTarget>(received, names);
  const [pages, after] = [countsOf(report.pages), countsOf(report.after)];
  if (pages !== undefined && after !== undefined) {
    const [failedBy = {}, before = {}] = [countsOf(report.failedBy), countsOf(report.before)];
    const { target, to } = report;
    const where = typeof target === 'number' ? `node ${target}` : 'its node';
    const of = isNodeMask(to) ? `${where} of ${to}` : where;
    return { pages, failedBy, before, after, targetText: of, complete: report.complete === true };
  }
  throw invalidArgumentType('received', 'a MigrationReport: await buffer.migrate()', received);
}

/** Null: it did not fail. */
function failureOf(received: unknown): { syscall: string; errno: string } | null {
  const error = given<NumaError>(received, ['name', 'code', 'syscall', 'errnoName']);
  if (isInstance(received, Error) && error.name === 'NumaError') {
    const { code, syscall = code, errnoName: errno = 'no errno' } = error;
    return { syscall: `${syscall}`, errno };
  }
  const result = given<FailedAnswer>(received, ['ok', 'errno', 'syscall']);
  if (result.ok === true) return null;
  const { ok, errno, syscall = '' } = result;
  if (ok === false && typeof errno === 'number' && typeof syscall === 'string') {
    return { syscall, errno: errnoName(errno) };
  }
  throw invalidArgumentType('received', 'a SyscallResult or a NumaError', received);
}

interface FailedAnswer {
  readonly ok: boolean;
  readonly errno: number;
  readonly syscall: string;
}

function stepsOf(received: unknown): unknown[] {
  const isList = reading(received, 'received', () => Array.isArray(received));
  const { events } = isList ? { events: received } : given<Events>(received, ['events']);
  const rule = 'a MigrationTrace or its events';
  const list = checkItems(events, 'received', rule, EVENTS_MAX);
  return list.map((event) => given<MigrationEvent>(event, ['step']).step);
}

interface Events {
  readonly events: unknown;
}

function reportText({ pages, failedBy, before, after }: GivenReport): string {
  const where = `${nodesText(before)} before and ${nodesText(after)} after`;
  const reasons = Object.entries(failedBy).map(([errno, count]) => `${errno} ${count}`);
  return [`${where}; ${countsText(pages)}`, ...reasons].join(', ');
}

/** `6 pages on node 0, 10 on node 1`. */
function nodesText(byNode: Counts): string {
  const parts = Object.entries(byNode).map(([node, count]) => `${count} on node ${node}`);
  return parts.length === 0 ? 'no page on any node' : parts.join(', ');
}

/** `total 16, moved 10, busy 6`: members that are 0 are left out, but for the total. */
function countsText(pages: Counts): string {
  return Object.entries(pages)
    .filter(([name, count]) => count > 0 || name === 'total')
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
