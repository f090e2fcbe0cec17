/** The examples on the simulator: what they print natively, but for the line of the backend. */

import { describe } from 'vitest';
import { exampleTests } from '../facade/example-runs.ts';

describe('examples on the simulator', () => {
  exampleTests('simulator', () => [0, 1, 4096]);
});
