/**
 * The contract on a kernel, by raw system calls: this machine's, or that of a guest whose port
 * NODE_NUMA_GUEST_PORT names.
 */

import { processContract } from '../contract/index.ts';
import { puppetSubject } from '../puppet/native-world.ts';

processContract(puppetSubject);
