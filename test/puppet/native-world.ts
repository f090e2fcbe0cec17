/**
 * The world of this machine's kernel: one puppet that does nothing but fork the processes that
 * tests ask for, so that each starts fresh and cheaply.
 */

import { existsSync } from 'node:fs';
import { readNames, readText } from '../../lib/native-backend/system-files.ts';
import type { World, WorldProcess, WorldSubject } from '../contract/world.ts';
import { readHostMachine } from '../support/host-machine.ts';
import { PUPPET_BINARY } from './build.mjs';
import { PuppetChannel } from './channel.ts';
import { readNodeCounters, readVmCounters } from './native-counters.ts';
import { nativeSettings } from './native-settings.ts';
import { PuppetProcess } from './puppet-process.ts';
import { findKernelThread } from './puppet-states.ts';

async function openPuppetWorld(): Promise<World> {
  if (!existsSync(PUPPET_BINARY)) {
    throw new Error(`${PUPPET_BINARY} is missing: build it with node test/puppet/build.mjs`);
  }
  const machine = readHostMachine();
  const channel = new PuppetChannel(PUPPET_BINARY);
  const origin = new PuppetProcess(channel, '', channel.pid, machine.pageSizeBytes);
  return {
    machine,
    settings: nativeSettings(machine.memoryNodes),
    files: { readNames, readText },
    kernelThread: findKernelThread(),
    nodeCounters: async (node) => readNodeCounters(node),
    vmCounters: async () => readVmCounters(),
    spawn: (): Promise<WorldProcess> => origin.fork(),
    close: (): Promise<void> => channel.close(),
  };
}

export const puppetSubject: WorldSubject = {
  name: 'a process of this kernel',
  traits: new Set([
    'addresses',
    'sharing',
    'setuid',
    'pin',
    'mlock',
    'pointers',
    'contents',
    'objects',
    'areas',
    'rings',
    'threads',
    'states',
    'settings',
    'counters',
    'files',
  ]),
  open: openPuppetWorld,
};
