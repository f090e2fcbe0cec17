/** All calls of a simulated thread beside its backend, with their arguments checked. */

import type { Caller } from '../caller.ts';
import type { SimulatedCalls } from '../interface/simulated-process.ts';
import { areaCalls } from './area-handle.ts';
import { CALL_CHECKS, checked } from './call-checks.ts';
import { memoryCalls } from './memory-handle.ts';
import { numaCallsOf } from './numa-handle.ts';
import { objectCalls } from './object-handle.ts';
import { referenceCalls } from './reference-handle.ts';
import { steppedCalls } from './stepped-handle.ts';

/** What a thread calls, beside its backend. */
export function callsOf(caller: Caller): SimulatedCalls {
  return {
    memory: checked(memoryCalls(caller), CALL_CHECKS.memory),
    areas: checked(areaCalls(caller), CALL_CHECKS.areas),
    objects: checked(objectCalls(caller), CALL_CHECKS.objects),
    references: checked(referenceCalls(caller), CALL_CHECKS.references),
    numa: checked(numaCallsOf(caller), CALL_CHECKS.numa),
    steps: checked(steppedCalls(caller), CALL_CHECKS.steps),
  };
}
