/**
 * The six calls with their flags, and the verbs that take another way because of them.
 */

import type {
  CallCapability,
  Capabilities,
  Capability,
} from '../../facade/capabilities/capability.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

export function callFindings({ calls, files, verbs }: Capabilities): Finding[] {
  const told = new Set<string>();
  return [
    ...Object.values(calls).flatMap((call) => findingsOf(call, told)),
    ...files.map(fileFinding),
    ...verbFindings(
      verbs,
      Object.values(calls).every(({ works }) => works),
    ),
  ];
}

/** What follows from the calls: for those who know the verbs, and not what is below them. */
function verbFindings(verbs: Capabilities['verbs'], allCallsWork: boolean): Finding[] {
  const failing = verbs.filter(({ by }) => by === undefined).map(({ verb }) => verb);
  // What only a privilege or a newer kernel would give is no fault of this place.
  const told = allCallsWork ? warning : problem;
  const failure = told('verbs', `these fail here: ${failing.join(', ')}`);
  return [
    ...(failing.length === 0 ? [] : [failure]),
    ...verbs.flatMap(({ verb, by, lost, instead }): Finding[] => {
      const id = `verbs.${verb}`;
      if (instead !== undefined) return [warning(id, `in place of ${verb}: ${instead}`)];
      return lost === undefined ? [] : [warning(id, `${verb} is done by ${by}: ${lost}`)];
    }),
  ];
}

/** The call, then those of its flags that do not work; what another call has told is left out. */
function findingsOf(call: CallCapability, told: Set<string>): Finding[] {
  const id = `calls.${call.name}`;
  if (!call.works) return [problem(id, `${call.name} ${whyNot(call)}`, call.remedies)];
  const missing = call.parts.filter(({ works, isProbed }) => !works && isProbed);
  const untold = missing.filter(({ name }) => !told.has(name));
  for (const { name } of untold) told.add(name);
  const which = missing.length === 0 ? '' : `, but not ${missing.map(nameOf).join(', ')}`;
  return [
    ok(id, `${call.name} works${which}`),
    ...untold.map((part) =>
      warning(`${id}.${part.name}`, `${part.name} ${whyNot(part)}`, part.remedies),
    ),
  ];
}

function nameOf({ name }: Capability): string {
  return name;
}

function whyNot({ errnoName, reason, cause }: Capability): string {
  const answer = errnoName === undefined ? '' : ` with ${errnoName}`;
  return `is refused${answer} (${cause}): ${reason}`;
}

function fileFinding(file: Capability): Finding {
  const id = `procfs.${file.name.replace('/proc/self/', '')}`;
  if (file.works) return ok(id, `${file.name} can be read`);
  return warning(id, `${file.name} ${whyNot(file)}`, file.remedies);
}
