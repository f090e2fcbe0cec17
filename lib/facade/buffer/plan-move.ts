/** What moving a range would do, told before anything is moved. */

import type { PageSpan } from '../../backend/backend.ts';
import type { MigrationReport, NodePages } from '../../core/migration-report.ts';
import { type NodeId, NodeMask } from '../../core/node-mask.ts';
import { nodesOfWords } from '../../core/nodemask-words.ts';
import type { Context } from '../context.ts';
import type { Ending } from '../pages/attempt-pages.ts';
import type { PagesOfProcess, Residency } from '../pages/residency.ts';
import { residencyOf } from '../pages/residency-by-mappings.ts';
import { policiesOf } from '../policy/policy-parts.ts';
import { cpusetWarnings, type PlanWarning, roomWarnings } from '../process/migration-plan.ts';
import { choose, type MoveAsked } from './copy-ground.ts';
import { methodsOf } from './migrate-range.ts';

/** What `plan()` of a buffer or a view tells. Counts of base pages. */
export interface RangePlan {
  readonly target: NodeId;
  readonly pageSizeBytes: number;
  /** Where the pages are now; what is excluded is in no count. */
  readonly pages: Residency['pages'];
  readonly byNode: NodePages;
  /** In memory elsewhere. */
  readonly pagesToMove: number;
  readonly bytesToMove: number;
  /** Of the target; `null` where it cannot be told. */
  readonly freeBytes: number | null;
  /** The way that `migrate()` with these options tries first. */
  readonly way: 'kernel' | 'copy';
  readonly wayReason: string;
  /** What it tries, each where those before are refused; `place()` and `distribute()` try the calls
   *  of the kernel alike. `numa.capabilities().verbs` tells which are open here. */
  readonly methods: readonly MigrationReport['method'][];
  readonly warnings: readonly PlanWarning[];
}

interface PlanRequest extends MoveAsked {
  readonly signal: Ending | undefined;
}

/** @throws NumaError where nobody tells where the pages are; the signal's reason */
export async function planMove(
  context: Context,
  range: PagesOfProcess,
  { signal, ...asked }: PlanRequest,
): Promise<RangePlan> {
  const { target, parts } = asked;
  const { backend } = context;
  const choice = await choose(context, range, asked);
  const { ways, reason } = choice;
  const { pageSizeBytes } = backend;
  const pages = { total: 0, present: 0, notPresent: 0, zeroPage: 0, failed: 0 };
  const byNode: Record<NodeId, number> = {};
  for (const part of parts) {
    const told = await residencyOf({ ...range, ...part }, signal);
    const found = context.unwrap(told, `locating ${part.pageCount} pages`);
    for (const name of Object.keys(pages) as (keyof typeof pages)[]) {
      pages[name] += found.pages[name];
    }
    for (const [node, count] of Object.entries(found.byNode)) {
      byNode[Number(node)] = (byNode[Number(node)] ?? 0) + count;
    }
  }
  const pagesToMove = pages.present - (byNode[target] ?? 0);
  const bytesToMove = pagesToMove * pageSizeBytes;
  const memory = backend.nodeMemory(target);
  const freeBytes = memory.ok ? memory.value.freeBytes : null;
  const wanted = pagesToMove > 0 ? { [target]: bytesToMove } : {};
  return Object.freeze({
    target,
    pageSizeBytes,
    pages: Object.freeze(pages),
    byNode: Object.freeze(byNode),
    pagesToMove,
    bytesToMove,
    freeBytes,
    way: ways[0] ?? 'kernel',
    wayReason: reason,
    methods: methodsOf(choice),
    warnings: Object.freeze([
      ...roomWarnings(wanted, freeBytes === null ? {} : { [target]: freeBytes }),
      ...policyWarnings(context, parts, target),
      ...cpusetWarnings({ [target]: bytesToMove }, context.allowedNodes()),
    ]),
  });
}

/** Policies of the range that do not name the target: moving leaves them as they are. */
function policyWarnings(
  { backend }: Context,
  parts: readonly PageSpan[],
  target: NodeId,
): PlanWarning[] {
  const elsewhere = parts.flatMap((part) => {
    const policies = policiesOf(backend, part);
    if (!policies.ok) return [];
    return policies.value
      .map(({ policy }) => NodeMask.from(nodesOfWords(policy.nodemask)))
      .filter((nodes) => !nodes.isEmpty && !nodes.has(target));
  });
  if (elsewhere.length === 0) return [];
  const nodes = elsewhere.reduce((all, some) => all.union(some), NodeMask.empty);
  const message =
    `a policy of the range names node ${nodes}, and moving leaves it as it is: ` +
    'it places the pages that are touched for the first time later';
  return [{ kind: 'policy', message }];
}
