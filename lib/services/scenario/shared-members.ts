/**
 * What the rules of a step are, and members that many steps have.
 */

import { CPU_ID_MAX, NODE_ID_MAX } from '../../core/uapi.ts';
import type { Member, MemberRule } from './member-rules.ts';
import type { Step, StepWord } from './scenario.ts';

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
