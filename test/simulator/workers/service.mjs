// Opens the host as a service does, uses a little memory, and prints what it was given.

import { local, openNuma } from 'node-numa';

/** @template T @param {() => T} body */
function attempt(body) {
  try {
    return { value: body() };
  } catch (error) {
    const { code, message, hint } = /** @type {import('node-numa').NumaError} */ (error);
    return { error: { code, message, hint } };
  }
}

const { value: numa, error } = attempt(() => openNuma({ backend: 'host' }));
/** @type {object} */
let seen = { error };
if (numa !== undefined) {
  const buffer = numa.allocate(1 << 20);
  buffer.bytes.fill(7);
  process.env['NODE_NUMA_BACKEND'] = 'host';
  const { backend, topology } = openNuma();
  const other = backend.kind === 'simulator' ? openNuma().attach(buffer.handle) : buffer;
  seen = {
    backend: numa.backend,
    nodes: topology.nodes,
    cpuCount: topology.nodes.flatMap(({ cpus }) => cpus ?? []).length,
    byEnvironment: backend.reason,
    isKept: other.address === buffer.address && buffer.bytes.every((byte) => byte === 7),
    refusal: attempt(() => numa.thread.setPolicy(local())).error,
  };
}
process.stdout.write(JSON.stringify(seen));
