/**
 * The names in a scenario: each is made once and used later, for what it names; and the ranges,
 * which must lie within their mappings.
 */

import { invalidArgumentValue, outOfRange } from '../../core/argument-errors.ts';
import { USUAL_PAGE_SIZE_BYTES } from '../../core/units.ts';
import type { Step } from './scenario.ts';

type Kind = 'process' | 'thread' | 'mapping' | 'cpuset' | 'pin' | 'fault';

interface Known {
  readonly kind: Kind;
  /** Of a thread: its process. */
  readonly process: string;
  /** Of a mapping: its length. */
  readonly pageCount: number;
}

/** Members that name something, and what. */
const REFERENCES: readonly (readonly [string, readonly Kind[]])[] = [
  ['by', ['process', 'thread']],
  ['of', ['process']],
  ['mapping', ['mapping']],
  ['cpuset', ['cpuset']],
  ['pin', ['pin']],
  ['fault', ['fault']],
];

/** What a step makes a name for. */
const MADE: Readonly<Partial<Record<Step['do'], Kind>>> = {
  process: 'process',
  fork: 'process',
  thread: 'thread',
  map: 'mapping',
  cpuset: 'cpuset',
  pin: 'pin',
  nodeFull: 'fault',
  busy: 'fault',
  writeback: 'fault',
  deny: 'fault',
};

/** Steps that nobody of a process does. */
const NOBODYS: readonly Step['do'][] = [
  ...(['process', 'unpin', 'set', 'hugePool', 'interleaveWeight', 'cpuset', 'setMems'] as const),
  ...(['nodeFull', 'deny', 'endFault', 'meanwhile', 'expect'] as const),
];

export class ScenarioNames {
  readonly #pageSizeBytes: number;
  readonly #known = new Map<string, Known>();
  /** Which mappings a process has or was born with. */
  readonly #mappingsOf = new Map<string, Set<string>>();
  #first: string | undefined;

  constructor(pageSizeBytes: number = USUAL_PAGE_SIZE_BYTES) {
    this.#pageSizeBytes = pageSizeBytes;
  }

  /**
   * Checks the names that a step uses, and takes those that it makes.
   * @param where how errors name the step
   */
  check(step: Step, where: string): void {
    const members = step as unknown as Readonly<Record<string, unknown>>;
    if (this.#first === undefined && !NOBODYS.includes(step.do)) {
      throw invalidArgumentValue(where, 'must come after a process has begun', step.do);
    }
    for (const [member, kinds] of REFERENCES) {
      const name = members[member];
      if (typeof name === 'string') this.#find(name, kinds, `${where}, ${member}`);
    }
    this.#checkPages(members, where);
    if (step.do === 'meanwhile') {
      step.steps.forEach((inner, index) => {
        this.check(inner, `${where}, step ${index + 1} (${inner.do})`);
      });
    }
    this.#make(step, where);
  }

  checkWatched(mapping: string, page: number): void {
    const { pageCount } = this.#find(mapping, ['mapping'], 'watch.mapping');
    if (page < pageCount) return;
    throw outOfRange('watch.page', `the mapping has ${pageCount} pages`, page);
  }

  #find(name: string, kinds: readonly Kind[], member: string): Known {
    const found = this.#known.get(name);
    if (found !== undefined && kinds.includes(found.kind)) return found;
    const names = [...this.#known].filter(([, { kind }]) => kinds.includes(kind));
    const list = names.map(([known]) => known).join(', ');
    const what = kinds.join(' or ');
    const rule =
      list === ''
        ? `names no ${what}: there is none yet`
        : `names no ${what}; until there, these have begun: ${list}`;
    throw invalidArgumentValue(member, rule, name);
  }

  #checkPages(members: Readonly<Record<string, unknown>>, where: string): void {
    const {
      mapping,
      by,
      of,
      firstPage = 0,
      pageCount = 1,
    } = members as {
      readonly [member: string]: unknown;
      readonly firstPage?: number;
      readonly pageCount?: number;
    };
    if (typeof mapping !== 'string') return;
    const whose = (of ?? by ?? this.#first) as string;
    const process = this.#known.get(whose)?.process ?? whose;
    if (!this.#mappingsOf.get(process)?.has(mapping)) {
      throw invalidArgumentValue(`${where}, mapping`, `is not one of ${process}`, mapping);
    }
    const { pageCount: pagesThere } = this.#find(mapping, ['mapping'], `${where}, mapping`);
    if (firstPage + pageCount <= pagesThere) return;
    const member = pageCount > 1 ? 'pageCount' : 'firstPage';
    throw outOfRange(`${where}, ${member}`, `${mapping} has ${pagesThere} pages`, members[member]);
  }

  #make(step: Step, where: string): void {
    const kind = MADE[step.do];
    const { name, by } = step as { readonly name?: string; readonly by?: string };
    if (kind === undefined || name === undefined) return;
    if (this.#known.has(name)) {
      throw invalidArgumentValue(`${where}, name`, 'is taken: each name is made once', name);
    }
    const maker = by ?? this.#first ?? name;
    const parent = this.#known.get(maker)?.process ?? maker;
    const process = kind === 'process' ? name : parent;
    if (kind === 'process') {
      this.#first ??= name;
      const inherited = step.do === 'fork' ? this.#mappingsOf.get(parent) : [];
      this.#mappingsOf.set(name, new Set(inherited));
    }
    const pageCount = step.do === 'map' ? pageCountOf(step, this.#pageSizeBytes) : 0;
    this.#known.set(name, { kind, process, pageCount });
    if (kind === 'mapping') this.#mappingsOf.get(process)?.add(name);
  }
}

/** Length of a new mapping in base pages. */
export function pageCountOf(
  step: { readonly pageCount?: number; readonly lengthBytes?: number },
  pageSizeBytes: number,
): number {
  return step.pageCount ?? Math.ceil((step.lengthBytes as number) / pageSizeBytes);
}
