// @ts-check
// A part that failed and ran once more: which files the second run needs, and what both runs come
// to. What failed and then passed is kept by name, for it failed.

/** @typedef {import('./part.mjs').Outcome} Outcome */
/** @typedef {import('./result.mjs').Result} Result */
/** @typedef {import('./result.mjs').Failure} Failure */

/**
 * @param {Outcome} first
 * @returns {string[] | undefined} nothing where no file is known to be the cause: all run again
 */
export function filesToRepeat({ result }) {
  if (!result) return undefined;
  const causes = [...result.failures, ...result.unexpected].map(({ file }) => file);
  const areFiles = causes.every((file) => result.files.includes(file));
  return areFiles && causes.length > 0 ? [...new Set(causes)].sort() : undefined;
}

/**
 * The parameters of a run, with these files in the place of those that it names.
 * @param {readonly string[]} suites files and folders, then what chooses tests in them
 * @param {readonly string[] | undefined} files all that the suites name, where there are none
 * @returns {string[]}
 */
export function repeatedSuites(suites, files) {
  if (!files) return [...suites];
  const firstOption = suites.findIndex((word) => word.startsWith('-'));
  // In a guest they are compiled, and end otherwise.
  const paths = files.map((file) => file.replace(/\.ts$/, ''));
  return [...paths, ...(firstOption < 0 ? [] : suites.slice(firstOption))];
}

/**
 * The second run counts for the files that it had, the first for the others.
 * @param {Outcome} first that failed
 * @param {Outcome} second
 * @returns {Outcome}
 */
export function bothRuns(first, second) {
  const result = second.result ? merged(first.result, second.result) : first.result;
  return {
    ...second,
    name: first.name,
    seconds: first.seconds + second.seconds,
    note: `${second.note}, after a run that failed`,
    flakes: second.result ? flakesOf(first, second.result) : [],
    ...(result ? { result } : {}),
  };
}

/**
 * @param {Result | undefined} first
 * @param {Result} second
 * @returns {Result}
 */
function merged(first, second) {
  if (!first) return second;
  const again = new Set(second.files);
  /**
   * @template {{ file: string }} T
   * @param {(result: Result) => readonly T[]} list
   */
  const both = (list) => [...list(first).filter(({ file }) => !again.has(file)), ...list(second)];
  return {
    isPrivileged: second.isPrivileged,
    files: [...new Set([...first.files, ...second.files])],
    passed: { ...first.passed, ...second.passed },
    ...(first.share ? { share: first.share } : {}),
    durations: { ...first.durations, ...second.durations },
    failures: second.failures,
    skips: both(({ skips }) => skips),
    unexpected: both(({ unexpected }) => unexpected),
  };
}

/**
 * @param {Outcome} first
 * @param {Result} second
 * @returns {Failure[]}
 */
function flakesOf({ name, note, result }, { failures }) {
  const happened = result?.failures ?? [{ file: name, name: 'the whole run', message: note }];
  return happened.filter((one) => {
    return !failures.some(({ file, name: again }) => file === one.file && again === one.name);
  });
}
