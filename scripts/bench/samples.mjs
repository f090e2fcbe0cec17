// @ts-check
// Times by name, and what is said about them: medians, because a tick of the kernel or a collection
// of garbage lands in one round and not in the next.

/** Times in nanoseconds, by the name of what took them. */
export class Samples {
  /** @type {Map<string, number[]>} */
  #times = new Map();

  /**
   * @param {string} name
   * @param {number} ns
   */
  add(name, ns) {
    this.#times.set(name, [...(this.#times.get(name) ?? []), ns]);
  }

  /** @param {string} name */
  median(name) {
    const times = this.#sorted(name);
    const middle = (times.length - 1) / 2;
    return (at(times, Math.floor(middle)) + at(times, Math.ceil(middle))) / 2;
  }

  /**
   * Difference between the largest and the smallest time, as a share of the median.
   * @param {string} name
   */
  spread(name) {
    const times = this.#sorted(name);
    return (at(times, times.length - 1) - at(times, 0)) / this.median(name);
  }

  /** @param {string} name */
  #sorted(name) {
    return (this.#times.get(name) ?? []).toSorted((a, b) => a - b);
  }
}

/**
 * @param {number[]} times
 * @param {number} index
 */
function at(times, index) {
  const time = times[index];
  if (time === undefined) throw new Error('nothing was measured');
  return time;
}

/**
 * Nanoseconds that `run` takes, until its promise has settled.
 * @param {() => unknown} run
 */
export async function timed(run) {
  const start = process.hrtime.bigint();
  await run();
  return Number(process.hrtime.bigint() - start);
}
