/**
 * The words that one publisher and many readers share: which version of the bytes is whole, and
 * which has been begun. A version is in one of two halves of each copy, in turn, so what readers
 * have is overwritten only when the version after the next is begun.
 *
 * Readers change no word: none waits for another, and one that ends in the middle holds up nobody.
 *
 * Source: H. Boehm, "Can seqlocks get along with programming language memory models?", 2012.
 */

/** Places of the words, with a cache line of their own. */
const WHOLE = 16;
const BEGUN = 17;
const ENDED = 18;
const WORD_COUNT = 48;
const BYTES = WORD_COUNT * Int32Array.BYTES_PER_ELEMENT;

/** Of this thread alone. */
const fenceWord = new Int32Array(new SharedArrayBuffer(BYTES));

/**
 * What is before it happens before what is behind it, plain loads and stores included. A store that
 * releases and a load that acquires stay in this order; one of them alone lets plain accesses of
 * one side pass.
 */
function fence(): void {
  Atomics.store(fenceWord, WHOLE, 0);
  Atomics.load(fenceWord, WHOLE);
}

export class ReplicaWords {
  readonly #words: Int32Array;

  /** @param memory of another thread's words, to share them */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(BYTES)) {
    this.#words = new Int32Array(memory, 0, WORD_COUNT);
  }

  static isMemory(memory: SharedArrayBuffer): boolean {
    return memory.byteLength === BYTES;
  }

  get memory(): SharedArrayBuffer {
    return this.#words.buffer as SharedArrayBuffer;
  }

  /** The version that can be read; 0 before the first. Wraps round at 32 bits. */
  get whole(): number {
    return Atomics.load(this.#words, WHOLE);
  }

  get isEnded(): boolean {
    return Atomics.load(this.#words, ENDED) !== 0;
  }

  end(): void {
    Atomics.store(this.#words, ENDED, 1);
  }

  /** Before the first byte of a version: the one after the last whole one. */
  begin(): number {
    const version = (this.whole + 1) | 0;
    Atomics.store(this.#words, BEGUN, version);
    fence();
    return version;
  }

  /** Behind its last byte, in all copies. */
  publish(version: number): void {
    fence();
    Atomics.store(this.#words, WHOLE, version);
  }

  /** Whether what was read of a version was nothing else, asked behind the last load. */
  wasWhole(version: number): boolean {
    fence();
    return ((Atomics.load(this.#words, BEGUN) - version) | 0) < 2;
  }
}

/** Which of the halves has a version. */
export function halfOf(version: number): 0 | 1 {
  return (version & 1) as 0 | 1;
}
