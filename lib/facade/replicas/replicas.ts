/**
 * Copies of the same bytes on several nodes, as any thread has them: by their handle, which can be
 * posted, for their memory is the engine's own.
 */

import { types } from 'node:util';
import { invalidArgumentType, outOfRange } from '../../core/argument-errors.ts';
import { checkArray, checkInteger, readMembers } from '../../core/check-arguments.ts';
import { NumaError } from '../../core/errors.ts';
import { inspectAs } from '../../core/inspect.ts';
import { type NodeId, NodeMask } from '../../core/node-mask.ts';
import { NODE_ID_MAX } from '../../core/uapi.ts';
import type { Context } from '../context.ts';
import { type Halves, type Reading, Replica } from './replica.ts';
import {
  fitsArray,
  isArrayName,
  type ReplicaArrayName,
  type ReplicaArrays,
} from './replica-arrays.ts';
import { ReplicaWords } from './replica-words.ts';

/** Names replicas in other threads: post it to a worker, and `numa.attachReplicas()` there. */
export interface ReplicasHandle<Name extends ReplicaArrayName = ReplicaArrayName> {
  readonly arrayName: Name;
  readonly words: SharedArrayBuffer;
  readonly copies: readonly ReplicaCopy[];
}

/** The copy of one node. */
export interface ReplicaCopy {
  readonly node: NodeId;
  /** Two versions of the bytes, in turn. */
  readonly halves: Halves;
}

export class Replicas<T> {
  /** Length of the bytes, which no version changes. */
  readonly lengthBytes: number;
  /** The nodes that have a copy. */
  readonly nodes: NodeMask;
  readonly #context: Context;
  readonly #words: ReplicaWords;
  readonly #arrayName: ReplicaArrayName;
  #copies: readonly ReplicaCopy[];
  #isReleased = false;
  /** By the node of a CPU. */
  readonly #nearest = new Map<NodeId, Replica<T>>();

  /** @internal Use `numa.replicate()` or `numa.attachReplicas()`. */
  constructor(context: Context, handle: ReplicasHandle) {
    const [first] = handle.copies as [ReplicaCopy];
    this.lengthBytes = first.halves[0].byteLength;
    this.nodes = NodeMask.from(handle.copies.map(({ node }) => node));
    this.#context = context;
    this.#words = new ReplicaWords(handle.words);
    this.#arrayName = handle.arrayName;
    this.#copies = handle.copies;
  }

  /** Whether this object was released, or the one that publishes. */
  get isReleased(): boolean {
    return this.#isReleased || this.#words.isEnded;
  }

  /** The latest version: 1 is what was replicated, each `publish()` makes one. */
  get version(): number {
    return this.#words.whole >>> 0;
  }

  /**
   * Names the copies in other threads: post it to a worker, and `numa.attachReplicas()` there.
   * @throws NumaError NUMA_RELEASED
   */
  get handle(): ReplicasHandle<ReplicaArrayNameOf<T>> {
    this.#checkLive('handle');
    const handle = { arrayName: this.#arrayName, words: this.#words.memory, copies: this.#copies };
    return handle as ReplicasHandle<ReplicaArrayNameOf<T>>;
  }

  /**
   * The copy of the calling thread: that of the node of its CPU, or the nearest to it. Asked anew
   * at each call, for threads that are bound to no node.
   * @throws NumaError NUMA_RELEASED
   * Source: getcpu(2).
   */
  local(): Replica<T> {
    this.#checkLive('local');
    const { backend } = this.#context;
    const { node } = this.#context.unwrap(backend.getcpu(), 'asking for the CPU');
    const known = this.#nearest.get(node);
    if (known !== undefined) return known;
    const near = this.#context.topology.nearestFirst(node).find((id) => this.nodes.has(id));
    // Nodes that another thread's machine has, and this thread's has not.
    const replica = this.#replicaOf(near ?? (this.nodes.first as NodeId));
    this.#nearest.set(node, replica);
    return replica;
  }

  /**
   * The copy of a node that has one.
   * @throws RangeError ERR_OUT_OF_RANGE naming those that have; NumaError NUMA_RELEASED
   */
  on(node: NodeId): Replica<T> {
    this.#checkLive('on');
    checkInteger(node, 'node', 0, NODE_ID_MAX);
    if (this.nodes.has(node)) return this.#replicaOf(node);
    throw outOfRange('node', `it has no copy; nodes that have one are ${this.nodes}`, node);
  }

  /**
   * Ends reading by this object; what has the memory in other threads stays. The memory is given
   * back when no thread has it any more. Idempotent.
   */
  release(): void {
    this.#isReleased = true;
    this.#copies = [];
    this.#nearest.clear();
  }

  /** `using replicas = ...` releases them at the end of the block. */
  [Symbol.dispose](): void {
    this.release();
  }

  #replicaOf(wanted: NodeId): Replica<T> {
    const { halves } = this.#copies.find(({ node }) => node === wanted) as ReplicaCopy;
    const reading: Reading = {
      words: this.#words,
      arrayName: this.#arrayName,
      checkLive: (verb) => this.#checkLive(verb),
    };
    return new Replica<T>(wanted, halves, reading);
  }

  #checkLive(verb: string): void {
    if (!this.isReleased) return;
    throw releasedReplicas(this.#context, verb);
  }
}

/** The name of arrays of a type. */
export type ReplicaArrayNameOf<T> = T extends { readonly [Symbol.toStringTag]: infer Name }
  ? Name extends ReplicaArrayName
    ? Name
    : ReplicaArrayName
  : ReplicaArrayName;

inspectAs(Replicas, (replicas) => {
  const { lengthBytes, nodes, isReleased } = replicas;
  return `Replicas(${lengthBytes} bytes on nodes ${nodes}${isReleased ? ', released' : ''})`;
});

/** @internal */
export function releasedReplicas({ backend }: Context, verb: string): NumaError {
  return new NumaError('these replicas were released', {
    code: 'NUMA_RELEASED',
    asked: verb,
    backend: backend.identity.kind,
    hint: 'use them before the release() of whoever made them',
  });
}

/** @internal `numa.attachReplicas()`. */
export function attachReplicas<Name extends ReplicaArrayName>(
  context: Context,
  value: ReplicasHandle<Name>,
): Replicas<ReplicaArrays[Name]> {
  const handle = checkHandle(value);
  const replicas = new Replicas<ReplicaArrays[Name]>(context, handle);
  if (replicas.isReleased) throw releasedReplicas(context, 'attachReplicas');
  return replicas;
}

const RULE = 'the handle of replicas, posted as it is';

function checkHandle(value: unknown): ReplicasHandle {
  const names = ['arrayName', 'words', 'copies'] as const;
  const { arrayName, words, copies } = readMembers<ReplicasHandle>(value, 'handle', names, RULE);
  if (!isArrayName(arrayName)) throw invalidArgumentType('handle.arrayName', RULE, arrayName);
  if (!types.isSharedArrayBuffer(words) || !ReplicaWords.isMemory(words)) {
    throw invalidArgumentType('handle.words', RULE, words);
  }
  const checked = checkArray(copies, 'handle.copies').map(checkCopy);
  const [first] = checked;
  const isEven = checked.every(({ halves }) =>
    halves.every(({ byteLength }) => byteLength === first?.halves[0].byteLength),
  );
  if (first === undefined || !isEven || !fitsArray(arrayName, first.halves[0].byteLength)) {
    throw invalidArgumentType('handle.copies', RULE, copies);
  }
  return { arrayName, words, copies: checked };
}

function checkCopy(value: unknown): ReplicaCopy {
  const argument = 'handle.copies';
  const { node, halves } = readMembers<ReplicaCopy>(value, argument, ['node', 'halves'], RULE);
  const id = checkInteger(node, `${argument}.node`, 0, NODE_ID_MAX);
  const [one, other, ...more] = checkArray(halves, `${argument}.halves`);
  if (!isShared(one) || !isShared(other) || more.length > 0) {
    throw invalidArgumentType(`${argument}.halves`, RULE, halves);
  }
  return { node: id, halves: [one, other] };
}

function isShared(value: unknown): value is Uint8Array<SharedArrayBuffer> {
  return types.isUint8Array(value) && types.isSharedArrayBuffer(value.buffer);
}
