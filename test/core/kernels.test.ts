/** Releases of kernels: their order, the lines that are known, and who repeats them. */

import { describe, expect, test } from 'vitest';
import {
  compareReleases,
  kernelLineOf,
  kernelLines,
  newestKernelLine,
  oldestKernelLine,
} from '../../lib/core/kernels.ts';
import { defaultKernel, kernelLines as guestLines } from '../../scripts/guest/kernel.mjs';

describe('releases', () => {
  test.each([
    ['6.9', '6.10', -1],
    ['6.12', '7.2', -1],
    ['5.17', '5.17.0-rc3', 0],
    ['6.12+deb13-amd64', '6.12', 0],
    ['6.1.0-18-amd64', '5.17', 1],
    ['6.12.118', '6.12.117+deb13-cloud-amd64', 1],
  ])('%s beside %s', (a, b, sign) => {
    expect(Math.sign(compareReleases(a, b))).toBe(sign);
    expect(Math.sign(compareReleases(b, a)) + sign).toBe(0);
  });

  test('a kernel is the newest line that it has reached', () => {
    const releases = [
      '5.10.0',
      '6.1.176+deb12-cloud-amd64',
      '6.8.0-45-generic',
      '6.17.2',
      '7.0',
      '8.1',
    ];
    expect(releases.map(kernelLineOf)).toEqual(['6.1', '6.1', '6.1', '6.12', '6.18', '7.2']);
  });
});

describe('lines', () => {
  test('are in order', () => {
    expect([...kernelLines].sort(compareReleases)).toEqual(kernelLines);
    expect([kernelLines[0], kernelLines.at(-1)]).toEqual([oldestKernelLine, newestKernelLine]);
  });

  test('are those of the guests', () => {
    expect([...guestLines.keys()]).toEqual(kernelLines);
    expect(defaultKernel).toBe(oldestKernelLine);
  });
});
