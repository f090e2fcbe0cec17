/** JSON of data with addresses, which are bigints: JSON.stringify refuses those. */

/** For JSON.stringify: a bigint is its hexadecimal text. */
export function replaceBigints(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `0x${value.toString(16)}` : value;
}

/** The own enumerable members of an object, as JSON has them. */
export function jsonOf(value: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify({ ...value }, replaceBigints)) as Record<string, unknown>;
}

/** Has JSON.stringify take it as it is, by a member that copying and comparing pass over. */
export function withJson<T extends object>(data: T): T {
  return Object.defineProperty(data, 'toJSON', {
    value(this: object) {
      return jsonOf(this);
    },
  });
}
