/** The tests of the facade where the platform is darwin. */

import { facadeTestsOn } from './injected-platform.ts';

facadeTestsOn('darwin');
