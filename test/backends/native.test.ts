/** The contract on the kernel that this machine runs: raw calls first, then the addon. */

import { openNativeBackend } from '../../lib/native-backend/native-backend.ts';
import {
  type BackendSubject,
  backendContract,
  otherProcessContract,
  processContract,
  racingProcessContract,
} from '../contract/index.ts';
import { puppetSubject } from '../puppet/native-world.ts';
import { readHostMachine } from '../support/host-machine.ts';

processContract(puppetSubject);

const opened = openNativeBackend();
const machine = readHostMachine();

const nativeSubject: BackendSubject = {
  name: 'the native backend',
  open: () => {
    if (!opened.ok) throw new Error(`${opened.reason}; ${opened.hint}`);
    return { backend: opened.backend, machine };
  },
};

backendContract(nativeSubject);
otherProcessContract(nativeSubject, puppetSubject);
racingProcessContract(nativeSubject, puppetSubject);
