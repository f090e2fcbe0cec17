/** The contract on the kernel that this machine runs. */

import { processContract } from '../contract/index.ts';
import { puppetSubject } from '../puppet/native-world.ts';

processContract(puppetSubject);
