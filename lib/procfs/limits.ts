/**
 * /proc/PID/limits: what a process may use.
 *
 * Source: proc_pid_limits(5); fs/proc/base.c, proc_pid_limits().
 */

/** A limit in the unit of its line; infinite where it is `unlimited`. */
export interface Limit {
  readonly soft: number;
  readonly hard: number;
}

/** Columns of a line: the name has blanks and is padded. */
const LINE = /^(Max [a-z ]+?) {2,}(\d+|unlimited) +(\d+|unlimited)/;

/** Limits by the kernel's name: `Max locked memory`. */
export function parseLimits(text: string): ReadonlyMap<string, Limit> {
  const limits = new Map<string, Limit>();
  for (const line of text.split('\n')) {
    const [, name, soft, hard] = LINE.exec(line) ?? [];
    if (name !== undefined) limits.set(name, { soft: amountOf(soft), hard: amountOf(hard) });
  }
  return limits;
}

function amountOf(text: string | undefined): number {
  return text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text);
}
