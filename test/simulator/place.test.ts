/** Statuses of pages as each kernel gives them, which are told in the same words. */

import { expect, test } from 'vitest';
import { bind, openNuma } from '../../lib/index.ts';
import { kernelLines, Machine, presets } from '../../lib/simulator/public.ts';

test.each(kernelLines)('Linux %s: untouched pages are told from pages of zeros', async (kernel) => {
  const numa = openNuma({ machine: new Machine(presets.twoNodes, { kernel }) });
  const page = numa.pageSizeBytes;
  using buffer = numa.allocate(3 * page, { policy: bind(0) });
  buffer.touch({ lengthBytes: page });
  buffer.touch({ offsetBytes: page, lengthBytes: page, access: 'read' });
  const report = await buffer.place([1, 1, 1]);
  expect(report.statuses).toEqual([1, 'zero-page', 'not-present']);
  expect(report.pages).toMatchObject({ moved: 1, zeroPage: 1, notPresent: 1 });
  expect(await buffer.pageStatuses()).toEqual([1, 'zero-page', 'not-present']);
});
