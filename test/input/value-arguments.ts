/** Arguments of the methods of values, which are about no memory. */

import { CpuMask, NodeMask } from '../../lib/index.ts';
import { noArguments, type Row } from './rows.ts';

/** The methods of a set, by a set that goes with it. */
function setRows(owner: string, other: Row): Record<string, Row> {
  const operations = ['union', 'intersection', 'difference', 'symmetricDifference'];
  const comparisons = ['isSubsetOf', 'equals'];
  return {
    [`${owner}.has`]: () => [0],
    ...Object.fromEntries(
      [...operations, ...comparisons].map((name) => [`${owner}.${name}`, other]),
    ),
    ...noArguments(owner, 'toArray', 'toString', 'toJSON', '[Symbol.iterator]'),
    ...noArguments(owner, '[nodejs.util.inspect.custom]'),
  };
}

export const VALUE_ARGUMENTS: Record<string, Row> = {
  ...setRows('mask', () => [NodeMask.of(0)]),
  ...setRows('cpus', () => [CpuMask.of(0)]),
  ...noArguments('policy', 'toString', '[nodejs.util.inspect.custom]'),
};
