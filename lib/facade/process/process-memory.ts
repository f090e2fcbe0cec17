/**
 * The memory of a whole process, this one or another.
 */

import { invalidArgumentValue, outOfRange } from '../../core/argument-errors.ts';
import { checkOptions } from '../../core/check-arguments.ts';
import type { NodeExpression, NodeMask } from '../../core/node-mask.ts';
import { nodemaskPair, nodemaskWords } from '../../core/nodemask-words.ts';
import type { Session } from '../session.ts';

export interface ProcessMigrateOptions {
  /** Nodes whose pages move. */
  readonly from: NodeExpression;
  /** Nodes that they move to. */
  readonly to: NodeExpression;
}

/** What migrate_pages(2) tells of a process's move; it gives no status for single pages. */
export interface ProcessMigrationReport {
  readonly pid: number;
  readonly from: NodeMask;
  readonly to: NodeMask;
  /** Pages that could not be moved; a huge page counts as one on kernels before 6.18. */
  readonly leftBehind: number;
  readonly complete: boolean;
  readonly durationNs: number;
  readonly backend: string;
}

export class ProcessMemory {
  /** The process id. */
  readonly pid: number;
  readonly #session: Session;

  /** @internal Use `numa.process()`. */
  constructor(session: Session, pid: number) {
    this.#session = session;
    this.pid = pid;
  }

  /**
   * Moves all pages of the process that are on the `from` nodes to the `to` nodes, keeping their
   * order: the n-th node of `from` goes to the n-th of `to`, counted round. Runs off the calling
   * thread, in one system call that cannot be cancelled. Policies stay as they are.
   * @throws RangeError ERR_OUT_OF_RANGE for `from` nodes that are not online and `to` nodes that
   *   are not allowed; NumaError NUMA_NO_SUCH_PROCESS, NUMA_NOT_PERMITTED, NUMA_INVALID_ARGUMENT,
   *   NUMA_OUT_OF_MEMORY
   * Source: migrate_pages(2); mm/mempolicy.c, do_migrate_pages().
   */
  async migrate(options: ProcessMigrateOptions): Promise<ProcessMigrationReport> {
    const { from, to } = checkOptions(options, 'options', ['from', 'to']);
    const [fromNodes, toNodes] = [this.#nodes(from, 'options.from'), this.#nodes(to, 'options.to')];
    this.#checkOnline(fromNodes);
    this.#session.checkAllowed(toNodes, 'options.to', `${toNodes}`);
    const masks = nodemaskPair(nodemaskWords(fromNodes), nodemaskWords(toNodes));
    const startNs = process.hrtime.bigint();
    const result = await this.#session.backend.migratePages({ pid: this.pid, ...masks });
    const asked = `process ${this.pid} from ${fromNodes} to ${toNodes}`;
    const args = { pid: this.pid, from: `${fromNodes}`, to: `${toNodes}` };
    const leftBehind = this.#session.unwrap(result, asked, args);
    return Object.freeze({
      pid: this.pid,
      from: fromNodes,
      to: toNodes,
      leftBehind,
      complete: leftBehind === 0,
      durationNs: Number(process.hrtime.bigint() - startNs),
      backend: this.#session.backend.identity.kind,
    });
  }

  #nodes(expression: NodeExpression | undefined, argument: string): NodeMask {
    const nodes = this.#session.resolve(expression, argument);
    if (nodes.isEmpty) throw invalidArgumentValue(argument, 'must name at least one node', '');
    return nodes;
  }

  /** The kernel moves nothing from a node that is not there, and says that all went well. */
  #checkOnline(nodes: NodeMask): void {
    const { online } = this.#session.topology;
    const absent = nodes.difference(online);
    if (absent.isEmpty) return;
    const rule = `node ${absent} is not online; the online nodes are ${online}`;
    throw outOfRange('options.from', rule, `${nodes}`);
  }
}
