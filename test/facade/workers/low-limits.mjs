// A program that meets one limit of its process, and tells what became of it. `sh` sets the limit,
// unless it is one of the machine.

import { readdirSync, readFileSync } from 'node:fs';
import { bind, defaultPolicy, NumaError, openNuma, preferred } from '../../../dist/index.js';

const numa = openNuma({ backend: 'host' });
const page = numa.pageSizeBytes;
const node = numa.allowedNodes().first ?? 0;
const mappings = () => readFileSync('/proc/self/maps', 'utf8').split('\n').length;

/** @param {() => unknown} run */
async function refusal(run) {
  try {
    await run();
  } catch (error) {
    if (error instanceof NumaError) return { code: error.code, hint: error.hint };
    throw error;
  }
  return 'nothing was refused';
}

const filled = () => {
  const buffer = numa.allocate(64 * page);
  buffer.bytes.fill(7);
  return buffer;
};

const cases = {
  /** RLIMIT_AS. */
  async addresses() {
    const refused = [
      await refusal(() => numa.allocate(2 ** 46)),
      await refusal(() => numa.allocate(2 ** 46, { shared: true })),
    ];
    return { refused, works: filled().bytes.every((byte) => byte === 7) };
  },
  /** RLIMIT_NOFILE. */
  async descriptors() {
    /** @type {import('../../../dist/index.js').MappedBuffer[]} */
    const kept = [];
    const take = () => {
      for (;;) kept.push(numa.allocate(page, { shared: true }));
    };
    const refused = [
      await refusal(take),
      await refusal(() => numa.map(Number(kept[0]?.descriptor))),
      await refusal(() => numa.mapFile(process.execPath)),
    ];
    const before = filled();
    const { complete } = await before.migrate({ to: node });
    for (const buffer of kept) buffer.release();
    const works = before.bytes.every((byte) => byte === 7);
    return { refused, complete, works, left: readdirSync('/proc/self/fd').length < 40 };
  },
  /** RLIMIT_MEMLOCK: nothing is locked. */
  async locked() {
    const buffer = filled();
    await buffer.populate();
    const { complete } = await buffer.migrate({ to: node });
    return { refused: [], complete, works: buffer.bytes.every((byte) => byte === 7) };
  },
  /** vm.max_map_count, by policies that change from page to page. */
  async mappings() {
    const before = mappings();
    const buffer = numa.allocate(2 ** 17 * page);
    buffer.bytes[page] = 7;
    const policy = bind(numa.allowedNodes());
    const cut = () => {
      for (let at = 0; at < buffer.lengthBytes; at += 2 * page) {
        buffer.setPolicy(policy, { offsetBytes: at, lengthBytes: page });
      }
    };
    const refused = [await refusal(cut)];
    // Node itself does not live without room for some mappings.
    buffer.setPolicy(defaultPolicy(), { lengthBytes: 500 * page });
    const cuts = mappings() - before;
    const report = await buffer.migrate({ to: node });
    const works = buffer.bytes[page] === 7 && report.complete;
    buffer.release();
    return { refused, many: cuts > 10_000, works, left: mappings() - before < 100 };
  },
  /** A view that nobody has any more, and nobody released. */
  async forgotten() {
    const buffer = new ArrayBuffer(64 * page);
    numa.view(buffer).setPolicy(preferred(node));
    const during = `${numa.view(buffer).policy()}`;
    for (let round = 0; round < 400; round += 1) {
      globalThis.gc?.();
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (`${numa.view(buffer).policy()}` === 'default') break;
    }
    return { during, after: `${numa.view(buffer).policy()}` };
  },
};

const name = /** @type {keyof typeof cases} */ (process.argv[2]);
console.log(JSON.stringify(await cases[name]()));
