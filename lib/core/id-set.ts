/**
 * Immutable sets of ids of one kind, with the text form of the kernel's lists ("0-2,5"): what
 * NodeMask and CpuMask have in common.
 *
 * Source: include/linux/nodemask.h, include/linux/cpumask.h: two types over one bitmap.
 */

import { invalidArgumentType } from './argument-errors.ts';
import { checkInteger, checkItems, checkOptions } from './check-arguments.ts';
import {
  type IdContext,
  type IdKind,
  parseIdExpression,
  resolveIdExpression,
} from './id-expression.ts';
import { formatIdList } from './id-list.ts';

/** One class of sets: its ids, and how its sets are made and known. */
export interface IdSetClass<Self> {
  readonly kind: IdKind;
  /** For errors: `NodeMask`. */
  readonly name: string;
  readonly make: (ascending: readonly number[]) => Self;
  /** Whether it is one itself, and no object that only inherits from one. */
  readonly isOne: (value: unknown) => value is Self;
}

/** What the text of a set may refer to. */
export interface IdSetContext<Self> {
  /** Those that `all`, `!` and `+` refer to; default `online`. */
  allowed?: Self;
  /** Those that a plain number may name; default any. */
  online?: Self;
}

/** Whether it is a set of ids of any kind. */
let isIdSet: (value: unknown) => boolean;

export abstract class IdSet<Self extends IdSet<Self>> implements Iterable<number> {
  static {
    isIdSet = (value) => typeof value === 'object' && value !== null && #ids in value;
  }

  readonly #ids: readonly number[];
  readonly #class: IdSetClass<Self>;

  /** @internal */
  protected constructor(ascending: readonly number[], idSetClass: IdSetClass<Self>) {
    this.#ids = ascending;
    this.#class = idSetClass;
  }

  /** Number of ids in the set. */
  get size(): number {
    return this.#ids.length;
  }

  /** Whether the set has no id. */
  get isEmpty(): boolean {
    return this.#ids.length === 0;
  }

  /** Lowest id, `undefined` for the empty set. */
  get first(): number | undefined {
    return this.#ids[0];
  }

  /** Whether the set has the id; a number that no id can be is in no set. */
  has(id: number): boolean {
    if (typeof id !== 'number')
      throw invalidArgumentType(this.#class.kind.argument, 'a number', id);
    return this.#ids.includes(id);
  }

  /** Ids in this set or the other. */
  union(other: Self): Self {
    return this.#class.make(ascendingOf([...this.#ids, ...this.#check(other)]));
  }

  /** Ids in this set and the other. */
  intersection(other: Self): Self {
    this.#check(other);
    return this.#class.make(this.#ids.filter((id) => other.has(id)));
  }

  /** Ids in this set and not in the other. */
  difference(other: Self): Self {
    this.#check(other);
    return this.#class.make(this.#ids.filter((id) => !other.has(id)));
  }

  /** Ids in exactly one of the two sets. */
  symmetricDifference(other: Self): Self {
    return this.union(other).difference(this.intersection(other));
  }

  isSubsetOf(other: Self): boolean {
    this.#check(other);
    return this.#ids.every((id) => other.has(id));
  }

  equals(other: Self): boolean {
    return this.size === this.#check(other).size && this.isSubsetOf(other);
  }

  toArray(): number[] {
    return [...this.#ids];
  }

  [Symbol.iterator](): IterableIterator<number> {
    return this.#ids[Symbol.iterator]();
  }

  /** `0-2,5`; the empty text for the empty set. */
  toString(): string {
    return formatIdList(this.#ids);
  }

  /** The same text: a set in JSON is a list. */
  toJSON(): string {
    return this.toString();
  }

  #check(value: Self): Self {
    return checkIdSet(value, this.#class, 'other');
  }
}

/** The set of an iterable's ids; an error says by `rule` what was wanted. */
export function idSetOf<Self>(
  { kind, make, isOne }: IdSetClass<Self>,
  ids: unknown,
  argument: string,
  rule: string,
): Self {
  if (isOne(ids)) return ids;
  // CPUs are no nodes, though both are numbers.
  if (isIdSet(ids)) throw invalidArgumentType(argument, rule, ids);
  const items = checkItems(ids, argument, rule);
  return make(ascendingOf(items.map((id) => checkInteger(id, argument, 0, kind.idMax))));
}

/** The set that a text stands for. */
export function parseIdSet<Self extends Iterable<number>>(
  idSetClass: IdSetClass<Self>,
  text: string,
  context: IdSetContext<Self>,
): Self {
  if (typeof text !== 'string') throw invalidArgumentType('text', 'a string', text);
  const { allowed, online } = checkOptions(context, 'context', ['allowed', 'online']);
  const plain: IdContext = {};
  const referred = allowed ?? online;
  const idsOf = (set: Self, name: string): number[] => [
    ...checkIdSet(set, idSetClass, `context.${name}`),
  ];
  if (referred !== undefined) plain.allowed = idsOf(referred, 'allowed');
  if (online !== undefined) plain.online = idsOf(online, 'online');
  const expression = parseIdExpression(text, idSetClass.kind);
  return idSetClass.make(resolveIdExpression(expression, plain));
}

function checkIdSet<Self>(value: Self, idSetClass: IdSetClass<Self>, argument: string): Self {
  if (idSetClass.isOne(value)) return value;
  throw invalidArgumentType(argument, `a ${idSetClass.name}`, value);
}

function ascendingOf(ids: readonly number[]): number[] {
  return [...new Set(ids)].sort((a, b) => a - b);
}
