// Does a little of everything with the package as it is installed, and prints what came of it.

const { bind, openNuma } = await import('node-numa');
const { Machine, presets } = await import('node-numa/simulator');
const { openSyscalls } = await import('node-numa/syscalls');
/** @type {string[]} */
const kernelFiles = Reflect.get(globalThis, 'kernelFilesSeen');
const seenAtImport = [...kernelFiles];

/** @param {() => unknown} body */
function errorOf(body) {
  try {
    body();
    return undefined;
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    return { code, message };
  }
}

/** @type {object} */
let result = {};
const auto = errorOf(() => {
  result = { backend: openNuma().backend };
});
if (auto === undefined) {
  const numa = openNuma();
  const buffer = numa.allocate(1 << 20, { policy: bind(0) });
  buffer.bytes.fill(7);
  const report = await buffer.migrate({ to: 1, strict: true });
  const process = await numa.process().migrate({ from: 1, to: 2 });
  const own = openNuma({ machine: new Machine(presets.cxlTier) });
  result = {
    ...result,
    moved: report.pages.moved,
    leftBehind: process.leftBehind,
    byNode: buffer.residencySync().byNode,
    isKept: buffer.bytes.every((byte) => byte === 7),
    tiers: own.topology.nodes.map(({ tier }) => tier),
    isAnswered: openSyscalls(numa).getMempolicy({ flags: 0, maxnode: 0 }).ok,
  };
}
const native = errorOf(() => openNuma({ backend: 'native' }));
process.stdout.write(JSON.stringify({ ...result, auto, native, seenAtImport, seen: kernelFiles }));
