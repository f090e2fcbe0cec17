// @ts-check
// Stands in for vitest while families declare their tests: writes the names down, runs nothing.

/** @type {string[]} full names: the chapters and the sentence, joined by ` > ` */
export const recordedNames = [];

/** @type {string[]} */
const chapters = [];

/**
 * @param {string} name
 * @param {...unknown} rest options and the body, in either order
 */
function enterChapter(name, ...rest) {
  const body = rest.find((one) => typeof one === 'function');
  chapters.push(name);
  try {
    if (typeof body === 'function') body();
  } finally {
    chapters.pop();
  }
}

/** @param {string} name */
function writeDown(name) {
  recordedNames.push([...chapters, name].join(' > '));
}

/**
 * The conditional forms: a name counts whether or not this machine would run the test. Of a table
 * of tests the name is the template.
 * @template {(...parameters: any[]) => void} T
 * @param {T} declare
 */
function withConditions(declare) {
  const given = () => declare;
  return Object.assign(declare, { skipIf: given, runIf: given, each: given, for: given });
}

export const describe = withConditions(enterChapter);
export const test = withConditions(writeDown);
export const it = test;
export const expect = { extend: () => {} };
export const beforeAll = () => {};
export const afterAll = () => {};
export const beforeEach = () => {};
export const afterEach = () => {};
export const onTestFinished = () => {};
export const vi = {};
