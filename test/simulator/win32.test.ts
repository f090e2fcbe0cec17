/** The tests of the facade where the platform is win32. */

import { facadeTestsOn } from './injected-platform.ts';

facadeTestsOn('win32');
