/**
 * Caller mistakes: errors in the shape of Node's own (`ERR_INVALID_ARG_TYPE`,
 * `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`), each naming the argument, the rule and the remedy.
 *
 * Source: Node.js API documentation, "Errors".
 */

/** Codes that caller mistakes carry. */
export type ArgumentErrorCode =
  | 'ERR_INVALID_ARG_TYPE'
  | 'ERR_INVALID_ARG_VALUE'
  | 'ERR_OUT_OF_RANGE';

/** What a caller mistake has beside its message, which is made of it. */
export interface ArgumentErrorFields {
  readonly code: ArgumentErrorCode;
  /** The argument as the function names it: `options.to`, `filter.kind`. */
  readonly argument: string;
  /** What is wrong with it, or must be, as what follows its name: "must be a number". */
  readonly rule: string;
  /** What was received, in a few words. */
  readonly received: string;
}

/** A caller mistake as it is thrown. */
export type ArgumentError = (TypeError | RangeError) & ArgumentErrorFields;

/** A wrong JavaScript type: `argument` must be `rule`. */
export function invalidArgumentType(
  argument: string,
  rule: string,
  received: unknown,
): TypeError & ArgumentErrorFields {
  return mistake(TypeError, 'ERR_INVALID_ARG_TYPE', argument, `must be ${rule}`, received);
}

/** A right type with a value that can never be meant. */
export function invalidArgumentValue(
  argument: string,
  rule: string,
  received: unknown,
): TypeError & ArgumentErrorFields {
  return mistake(TypeError, 'ERR_INVALID_ARG_VALUE', argument, rule, received);
}

/** A number, range or node set outside of what this buffer or machine has. */
export function outOfRange(
  argument: string,
  rule: string,
  received: unknown,
): RangeError & ArgumentErrorFields {
  return mistake(RangeError, 'ERR_OUT_OF_RANGE', argument, `is out of range: ${rule}`, received);
}

/** What it says of an argument, whatever that is called where it is said. */
export function aboutArgument(
  name: string,
  { rule, received }: Pick<ArgumentErrorFields, 'rule' | 'received'>,
): string {
  return `${name} ${rule}; received ${received}`;
}

/** A value that throws where it is looked at: a revoked proxy, an accessor of the caller. */
export function unreadable(argument: string, received: unknown, cause: unknown): TypeError {
  const error = invalidArgumentValue(argument, 'cannot be read: looking at it throws', received);
  return Object.assign(error, { cause });
}

/** A short text for any value: never throws, never longer than a line. */
export function describe(value: unknown): string {
  try {
    if (typeof value === 'object' && value !== null) return describeObject(value);
    if (typeof value === 'function') return describeFunction(value);
  } catch {
    // Proxies and accessors may throw.
    return typeof value === 'function' ? 'a function' : 'an object';
  }
  if (typeof value === 'string') return JSON.stringify(shorten(value));
  if (typeof value === 'bigint') return describeBigint(value);
  return shorten(String(value));
}

const DESCRIPTION_LENGTH_MAX = 60;
/** Beyond it the digits say nothing, and take long to make. */
const BIGINT_MAX = 2n ** 128n;

function describeObject(value: object): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  // A class of the caller may have any name, a null prototype has none.
  const name: unknown = value.constructor?.name;
  return isName(name) ? `an instance of ${shorten(name)}` : 'an object';
}

function describeFunction(value: { readonly name: unknown }): string {
  const { name } = value;
  return isName(name) ? `function ${shorten(name)}` : 'a function';
}

function isName(name: unknown): name is string {
  return typeof name === 'string' && name !== '';
}

function describeBigint(value: bigint): string {
  const isShort = -BIGINT_MAX < value && value < BIGINT_MAX;
  return isShort ? `${value}n` : `a bigint ${value < 0n ? 'below -' : 'above '}2n ** 128n`;
}

function shorten(text: string): string {
  return text.length > DESCRIPTION_LENGTH_MAX
    ? `${text.slice(0, DESCRIPTION_LENGTH_MAX)}...`
    : text;
}

function mistake<E extends Error>(
  type: new (message: string) => E,
  code: ArgumentErrorCode,
  argument: string,
  rule: string,
  received: unknown,
): E & ArgumentErrorFields {
  const said = { rule, received: describe(received) };
  const subject =
    code === 'ERR_OUT_OF_RANGE' ? `the value of "${argument}"` : `the "${argument}" argument`;
  return Object.assign(new type(aboutArgument(subject, said)), { code, argument, ...said });
}
