/** Calls that are answered at once, as calls whose answers are promises. */

export type Later<T> = {
  [Name in keyof T]: T[Name] extends (...values: infer Values) => infer Answer
    ? (...values: Values) => Promise<Awaited<Answer>>
    : T[Name] extends object
      ? Later<T[Name]>
      : T[Name];
};

/** Of each name the calls of the first target that has it; groups are answered later, too. */
export function later<Port extends object>(...targets: readonly object[]): Later<Port> {
  const get = (_: object, name: PropertyKey): unknown => {
    const target = targets.find((one) => name in one);
    const member: unknown = target === undefined ? undefined : Reflect.get(target, name, target);
    if (typeof member === 'function')
      return async (...values: unknown[]) => member.apply(target, values);
    return typeof member === 'object' && member !== null ? later(member) : member;
  };
  const has = (_: object, name: PropertyKey): boolean => targets.some((one) => name in one);
  return new Proxy({}, { get, has }) as Later<Port>;
}
