/**
 * What the program says of itself, in help and in the man page.
 */

export const PROGRAM_NAME = 'node-numa';

export const PROGRAM_SUMMARY: string =
  'NUMA memory: where it is, how to move it, and what this host lets you do about it';

export const EXIT_STATUS: readonly (readonly [status: number, means: string])[] = [
  [0, 'done'],
  [1, 'failed: the system said no'],
  [2, 'the command line is wrong'],
  [3, 'done in part: pages stayed behind, or the work was interrupted'],
  [4, 'no backend can answer (not Linux, or the addon or libnuma cannot be loaded)'],
  [
    5,
    'migrate: done but for what it leaves alone unless asked: pages that other processes map too',
  ],
];
