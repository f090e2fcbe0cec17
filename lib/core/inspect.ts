/** How values look in console.log. */

/**
 * Has util.inspect show the values of a class as a text. A registered symbol stands for
 * `util.inspect.custom`, so that core needs no import of node:util.
 * Source: Node.js API documentation, "Custom inspection functions on objects".
 */
export function inspectAs<T extends object>(
  type: { readonly prototype: T },
  text: (value: T) => string,
): void {
  Object.defineProperty(type.prototype, Symbol.for('nodejs.util.inspect.custom'), {
    value(this: T): string {
      return text(this);
    },
  });
}
