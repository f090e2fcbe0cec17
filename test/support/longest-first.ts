/**
 * The order of files: a worker that begins a long one when the others are at their end leaves them
 * without work.
 */

import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** By .cache/test/durations.json. */
const LONGEST = [
  ...['test/package/package.', 'test/native/sanitize.', 'test/native/leak.'],
  ...[
    'test/simulator/traces.',
    'test/simulator/contract.',
    'test/cli/examples.',
    'test/cli/signals.',
    'test/cli/run-program.',
  ],
];

function rankOf({ moduleId }: TestSpecification): number {
  const rank = LONGEST.findIndex((name) => moduleId.includes(name));
  return rank < 0 ? LONGEST.length : rank;
}

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    // Those of a project stay together: they may share a process.
    const projects = [...new Set(sorted.map(({ project }) => project))];
    return projects.flatMap((project) => {
      const own = sorted.filter((file) => file.project === project);
      return own.sort((a, b) => rankOf(a) - rankOf(b));
    });
  }
}
