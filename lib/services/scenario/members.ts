/**
 * What a member of a step may be: rules as data, of which the reader makes checks and the published
 * schema is made; and members that many steps have.
 */

import { invalidArgumentType, invalidArgumentValue } from '../../core/argument-errors.ts';
import { checkInteger, checkWord } from '../../core/check-arguments.ts';
import { parsePolicy } from '../../core/policy-text.ts';
import { CPU_ID_MAX, NODE_ID_MAX } from '../../core/uapi.ts';
import type { Step, StepWord } from './scenario.ts';

export type MemberRule =
  | { readonly kind: 'integer'; readonly min: number; readonly max: number }
  | { readonly kind: 'word'; readonly words: readonly string[] }
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'flag' }
  /** Text of a form. */
  | { readonly kind: 'text'; readonly pattern: RegExp; readonly rule: string }
  /** As `text`, and a policy that has a meaning without a machine. */
  | { readonly kind: 'policy'; readonly pattern: RegExp; readonly rule: string }
  /** A count for each of some names. */
  | { readonly kind: 'counts'; readonly pattern: RegExp; readonly rule: string }
  /** What a call returned, or the name of an errno. */
  | { readonly kind: 'answer'; readonly pattern: RegExp }
  | { readonly kind: 'steps' };

export interface Member {
  readonly rule: MemberRule;
  readonly isRequired: boolean;
  readonly says: string;
}

/** How many of some members a step has. */
export interface Choice {
  readonly members: readonly string[];
  readonly min: 0 | 1;
  /** Default: all of them. */
  readonly max?: 1;
}

export interface StepRules {
  readonly says: string;
  readonly members: Readonly<Record<string, Member>>;
  readonly choice?: Choice;
  /** Members that mean nothing without another. */
  readonly needs?: Readonly<Record<string, string>>;
}

/** 64 GiB of small base pages. */
export const PAGE_MAX: number = 2 ** 24;

/** Schemas know no other: what they say and what the reader does must be the same. */
const NODE = '([0-9]{1,3}|10[01][0-9]|102[0-3])';
const LIST = `${NODE}(-${NODE})?(,${NODE}(-${NODE})?)*`;
const FLAG = '(static|relative|balancing)';
const MODES =
  'bind|interleave|prefer|preferred|prefer [(]many[)]|preferred-many|weighted[ -]interleave';

export const NAME: MemberRule = {
  kind: 'text',
  pattern: /^[a-z][a-z0-9-]{0,39}$/,
  rule: 'must be a name: small letters, digits and "-", 40 at most',
};
export const NODE_LIST: MemberRule = {
  kind: 'text',
  pattern: new RegExp(`^${LIST}$`),
  rule: 'must be a list of nodes: 0-1,3',
};
export const POLICY: MemberRule = {
  kind: 'policy',
  pattern: new RegExp(
    `^(default|local|(${MODES})(=${FLAG}([|]${FLAG})*)?:${LIST}( from ${NODE})?)$`,
  ),
  rule: 'must be a policy with nodes by number: bind:0-1, interleave=static:0-3, prefer:1, local',
};

export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): MemberRule {
  return { kind: 'integer', min, max };
}

export function oneOf(...words: string[]): MemberRule {
  return { kind: 'word', words };
}

export function requiredMember(rule: MemberRule, says: string): Member {
  return { rule, isRequired: true, says };
}

export function optionalMember(rule: MemberRule, says: string): Member {
  return { rule, isRequired: false, says };
}

export const BY: { readonly by: Member } = {
  by: optionalMember(NAME, 'who does it: a process or a thread by name; default the first process'),
};
export const MAPPING: Member = requiredMember(NAME, 'a mapping by name');
export const PART: { readonly firstPage: Member; readonly pageCount: Member } = {
  firstPage: optionalMember(integer(0, PAGE_MAX - 1), 'first page of the mapping; default 0'),
  pageCount: optionalMember(integer(1, PAGE_MAX), 'pages from there on; default all'),
};
export const PAGES: { readonly mapping: Member } & typeof PART = { mapping: MAPPING, ...PART };
export const PLACE: { readonly cpu: Member; readonly node: Member } = {
  cpu: optionalMember(integer(0, CPU_ID_MAX), 'the CPU to run on'),
  node: optionalMember(integer(0, NODE_ID_MAX), 'a node whose first CPU it runs on'),
};
export const FAULT: { readonly name: Member } = {
  name: optionalMember(NAME, 'a name for endFault'),
};
export const ACCESS: Member = optionalMember(oneOf('read', 'write'), 'default write');
export const NEW_NAME: Member = requiredMember(NAME, 'what later steps call it');

type Members<S extends Step> = { readonly [M in Exclude<keyof S, 'do'>]-?: Member };

/** The rules of some of the steps: each member of its type has one. */
export type StepTable<W extends StepWord> = {
  readonly [K in W]: StepRules & { readonly members: Members<Extract<Step, { readonly do: K }>> };
};

/**
 * Checks a value, but for nested steps, which are the reader's.
 * @throws TypeError, RangeError naming the member
 */
export function checkMember(value: unknown, rule: MemberRule, member: string): void {
  if (rule.kind === 'integer') checkInteger(value, member, rule.min, rule.max);
  if (rule.kind === 'word') checkWord(value, member, rule.words);
  if (rule.kind === 'words') checkWords(value, rule.words, member);
  if (rule.kind === 'flag') checkFlag(value, member);
  if (rule.kind === 'text' || rule.kind === 'policy') {
    const text = checkText(value, rule, member);
    if (rule.kind === 'policy') parsePolicy(text, member);
  }
  if (rule.kind === 'counts') checkCounts(value, rule, member);
  if (rule.kind === 'answer') {
    if (typeof value === 'number') checkInteger(value, member, 0);
    else checkText(value, { ...rule, rule: 'must be a number or an errno: "EBUSY"' }, member);
  }
  if (rule.kind === 'steps') checkList(value, member);
}

/** @throws TypeError */
export function checkList(value: unknown, member: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalidArgumentType(member, 'an array', value);
  if (value.length === 0) throw invalidArgumentValue(member, 'must not be empty', value);
  return value;
}

/** @throws TypeError */
export function checkRecord(value: unknown, member: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidArgumentType(member, 'an object', value);
  }
  return value as Record<string, unknown>;
}

function checkWords(value: unknown, words: readonly string[], member: string): void {
  if (!Array.isArray(value)) throw invalidArgumentType(member, 'an array', value);
  value.forEach((word, index) => void checkWord(word, `${member}[${index}]`, words));
}

function checkFlag(value: unknown, member: string): void {
  if (typeof value !== 'boolean') throw invalidArgumentType(member, 'a boolean', value);
}

function checkText(
  value: unknown,
  { pattern, rule }: { readonly pattern: RegExp; readonly rule: string },
  member: string,
): string {
  if (typeof value !== 'string') throw invalidArgumentType(member, 'a string', value);
  if (!pattern.test(value)) throw invalidArgumentValue(member, rule, value);
  return value;
}

function checkCounts(
  value: unknown,
  { pattern, rule }: { readonly pattern: RegExp; readonly rule: string },
  member: string,
): void {
  for (const [name, count] of Object.entries(checkRecord(value, member))) {
    if (!pattern.test(name)) throw invalidArgumentValue(member, rule, name);
    checkInteger(count, `${member}.${name}`, 0);
  }
}
