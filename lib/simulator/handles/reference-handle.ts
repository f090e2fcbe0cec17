/** References, pins and rings, as a simulated thread makes the calls. */

import type { ReferenceCalls } from '../../machine/references.ts';
import type { Caller } from '../caller.ts';
import { pinPages, unpinPages } from '../syscalls/pin-pages.ts';
import {
  mapPacketRing,
  registerBuffer,
  registerPackets,
  unregisterBuffer,
} from '../syscalls/ring-calls.ts';

export function referenceCalls(caller: Caller): ReferenceCalls {
  const { machine } = caller;
  return {
    splice: (span) => caller.call('pin', (own) => pinPages(own, { ...span, kind: 'reference' })),
    registerBuffer: (span) => caller.call('register_buffer', (own) => registerBuffer(own, span)),
    unregisterBuffer: (ring) =>
      caller.call('unregister_buffer', (own) => unregisterBuffer(own, ring)),
    registerPackets: (span) => caller.call('register_packets', (own) => registerPackets(own, span)),
    packetRing: (ring) => caller.call('packet_ring', (own) => mapPacketRing(machine, own, ring)),
    close: (descriptor) => caller.call('unpin', (own) => unpinPages(own, descriptor)),
  };
}
