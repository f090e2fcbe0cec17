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

/** A wrong JavaScript type: `argument` must be `rule`. */
export function invalidArgumentType(argument: string, rule: string, received: unknown): TypeError {
  return coded(
    new TypeError(`the "${argument}" argument must be ${rule}; received ${describe(received)}`),
    'ERR_INVALID_ARG_TYPE',
  );
}

/** A right type with a value that can never be meant. */
export function invalidArgumentValue(argument: string, rule: string, received: unknown): TypeError {
  return coded(
    new TypeError(`the "${argument}" argument ${rule}; received ${describe(received)}`),
    'ERR_INVALID_ARG_VALUE',
  );
}

/** A number, range or node set outside of what this buffer or machine has. */
export function outOfRange(argument: string, rule: string, received: unknown): RangeError {
  return coded(
    new RangeError(
      `the value of "${argument}" is out of range: ${rule}; received ${describe(received)}`,
    ),
    'ERR_OUT_OF_RANGE',
  );
}

/** A short text for any value: never throws, never longer than a line. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(shorten(value));
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return shorten(`function ${value.name}`);
  if (typeof value === 'object' && value !== null) return describeObject(value);
  return String(value);
}

const DESCRIPTION_LENGTH_MAX = 60;

function describeObject(value: object): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  try {
    // A class of the caller may have a name, a null prototype has none, a proxy may throw.
    const name: unknown = value.constructor?.name;
    return typeof name === 'string' && name !== ''
      ? `an instance of ${shorten(name)}`
      : 'an object';
  } catch {
    return 'an object';
  }
}

function shorten(text: string): string {
  return text.length > DESCRIPTION_LENGTH_MAX
    ? `${text.slice(0, DESCRIPTION_LENGTH_MAX)}...`
    : text;
}

function coded<E extends Error>(error: E, code: ArgumentErrorCode): E {
  return Object.assign(error, { code });
}
