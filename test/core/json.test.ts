/** Errors as JSON, with the addresses that they carry. */

import { expect, test } from 'vitest';
import { AbortError, NumaError, type NumaErrorFields } from '../../lib/core/errors.ts';
import type { AnyMigrationReport } from '../../lib/core/migration-report.ts';
import { NodeMask } from '../../lib/core/node-mask.ts';

test('errors and their receipts are JSON, whatever addresses they carry', () => {
  const report = { mappings: [{ start: 0x7f00n, end: 0x8f00n }] } as unknown as AnyMigrationReport;
  const fields: NumaErrorFields = {
    code: 'NUMA_POLICY_NOT_MET',
    args: { address: 4096n, nodes: NodeMask.from([1]) },
    argument: 'options.strict',
    report,
  };
  const error = new NumaError('some pages stayed', fields);
  const shown = { mappings: [{ start: '0x7f00', end: '0x8f00' }] };
  expect(JSON.parse(JSON.stringify({ error }))).toEqual({
    error: {
      ...{ name: 'NumaError', message: 'options.strict: some pages stayed' },
      ...{ code: 'NUMA_POLICY_NOT_MET', rule: 'some pages stayed', argument: 'options.strict' },
      ...{ args: { address: '0x1000', nodes: '1' }, report: shown },
    },
  });
  const aborted = new AbortError('enough', report, undefined);
  expect(JSON.parse(JSON.stringify(aborted))).toEqual({
    ...{ name: 'AbortError', message: 'enough', code: 'ABORT_ERR', report: shown },
  });
});
