/**
 * Matchers in the form that `expect.extend()` of vitest and jest takes. Each says what it found,
 * by node. Nothing here imports a test runner.
 */

import type { SyscallResult } from '../backend/syscall-result.ts';
import { invalidArgumentType, invalidArgumentValue } from '../core/argument-errors.ts';
import { checkInteger, checkWord } from '../core/check-arguments.ts';
import { errnoName } from '../core/errno.ts';
import type { NumaError } from '../core/errors.ts';
import type { AnyMigrationReport, MigratedPages, NodePages } from '../core/migration-report.ts';
import { type NodeExpression, NodeMask } from '../core/node-mask.ts';
import type { MappedBuffer } from '../facade/mapped-buffer.ts';
import type { Residency } from '../facade/residency.ts';
import {
  MIGRATION_STEPS,
  type MigrationEvent,
  type MigrationStep,
} from '../simulator/interface/migration-event.ts';

/** The steps of two pages, about. */
const SHOWN_STEPS_MAX = 40;

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
    pages.present > 0 && !isElsewhere,
    `every present page to be on node ${wanted}`,
    `${nodesText(byNode)}; ${countsText(pages)}`,
  );
}

function toHaveMoved(received: unknown, pageCount?: number): MatcherAnswer {
  const report = reportOf(received);
  const { moved } = report.pages;
  if (pageCount === undefined) {
    return answer(moved > 0, `pages to have moved to ${targetText(report)}`, reportText(report));
  }
  checkInteger(pageCount, 'pageCount', 0);
  const wanted = `${pageCount} pages to have moved to ${targetText(report)}`;
  return answer(moved === pageCount, wanted, reportText(report));
}

function toBeComplete(received: unknown): MatcherAnswer {
  const report = reportOf(received);
  const wanted = `every present page to be on ${targetText(report)}`;
  return answer(report.complete, wanted, reportText(report));
}

function toFailWith(received: unknown, syscall: string, errno: string): MatcherAnswer {
  const failed = failureOf(received);
  const pass = failed !== null && failed.syscall === syscall && failed.errno === errno;
  const found = failed === null ? 'success' : `${failed.syscall}: ${failed.errno}`;
  return answer(pass, `${syscall}: ${errno}`, found);
}

function toContainSteps(received: unknown, steps: readonly MigrationStep[]): MatcherAnswer {
  for (const step of steps) checkWord(step, 'steps', MIGRATION_STEPS);
  const found = eventsOf(received).map(({ step }) => step);
  let matched = 0;
  for (const step of found) if (step === steps[matched]) matched += 1;
  const missing = steps[matched];
  const last = steps[matched - 1];
  const behind = last === undefined ? '' : ` behind ${last}`;
  const lack = missing === undefined ? '' : `no ${missing}${behind} in `;
  const wanted = `the steps ${steps.join(', ')} in this order`;
  return answer(missing === undefined, wanted, `${lack}${stepsText(found)}`);
}

function stepsText(steps: readonly MigrationStep[]): string {
  if (steps.length === 0) return 'a trace without steps';
  const shown = steps.slice(0, SHOWN_STEPS_MAX).join(', ');
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

/** Objects of another copy of the package have no class in common with ours: members decide. */
function residencyOf(received: unknown): Residency {
  const buffer = received as Partial<MappedBuffer> | null | undefined;
  if (typeof buffer?.residencySync === 'function') return buffer.residencySync();
  const residency = received as Partial<Residency> | null | undefined;
  if (residency?.byNode !== undefined && residency.pages !== undefined) {
    return residency as Residency;
  }
  throw invalidArgumentType('received', 'a MappedBuffer or a Residency', received);
}

function reportOf(received: unknown): AnyMigrationReport {
  const report = received as Partial<AnyMigrationReport> | null | undefined;
  if (report?.pages !== undefined && report.after !== undefined) {
    return report as AnyMigrationReport;
  }
  throw invalidArgumentType('received', 'a MigrationReport: await buffer.migrate()', received);
}

/** Null: it did not fail. */
function failureOf(received: unknown): { syscall: string; errno: string } | null {
  if (received instanceof Error && received.name === 'NumaError') {
    const { code, syscall = code, errnoName: errno = 'no errno' } = received as NumaError;
    return { syscall, errno };
  }
  const result = received as Partial<SyscallResult<unknown>> | null | undefined;
  if (result?.ok === true) return null;
  if (result?.ok === false && 'errno' in result) {
    const { syscall = '', errno = 0 } = result;
    return { syscall, errno: errnoName(errno) };
  }
  throw invalidArgumentType('received', 'a SyscallResult or a NumaError', received);
}

function eventsOf(received: unknown): readonly MigrationEvent[] {
  if (Array.isArray(received)) return received;
  const events = (received as { events?: unknown } | null | undefined)?.events;
  if (Array.isArray(events)) return events;
  throw invalidArgumentType('received', 'a MigrationTrace or its events', received);
}

function targetText(report: AnyMigrationReport): string {
  return 'target' in report ? `node ${report.target}` : `its node of ${report.to}`;
}

function reportText({ pages, failedBy, before, after }: AnyMigrationReport): string {
  const where = `${nodesText(before)} before and ${nodesText(after)} after`;
  const reasons = Object.entries(failedBy).map(([errno, count]) => `${errno} ${count}`);
  return [`${where}; ${countsText(pages)}`, ...reasons].join(', ');
}

/** `6 pages on node 0, 10 on node 1`. */
function nodesText(byNode: NodePages): string {
  const parts = Object.entries(byNode).map(([node, count]) => `${count} on node ${node}`);
  return parts.length === 0 ? 'no page on any node' : parts.join(', ');
}

/** `total 16, moved 10, busy 6`: members that are 0 are left out, but for the total. */
function countsText(pages: MigratedPages | Residency['pages']): string {
  return Object.entries(pages)
    .filter(([name, count]) => count > 0 || name === 'total')
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
