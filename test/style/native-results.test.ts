/**
 * In native/, no result of Node-API is used unlooked at. Once a worker thread is terminated every
 * call that could run JavaScript fails, from one moment to the next, and its result is nothing.
 */

import { describe, expect, test } from 'vitest';
import type { SourceFile } from './repository.ts';
import { withoutComments } from './repository.ts';
import { breaches, native } from './rules.ts';

interface Call {
  readonly line: number;
  readonly what: string;
  readonly before: string;
  readonly after: string;
}

/** Calls of Node-API, with what stands before and behind them. */
function callsIn(text: string): Call[] {
  return [...text.matchAll(/\bnapi_\w+\(/g)].map((match) => {
    const { index } = match;
    let end = index + match[0].length;
    for (let depth = 1; depth > 0 && end < text.length; end += 1) {
      if (text[end] === '(') depth += 1;
      if (text[end] === ')') depth -= 1;
    }
    return {
      line: text.slice(0, index).split('\n').length,
      what: match[0].slice(0, -1),
      before: text.slice(0, index).trimEnd(),
      after: text.slice(end).trimStart(),
    };
  });
}

/** It has no result: the process ends in it. */
const NEVER_RETURNS = 'napi_fatal_error';

function isLookedAt({ what, before, after }: Call): boolean {
  return (
    what === NEVER_RETURNS ||
    /^[!=]= napi_ok\b/.test(after) ||
    /\bnapi_status \w+ =$/.test(before) ||
    /\b(Made|Unneeded)\($/.test(before)
  );
}

function unseenCalls({ text }: Pick<SourceFile, 'text'>): Call[] {
  return callsIn(withoutComments(text)).filter((call) => !isLookedAt(call));
}

describe('results of Node-API', () => {
  test('are looked at where they are had, or said not to matter', () => {
    expect(breaches(native, unseenCalls)).toEqual([]);
    const calls = native.flatMap(({ text }) => callsIn(withoutComments(text)));
    expect(calls.length).toBeGreaterThan(30);
    const planted = 'napi_value v;\nnapi_create_object(env, &v);\nreturn v;';
    expect(unseenCalls({ text: planted })).toMatchObject([{ line: 2, what: 'napi_create_object' }]);
  });

  test('are not hidden by classes that go on with nothing in their hands', () => {
    const found = breaches(native, ({ text }) =>
      [...withoutComments(text).matchAll(/\bNapi::(\w+)/g)]
        .filter((match) => match[1] !== 'CallbackInfo')
        .map((match) => ({
          line: text.slice(0, match.index).split('\n').length,
          what: match[0],
        })),
    );
    expect(found).toEqual([]);
  });
});
