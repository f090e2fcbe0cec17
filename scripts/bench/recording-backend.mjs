// @ts-check
// A third-party backend that passes everything on to the native one and adds up how long the moves
// take, as JavaScript sees them: from the call of movePages to the promise's answer.

/** @typedef {import('node-numa').Backend} Backend */

/**
 * @param {Backend} backend
 * @returns {{ backend: Backend, takeMoveNs: () => number }} the second gives the sum since it was
 *   called last
 */
export function recordMoves(backend) {
  let moveNs = 0n;
  /** @type {Backend['movePages']} */
  const movePages = async (request) => {
    const start = process.hrtime.bigint();
    const result = await backend.movePages(request);
    // Without nodes it is a look-up.
    if (request.nodes !== null) moveNs += process.hrtime.bigint() - start;
    return result;
  };
  const recording = new Proxy(backend, {
    get(target, name) {
      if (name === 'movePages') return movePages;
      const member = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  const takeMoveNs = () => {
    const taken = Number(moveNs);
    moveNs = 0n;
    return taken;
  };
  return { backend: recording, takeMoveNs };
}
