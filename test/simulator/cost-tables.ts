/** What was published of migrations' speed, and what the profiles make of the same work. */

import { type CostAccount, CostLedger } from '../../lib/simulator/cost/cost-ledger.ts';
import { COST_PROFILES } from '../../lib/simulator/cost/cost-profile.ts';
import type { CostProfileName, MigrationKind } from '../../lib/simulator/public.ts';

const PAGE_BYTES = 4096;
const HUGE_PAGES = 512;
const GIB_PAGES = 2 ** 18;
const GUEST_PAGES = 2 ** 14;

export interface Row {
  readonly profile: CostProfileName;
  readonly name: string;
  readonly published: number;
  readonly modelled: number;
  readonly unit: 'GB/s' | 'us per 4K';
}

export function errorOf({ published, modelled }: Row): number {
  return modelled / published - 1;
}

function ledgerOf(profile: CostProfileName, copyThreads = 1): CostLedger {
  return new CostLedger(COST_PROFILES[profile], {
    nodes: [0, 1],
    distance: (from, to) => (from === to ? 10 : 32),
    bandwidths: new Map(),
    batchesMigrations: profile !== 'guest-6.1',
    pageSizeBytes: PAGE_BYTES,
    tablePages: HUGE_PAGES,
    accessesPerTouch: 1,
    copyThreads,
  });
}

/** Folios of so many pages from node 0 to 1; only a huge page is mapped by one entry. */
function move(account: CostAccount, folioCount: number, folioPages = 1): void {
  const pageCount = folioCount * folioPages;
  const entryCount = folioPages === HUGE_PAGES ? folioCount : pageCount;
  account.countMoved(0, 1, { folioCount, pageCount, entryCount });
  account.endList();
}

/** One call of move_pages with an address for each folio, by a program with one thread. */
function gigabytesPerSecond(folioCount: number, folioPages: number, copyThreads = 1): number {
  const ledger = ledgerOf('two-socket-zen3', copyThreads);
  const account = ledger.account('move_pages', 0);
  account.countCall();
  account.countLookups(folioCount);
  move(account, folioCount, folioPages);
  return (folioCount * folioPages * PAGE_BYTES) / ledger.totalNs;
}

/** Source: https://lore.kernel.org/all/20250923174752.35701-1-shivankg@amd.com. */
export function zen3Rows(): Row[] {
  const row = (name: string, published: number, modelled: number): Row => ({
    profile: 'two-socket-zen3',
    name,
    published,
    modelled,
    unit: 'GB/s',
  });
  const sizes = [
    ['4K', 1, 3.73],
    ['16K', 4, 5.53],
    ['64K', 16, 5.9],
    ['256K', 64, 6.5],
    ['1M', 256, 6.92],
    ['2M', HUGE_PAGES, 10.67],
  ] as const;
  const counts = [
    [1, 7.96],
    [64, 9.08],
    [512, 10.6],
  ] as const;
  const threaded = [
    ['4K', 1, 16, 4.8],
    ['2M', HUGE_PAGES, 2, 17.8],
    ['2M', HUGE_PAGES, 4, 31.4],
    ['2M', HUGE_PAGES, 8, 33.5],
    ['2M', HUGE_PAGES, 16, 35.9],
  ] as const;
  return [
    ...sizes.map(([name, pages, published]) =>
      row(`1 GB in folios of ${name}`, published, gigabytesPerSecond(GIB_PAGES / pages, pages)),
    ),
    ...counts.map(([count, published]) =>
      row(`${count} x 2M`, published, gigabytesPerSecond(count, HUGE_PAGES)),
    ),
    ...threaded.map(([name, pages, threads, published]) =>
      row(
        `1 GB in folios of ${name}, ${threads} copy threads`,
        published,
        gigabytesPerSecond(GIB_PAGES / pages, pages, threads),
      ),
    ),
  ];
}

/** 64 MB, in one of the ways that a program can ask for it. */
interface Way {
  readonly name: string;
  readonly kind: MigrationKind;
  readonly calls: number;
  readonly addresses: number;
  readonly walkedEntries: number;
  readonly folioPages: number;
  /** By Linux 6.12 and 6.1. */
  readonly published: readonly [number, number];
}

const SMALL = { calls: 1, addresses: 0, walkedEntries: 0, folioPages: 1 };
const HUGE = { ...SMALL, folioPages: HUGE_PAGES };
const WALK = { walkedEntries: GUEST_PAGES };
const LOOK_UP = { addresses: GUEST_PAGES };
const BY_PAGE = { calls: GUEST_PAGES };
const THP_COUNT = GUEST_PAGES / HUGE_PAGES;

const WAYS: readonly Way[] = [
  { name: '`mbind`', kind: 'mbind', ...SMALL, ...WALK, published: [7.85, 7.82] },
  { name: '`move_pages`', kind: 'move_pages', ...SMALL, ...LOOK_UP, published: [8.31, 8.03] },
  {
    name: '`move_pages`, 1 address for each call',
    kind: 'move_pages',
    ...SMALL,
    ...LOOK_UP,
    ...BY_PAGE,
    published: [16.8, 15.5],
  },
  {
    name: '`mbind`, 1 page for each call',
    kind: 'mbind',
    ...SMALL,
    ...WALK,
    ...BY_PAGE,
    published: [21.7, 23],
  },
  { name: '`migrate_pages`', kind: 'migrate_pages', ...SMALL, ...WALK, published: [7.8, 7.43] },
  {
    name: '`mbind`, huge pages',
    kind: 'mbind',
    ...HUGE,
    walkedEntries: THP_COUNT,
    published: [2.42, 2.17],
  },
  {
    name: '`move_pages`, huge pages, all addresses',
    kind: 'move_pages',
    ...HUGE,
    ...LOOK_UP,
    published: [3.13, 2.99],
  },
  {
    name: '`move_pages`, 1 address for each huge page',
    kind: 'move_pages',
    ...HUGE,
    addresses: THP_COUNT,
    published: [2.42, 2.17],
  },
];

export function guestRows(profile: 'guest-6.12' | 'guest-6.1'): Row[] {
  return WAYS.map((way) => {
    const ledger = ledgerOf(profile);
    const account = ledger.account(way.kind, 0);
    for (let call = 0; call < way.calls; call += 1) account.countCall();
    account.countLookups(way.addresses);
    account.countWalk(way.walkedEntries);
    move(account, GUEST_PAGES / way.folioPages, way.folioPages);
    return {
      profile,
      name: way.name,
      published: way.published[profile === 'guest-6.12' ? 0 : 1],
      modelled: ledger.totalNs / GUEST_PAGES / 1000,
      unit: 'us per 4K',
    };
  });
}

export function allRows(): Row[] {
  return [...zen3Rows(), ...guestRows('guest-6.12'), ...guestRows('guest-6.1')];
}

/** The rows as docs/simulator.md has them. */
export function rowText(row: Row): string {
  const { profile, name, published, modelled, unit } = row;
  const rounded = (100 * errorOf(row)).toFixed(1);
  const percent =
    rounded === '-0.0' || !rounded.startsWith('-')
      ? `+${Math.abs(Number(rounded)).toFixed(1)}`
      : rounded;
  const cells = [`\`${profile}\``, name, `${published} ${unit}`, modelled.toFixed(2)];
  return `| ${[...cells, `${percent} %`].join(' | ')} |`;
}
