/**
 * The doctor: looks at everything that decides what NUMA verbs can do here, changes nothing, and
 * says of each thing whether it is well, and what would help where it is not.
 */

import type { NumaError } from '../../core/errors.ts';
import type { Capabilities } from '../../facade/capabilities/capability.ts';
import type { BackendInfo, Numa } from '../../facade/numa.ts';
import { callFindings } from './call-findings.ts';
import { type Finding, ok, problem } from './finding.ts';
import {
  confinementFindings,
  cpuFindings,
  kernelFindings,
  limitFindings,
  nodeFindings,
  processFindings,
} from './host-findings.ts';

export interface Examination {
  /** `null` where no backend could be opened. */
  readonly backend: BackendInfo | null;
  readonly findings: readonly Finding[];
  readonly capabilities: Capabilities | null;
}

/** Looks through a backend. */
export async function examine(numa: Numa): Promise<Examination> {
  const capabilities = await numa.capabilities();
  const { kind } = capabilities.confinement.surroundings;
  return {
    backend: numa.backend,
    findings: [
      backendFinding(numa.backend),
      ...nodeFindings(numa),
      ...callFindings(capabilities),
      ...confinementFindings(capabilities),
      ...(await cpuFindings(numa)),
      ...(await processFindings(numa)),
      ...(await limitFindings(numa, kind)),
      ...(await kernelFindings(numa)),
    ],
    capabilities,
  };
}

function backendFinding({ kind, kernel, libnuma }: BackendInfo): Finding {
  const library = libnuma === null ? '' : `, ${libnuma}`;
  return ok('backend', `${kind}, Linux ${kernel}${library}`);
}

/** What is left to say where no backend opens. */
export function examineFailure(error: NumaError): Examination {
  const { rule, hint } = error;
  const remedies = hint === undefined ? [] : [{ action: hint, effect: 'the addon can be loaded' }];
  return { backend: null, findings: [problem('backend', rule, remedies)], capabilities: null };
}
