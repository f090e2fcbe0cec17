/**
 * The calling thread's memory policy, CPU and affinity. Linux keeps them per thread: each verb acts
 * on the JavaScript thread that calls it. Workers inherit the policy that their creator had when
 * it started them; libuv's pool threads keep the one they were started with.
 */

import { invalidArgumentType, invalidArgumentValue } from '../../core/argument-errors.ts';
import { isThenable } from '../../core/check-arguments.ts';
import type { CpuExpression, CpuMask } from '../../core/cpu-mask.ts';
import { bind, checkPolicy, type MemoryPolicy } from '../../core/memory-policy.ts';
import type { NodeId } from '../../core/node-mask.ts';
import { MAXNODE_ALL } from '../../core/nodemask-words.ts';
import type { Context } from '../context.ts';
import { isSamePolicy } from '../policy/policy-parts.ts';
import { readPolicy } from '../policy/read-policy.ts';
import { bindThread, type ThreadBinding, type ThreadBindOptions } from './bind-thread.ts';

/** What is changed of a thread, and given back. */
interface ThreadChanges {
  readonly policy?: boolean;
  readonly cpus?: boolean;
}

/** @internal Gives the calling thread back what `body` changes of it, also when it throws. */
export let restoringThread: <T>(thread: ThreadMemory, changes: ThreadChanges, body: () => T) => T;

export class ThreadMemory {
  static {
    restoringThread = (thread, changes, body) => thread.#restoring(changes, body);
  }

  readonly #context: Context;

  /** @internal Use `numa.thread`. */
  constructor(context: Context) {
    this.#context = context;
  }

  /**
   * The calling thread's policy; `default` when it has none.
   * @throws NumaError NUMA_NOT_PERMITTED (seccomp)
   * Source: get_mempolicy(2).
   */
  policy(): MemoryPolicy {
    return readPolicy(this.#context, { flags: 0 });
  }

  /**
   * Sets the policy that this thread's future page faults follow. No page moves.
   * @throws RangeError ERR_OUT_OF_RANGE for nodes that are not allowed; TypeError
   *   ERR_INVALID_ARG_VALUE for a policy with a home node, which only ranges have; NumaError
   *   NUMA_INVALID_ARGUMENT, NUMA_NOT_PERMITTED
   * Source: set_mempolicy(2).
   */
  setPolicy(policy: MemoryPolicy): void {
    checkThreadPolicy(policy);
    const request = this.#context.encodePolicy(policy);
    const result = this.#context.backend.setMempolicy(request);
    const { mode } = request;
    this.#context.unwrap(result, `${policy} for this thread`, { policy: `${policy}` }, { mode });
  }

  /**
   * Runs a synchronous function under a policy and restores the one before, also when it throws.
   * @throws TypeError ERR_INVALID_ARG_VALUE when the function returns a promise: what it awaits
   *   would run under another policy. The policy is restored first.
   */
  withPolicy<T>(policy: MemoryPolicy, run: () => T): T {
    checkThreadPolicy(policy);
    return this.#runSynchronously({ policy: true }, () => this.setPolicy(policy), run);
  }

  /** The CPU and node that the calling thread runs on now. Source: getcpu(2). */
  cpu(): { readonly cpu: number; readonly node: NodeId } {
    return this.#context.unwrap(this.#context.backend.getcpu(), 'asking for the CPU');
  }

  /** The CPUs that the calling thread may run on. Source: sched_getaffinity(2). */
  affinity(): CpuMask {
    return this.#context.affinity();
  }

  /**
   * Restricts the calling thread to these CPUs; the kernel drops those outside of its cpuset.
   * @param cpus `all`, `!0` and `+0-1` refer to the CPUs that it may run on until now:
   *   `numa.topology.cpus` are all of the machine
   * @throws TypeError, RangeError for what is no list of CPU numbers; NumaError
   *   NUMA_INVALID_ARGUMENT when none of them may be used
   * Source: sched_setaffinity(2).
   */
  setAffinity(cpus: CpuExpression): void {
    const mask = this.#context.resolveCpus(cpus, 'cpus');
    const result = this.#context.backend.schedSetaffinity(mask.toArray());
    this.#context.unwrap(result, `CPUs ${mask}`, { cpus: mask.toArray() });
  }

  /**
   * Binds CPUs and memory of this thread in one verb, each to the other's nodes where one is left
   * out, and tells what became of both: `numa_bind` with its outcomes. Threads that it starts later
   * inherit both. No page moves.
   * @throws TypeError ERR_INVALID_ARG_VALUE, RangeError ERR_OUT_OF_RANGE before anything is bound;
   *   with `strict` NumaError NUMA_NOT_PERMITTED, NUMA_INVALID_ARGUMENT with both undone
   * Source: numa_bind of numa(3).
   */
  bind(options: ThreadBindOptions): ThreadBinding {
    return bindThread(this.#context, options, {
      setAffinity: (cpus) => this.setAffinity(cpus),
      setPolicy: (nodes) => this.setPolicy(bind(nodes)),
      keepAll: () => {
        const kept = [this.#keepPolicy(), this.#keepAffinity()];
        return () => restoreAll(kept);
      },
    });
  }

  /**
   * Runs a synchronous function on these CPUs and restores those before, also when it throws.
   * @param cpus as of `setAffinity`
   * @throws as `setAffinity`; TypeError ERR_INVALID_ARG_VALUE when the function returns a promise:
   *   what it awaits would run on other CPUs. They are restored first.
   * Source: sched_setaffinity(2).
   */
  withAffinity<T>(cpus: CpuExpression, run: () => T): T {
    const mask = this.#context.resolveCpus(cpus, 'cpus');
    return this.#runSynchronously({ cpus: true }, () => this.setAffinity(mask), run);
  }

  #restoring<T>({ policy = false, cpus = false }: ThreadChanges, body: () => T): T {
    const restorePolicy = policy ? this.#keepPolicy() : () => {};
    const restoreCpus = cpus ? this.#keepAffinity() : () => {};
    try {
      return body();
    } finally {
      restoreAll([restorePolicy, restoreCpus]);
    }
  }

  #runSynchronously<T>(changes: ThreadChanges, set: () => void, run: () => T): T {
    if (typeof run !== 'function') throw invalidArgumentType('run', 'a function', run);
    const value = this.#restoring(changes, () => {
      set();
      return run();
    });
    if (isThenable(value)) {
      // Nobody will wait for it any more; its rejection must not end the process.
      Promise.resolve(value).catch(() => {});
      const what = changes.cpus === true ? 'CPUs are' : 'policy is';
      const rule = `must be synchronous: a promise goes on after the ${what} restored`;
      throw invalidArgumentValue('run', rule, value);
    }
    return value;
  }

  /** Keeps the kernel's own words: a policy whose nodes are forbidden by now goes back as is. */
  #keepPolicy(): () => void {
    const { backend } = this.#context;
    const asked = 'keeping the policy';
    const kept = this.#context.unwrap(
      backend.getMempolicy({ flags: 0, maxnode: MAXNODE_ALL }),
      asked,
    );
    const isEmpty = kept.nodemask.every((word) => word === 0n);
    const nodemask = isEmpty ? null : { words: kept.nodemask, maxnode: MAXNODE_ALL };
    return () => {
      const result = backend.setMempolicy({ mode: kept.mode, nodemask });
      if (result.ok) return;
      // A call that is forbidden has not changed it before either.
      const now = backend.getMempolicy({ flags: 0, maxnode: MAXNODE_ALL });
      if (now.ok && isSamePolicy(now.value, kept)) return;
      this.#context.unwrap(result, 'restoring the policy', { mode: kept.mode });
    };
  }

  /** Keeps the CPUs that the thread may run on. */
  #keepAffinity(): () => void {
    const kept = this.affinity();
    return () => {
      const result = this.#context.backend.schedSetaffinity(kept.toArray());
      if (result.ok || this.affinity().equals(kept)) return;
      this.#context.unwrap(result, 'restoring the CPUs', { cpus: kept.toArray() });
    };
  }
}

/** Each of them, also behind one that throws. */
function restoreAll([first, ...rest]: readonly (() => void)[]): void {
  if (first === undefined) return;
  try {
    first();
  } finally {
    restoreAll(rest);
  }
}

/** The kernel has no call for the home node of a thread's policy. */
function checkThreadPolicy(policy: MemoryPolicy): void {
  checkPolicy(policy, 'policy');
  if (policy.homeNode === undefined) return;
  const rule = 'cannot have a home node: only policies of ranges do';
  throw invalidArgumentValue('policy', rule, `${policy}`);
}
