/** /proc/PID/limits. */

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseLimits } from '../../lib/procfs/limits.ts';

const TEXT = `Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max locked memory         8388608              unlimited            bytes     
Max nice priority         0                    0                    
Max realtime timeout      unlimited            unlimited            us        
`;

test('limits by name, infinite where there is none', () => {
  const limits = parseLimits(TEXT);
  expect([...limits.keys()]).toEqual([
    'Max cpu time',
    'Max locked memory',
    'Max nice priority',
    'Max realtime timeout',
  ]);
  const hard = Number.POSITIVE_INFINITY;
  expect(limits.get('Max locked memory')).toEqual({ soft: 8388608, hard });
  expect(limits.get('Max nice priority')).toEqual({ soft: 0, hard: 0 });
});

test('what this kernel says, where it is Linux', (context) => {
  if (process.platform !== 'linux') context.skip('needs /proc');
  const limits = parseLimits(readFileSync('/proc/self/limits', 'utf8'));
  expect(limits.get('Max open files')?.soft).toBeGreaterThan(0);
  expect(limits.size).toBeGreaterThan(10);
});

test('any text is passed over, line by line', () => {
  fc.assert(
    fc.property(fc.string(), (noise) => {
      const text = `${noise.replaceAll('Max', 'min')}\n${TEXT}`;
      expect(parseLimits(text).get('Max locked memory')?.soft).toBe(8388608);
    }),
  );
});
