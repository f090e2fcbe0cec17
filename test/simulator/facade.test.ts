/** The tests of the facade, on a simulated machine. */

import { facadeTests } from './facade-tests.ts';

facadeTests();
