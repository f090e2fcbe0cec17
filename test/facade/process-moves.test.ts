/** Other processes' memory on the kernel that this machine runs. */

import { puppetSubject } from '../puppet/native-world.ts';
import { processFamily } from './process-family.ts';
import { numa } from './subject.ts';

processFamily({
  name: 'on this kernel',
  open: async () => ({ world: await puppetSubject.open(), numa }),
});
