/**
 * What a member of a scenario may be: rules as data, of which the reader makes checks and the
 * published schema is made.
 */

import { invalidArgumentType, invalidArgumentValue } from '../../core/argument-errors.ts';
import { checkInteger, checkWord } from '../../core/check-arguments.ts';
import { parsePolicy } from '../../core/policy-text.ts';

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
