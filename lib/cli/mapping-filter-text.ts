/**
 * The filters of `--mapping` as text: `kind=anonymous,size>=1m,node=0,file=*.so*`.
 */

import { InvalidArgumentError } from 'commander';
import { MAPPING_KINDS, type MappingKind } from '../core/mapping-kind.ts';
import type { MappingFilter } from '../facade/process/mapping-filter.ts';
import { parseSize } from './arguments.ts';

export const FILTER_HELP =
  'kind=K, file=GLOB, size>=N, size<=N, address=A or A-B, node=LIST, joined by commas';

/** A comma ends a term only where another one begins: lists of nodes have commas, too. */
const TERM_ENDS = /,(?=(?:kind|file|size|address|node)[<>]?=)/;
const TERM = /^(kind|file|size|address|node)(=|>=|<=)(.+)$/s;

type Writable = { -readonly [Name in keyof MappingFilter]: MappingFilter[Name] };

/** One filter more; of several, one must be met. */
export function parseFilter(text: string, previous: unknown): MappingFilter[] {
  const filter: Writable = {};
  for (const term of text.split(TERM_ENDS)) {
    const more = termOf(term);
    const [twice] = Object.keys(more).filter((member) => member in filter);
    if (twice !== undefined) throw givenTwice(term, twice);
    Object.assign(filter, more);
  }
  return [...(Array.isArray(previous) ? (previous as MappingFilter[]) : []), filter];
}

/** What one term asks of a mapping. */
function termOf(term: string): Writable {
  const [, name, operator, value = ''] = TERM.exec(term) ?? [];
  if (name === undefined || (operator !== '=' && name !== 'size')) {
    throw new InvalidArgumentError(`"${term}" is no filter; there are ${FILTER_HELP}.`);
  }
  if (name === 'kind') return { kind: value.split('|').map(kindOf) };
  if (name === 'file') return { file: value };
  if (name === 'node') return { node: value };
  if (name === 'address') return { address: addressOf(value) };
  const bytes = parseSize(value);
  return {
    ...(operator === '<=' ? {} : { bytesMin: bytes }),
    ...(operator === '>=' ? {} : { bytesMax: bytes }),
  };
}

/** All terms must be true: two of a kind are a mistake, and never the last one alone. */
function givenTwice(term: string, member: string): InvalidArgumentError {
  const instead = member === 'kind' ? 'one of several kinds is kind=heap|file' : INSTEAD;
  return new InvalidArgumentError(`"${term}" tells again what a term before it tells; ${instead}.`);
}

const INSTEAD = 'mappings of which one filter or another is true take two --mapping';

function kindOf(text: string): MappingKind {
  const kind = MAPPING_KINDS.find((known) => known === text);
  if (kind !== undefined) return kind;
  throw new InvalidArgumentError(`kind ${text}: there are ${MAPPING_KINDS.join(', ')}.`);
}

function addressOf(text: string): NonNullable<MappingFilter['address']> {
  const match = /^(?:0x)?([0-9a-f]{1,16})(?:-(?:0x)?([0-9a-f]{1,16}))?$/i.exec(text);
  if (match === null) {
    throw new InvalidArgumentError('an address is hexadecimal, a range two of them: 7f00-7fff.');
  }
  const from = BigInt(`0x${match[1]}`);
  return match[2] === undefined ? from : { from, to: BigInt(`0x${match[2]}`) };
}
