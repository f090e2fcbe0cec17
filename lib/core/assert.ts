/**
 * Checks of our own invariants. They stay on in production: a broken invariant is a bug of
 * node-numa, and going on would make its reports untrue.
 */

/** Throws when a condition that node-numa itself guarantees does not hold. */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new Error(`node-numa bug: ${invariant}`);
}
