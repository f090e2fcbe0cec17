// @ts-check
// A process whose scripts have replaced ArrayBuffer.prototype.transfer before the addon is loaded:
// `releasing` gives the mapping up once more from inside, `copying` does not transfer. Prints the
// length that the ArrayBuffer has after munmap.

const [kind = ''] = process.argv.slice(2);
let isReleasing = false;
let release = () => {};

Object.defineProperty(ArrayBuffer.prototype, 'transfer', {
  configurable: true,
  /** @this {ArrayBuffer} */
  value() {
    if (kind === 'releasing' && isReleasing) {
      isReleasing = false;
      release();
    }
    return this.slice(0);
  },
});

const { addon, unwrap } = await import('../raw-addon.mjs');
const mapping = unwrap(addon.mmap(4096));
const buffer = unwrap(addon.array_buffer(mapping));
release = () => addon.munmap(mapping);
isReleasing = true;
release();
process.stdout.write(`${buffer.byteLength}\n`);
