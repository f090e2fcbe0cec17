/** The contract on the kernel that this machine runs, through the addon. */

import { openNativeBackend } from '../../lib/native-backend/native-backend.ts';
import {
  type BackendSubject,
  backendContract,
  otherProcessContract,
  racingProcessContract,
} from '../contract/index.ts';
import { puppetSubject } from '../puppet/native-world.ts';
import { readHostMachine } from '../support/host-machine.ts';

const opened = openNativeBackend();
const machine = await readHostMachine();

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
