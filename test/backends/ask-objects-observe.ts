import { errnoName } from '../../lib/core/errno.ts';
import { MPOL } from '../../lib/core/uapi.ts';
import type { World, WorldProcess } from '../contract/world.ts';
const ADDR = 0x2aaa_0000_0000n;
const H = 512;
const bit = (n: number) => ({ words: BigUint64Array.of(1n << BigInt(n)), maxnode: 65 });
const told = (r: any) => (r.ok ? `ok${r.value === undefined || typeof r.value === 'bigint' ? '' : ` ${r.value}`}` : errnoName(r.errno));
const runs = (list: number[]) => {
  const out: string[] = [];
  for (let i = 0; i < list.length; ) { let j = i; while (list[j] === list[i]) j++; out.push(`${list[i]}x${j - i}`); i = j; }
  return out.join(' ');
};
export async function observe(world: World): Promise<string[]> {
  const lines: string[] = [];
  const say = (name: string, ...values: unknown[]) => void lines.push(`${name}: ${values.join(' | ')}`);
  const where = async (p: WorldProcess, at: bigint, n: number) => {
    const status = new Int32Array(n).fill(-9999);
    const r = await p.movePages({ pid: 0, pages: { address: at, pageCount: n }, nodes: null, flags: 0, status });
    return r.ok ? runs([...status]) : told(r);
  };
  const move = async (p: WorldProcess, at: bigint, n: number, node: number, flags = 2) => {
    const status = new Int32Array(n).fill(-9999);
    const r = await p.movePages({ pid: 0, pages: { address: at, pageCount: n }, nodes: node, flags, status });
    return `${told(r)} ${runs([...status])}`;
  };
  const huge = async (p: WorldProcess, at: bigint, n: number) => (await p.areas!.list(at, n)).map((a) => `${a.pageCount}:${a.hugeBytes / 2097152}`).join(',');
  const bindThread = (p: WorldProcess, node: number) => p.setMempolicy({ mode: MPOL.BIND, nodemask: bit(node) });
  const page = (at: bigint, i: number) => at + BigInt(i * 4096);
  const scene = async (name: string, body: (p: WorldProcess) => Promise<void>) => {
    const p = await world.spawn();
    try { await p.areas!.allowHugePages(); await bindThread(p, 0); await body(p); } catch (e) { say(name, `threw ${e}`.slice(0, 200)); }
    await p.exit();
  };
  const thp = async (p: WorldProcess, n = 1) => {
    await p.mmap({ address: ADDR, pageCount: n * H });
    await p.areas!.madvise(ADDR, n * H, 14);
    for (let i = 0; i < n; i++) await p.touch(page(ADDR, i * H), 1, 'write');
    return ADDR;
  };
  const numa = async (p: WorldProcess, at: bigint) => (await p.areas!.numaMaps('self')).find((l) => l.startsWith(at.toString(16)))?.replace(/^\S+ /, '') ?? 'none';
  await world.settings!.withTransparentHugePages(async () => {
    await scene('A', async (p) => {
      await p.mmap({ address: ADDR, pageCount: H }); await p.areas!.madvise(ADDR, H, 14);
      await p.touch(page(ADDR, 5), 1, 'read');
      say('A zero', await where(p, ADDR, H), await huge(p, ADDR, H));
      await p.touch(page(ADDR, 7), 1, 'write');
      say('A zero written', await where(p, ADDR, H), await huge(p, ADDR, H));
    });
    await scene('B', async (p) => {
      const at = await thp(p);
      await p.mprotect(page(at, 8), 8, 'read'); say('B protect', await huge(p, at, H));
      await p.mprotect(page(at, 8), 8, 'write'); say('B back', await huge(p, at, H), await numa(p, at));
      say('B move', await move(p, page(at, 3), 3, 1), await where(p, at, H));
      say('B strict', told(await p.mbind({ address: at, lengthBytes: H * 4096, mode: MPOL.BIND, nodemask: bit(0), flags: 3 })), await where(p, at, H));
    });
    await scene('C', async (p) => {
      const at = await thp(p);
      await p.munmap(page(at, 100), 1); say('C unmap', await huge(p, at, H), await where(p, at, H));
      say('C move', await move(p, at, 1, 1), await where(p, at, H));
      say('C default', told(await p.mbind({ address: at, lengthBytes: H * 4096, mode: MPOL.DEFAULT, nodemask: null, flags: 2 })), await where(p, at, H));
      say('C migrate', told(await p.migratePages({ pid: 0, from: bit(1), to: bit(0) })), await where(p, at, H));
    });
    await scene('D', async (p) => {
      const at = await thp(p);
      say('D drop', told(await p.areas!.madvise(page(at, 256), 256, 4)), await huge(p, at, H), await numa(p, at));
      await bindThread(p, 1); await p.touch(page(at, 300), 1, 'write');
      say('D write', await where(p, at, H), await huge(p, at, H), await numa(p, at));
      say('D move', await move(p, page(at, 10), 1, 1), await where(p, at, H));
    });
    await scene('E', async (p) => {
      const at = await thp(p); await p.store(page(at, 3), 33n); await p.store(page(at, 4), 44n);
      const c = await p.fork();
      say('E fork', await huge(p, at, H), await huge(c, at, H), await numa(p, at));
      await bindThread(c, 1);
      await c.touch(page(at, 3), 1, 'write');
      say('E child', await where(c, at, H), await huge(c, at, H), await huge(p, at, H), told(await c.load(page(at, 3))), await numa(c, at), await numa(p, at));
      say('E move', await move(p, page(at, 9), 1, 1), await move(p, page(at, 3), 1, 1));
      await c.touch(at, H, 'write');
      say('E child all', await where(c, at, H), await huge(c, at, H), await huge(p, at, H));
      say('E move', await move(p, page(at, 9), 1, 2), await where(p, at, H), String((await c.load(page(at, 4)) as any).value));
      await bindThread(p, 1); await p.touch(at, H, 'write');
      say('E parent', await where(p, at, H), await huge(p, at, H));
      await c.exit();
    });
    await scene('E2', async (p) => {
      const at = await thp(p); const c = await p.fork(); await c.exit();
      await bindThread(p, 1); await p.touch(at, 1, 'write');
      say('E2 child gone', await where(p, at, H), await huge(p, at, H));
    });
    await scene('E3', async (p) => {
      const at = await thp(p); const c = await p.fork();
      await bindThread(p, 1); await p.touch(page(at, 1), 1, 'write'); await c.exit();
      await bindThread(p, 2); await p.touch(at, H, 'write');
      say('E3 split, child gone', await where(p, at, H), await huge(p, at, H));
    });
    await scene('F', async (p) => {
      const at = await thp(p); await p.store(page(at, 3), 33n);
      const to = ADDR + 0x1000_0000n + 0x5000n;
      say('F unaligned', told(await p.areas!.mremap(at, H, to)), await huge(p, to, H), await where(p, to, H), String((await p.load(page(to, 3)) as any).value));
      say('F move', await move(p, page(to, 9), 1, 1), await where(p, to, H));
    });
    await scene('F2', async (p) => {
      const at = await thp(p); const to = ADDR + 0x1000_0000n;
      say('F2 aligned', told(await p.areas!.mremap(at, H, to)), await huge(p, to, H));
    });
    await scene('F3', async (p) => {
      const at = await thp(p); const to = ADDR + 0x1000_0000n;
      say('F3 half', told(await p.areas!.mremap(at, 256, to)), await huge(p, to, 256), await huge(p, page(at, 256), 256), await where(p, to, 256));
      say('F3 move', await move(p, to, 1, 1), await where(p, to, 256), await where(p, page(at, 256), 256));
    });
    await scene('G', async (p) => {
      const at = await thp(p);
      say('G part', told(await p.mbind({ address: page(at, 16), lengthBytes: 8 * 4096, mode: MPOL.BIND, nodemask: bit(1), flags: 3 })), await huge(p, at, H), await where(p, at, H));
    });
    await scene('M', async (p) => {
      const at = await thp(p);
      say('M pin', told(await p.rings!.register(page(at, 5), 1)).replace(/\d+/, ''));
      const c = await p.fork();
      say('M fork', await huge(p, at, H), await huge(c, at, H), await where(c, at, H), await move(c, page(at, 5), 2, 1), await move(p, page(at, 100), 1, 1));
      await c.exit();
    });
  });
  await scene('H', async (p) => {
    await p.mmap({ address: ADDR, pageCount: 8 });
    await p.mbind({ address: page(ADDR, 2), lengthBytes: 8192, mode: MPOL.BIND, nodemask: bit(1), flags: 0 });
    await p.touch(ADDR, 8, 'write');
    say('H several areas', told(await p.areas!.mremap(ADDR, 8, ADDR + 0x1000_0000n)));
    say('H over itself', told(await p.areas!.mremap(ADDR, 2, ADDR + 4096n)));
    say('H resize over', told(await p.areas!.resize(ADDR, 4, 6)), told(await p.areas!.resize(ADDR, 1, 4)), told(await p.areas!.resize(ADDR, 2, 0)));
  });
  await scene('I', async (p) => {
    const o = (await p.objects!.create('memfd', 2) as any).value;
    const at = (await p.objects!.map(o, { pageCount: 2, shared: true }) as any).value;
    const r = await p.areas!.resize(at, 2, 4) as any;
    say('I grown', told(r), told(await p.touch(page(r.value, 1), 1, 'write')), told(await p.touch(page(r.value, 2), 1, 'write')), p.killedBy);
  });
  await scene('K', async (p) => {
    await p.mmap({ address: ADDR, pageCount: 4 }); await p.touch(ADDR, 4, 'write');
    const m = p.areas!.madvise.bind(p.areas);
    say('K bad', told(await m(ADDR, 4, 999)), told(await m(ADDR + 1n, 4, 4)), told(await m(ADDR, 0, 4)));
    say('K gap', told(await m(ADDR, 8, 4)), await where(p, ADDR, 4));
    await p.touch(ADDR, 4, 'write'); await p.mlock(ADDR, 2);
    say('K locked', told(await m(ADDR, 4, 4)), await where(p, ADDR, 4), told(await m(ADDR, 2, 21)), told(await m(ADDR, 2, 102)), await numa(p, ADDR));
    await p.mprotect(ADDR, 2, 'read');
    say('K populate', told(await m(ADDR, 4, 22)), told(await m(ADDR, 4, 23)), told(await m(ADDR + 0x10000n, 1, 22)), told(await m(page(ADDR, 3), 2, 23)));
    const d = await p.areas!.mapDevice(4) as any;
    if (d.ok) {
      say('K device', ...(await Promise.all([4, 10, 11, 12, 14, 15, 21, 22, 102].map(async (a) => `${a} ${told(await m(d.value, 4, a))}`))), await numa(p, d.value), told(await p.mlock(d.value, 4)));
      say('K device ring', told(await p.rings!.register(d.value, 1)), told(await p.rings!.registerPackets(d.value, 1)), told(await p.pin(d.value, 1)), told(await p.areas!.resize(d.value, 4, 5)), told(await p.areas!.mremap(d.value, 4, ADDR + 0x1000_0000n)));
    } else say('K device', told(d));
    const s = await p.objects!.create('secret', 4) as any;
    if (s.ok) {
      const at = (await p.objects!.map(s.value, { pageCount: 4, shared: true }) as any).value;
      await p.touch(at, 2, 'write');
      say('K secret', await numa(p, at), told(await p.rings!.register(at, 1)), told(await p.rings!.registerPackets(at, 1)), told(await p.pin(at, 1)), told(await m(at, 4, 4)), told(await p.objects!.map(s.value, { pageCount: 4, shared: false })), told(await p.objects!.write(s.value, 0, 1)));
    } else say('K secret', told(s));
    for (const kind of ['ramfs', 'disk', 'tmpfs'] as const) {
      const o = await p.objects!.create(kind, 2) as any;
      if (!o.ok) { say(`K ${kind}`, told(o)); continue; }
      const at = (await p.objects!.map(o.value, { pageCount: 2, shared: true }) as any).value;
      await p.touch(at, 1, 'write'); await p.touch(page(at, 1), 1, 'read');
      say(`K ${kind}`, (await numa(p, at)).replace(/file=\S+/, ''), told(await p.rings!.register(at, 1)).replace(/ \d+/, ''), await move(p, at, 2, 1), told(await m(at, 2, 102)));
      await p.munmap(at, 2);
      const own = (await p.objects!.map(o.value, { pageCount: 2, shared: false }) as any).value;
      say(`K ${kind} private`, told(await p.rings!.register(own, 1)).replace(/ \d+/, ''), told(await m(own, 2, 12)), told(await m(own, 2, 14)));
    }
    const ring = await p.rings!.packetRing(4, 2) as any;
    if (ring.ok) {
      say('K ring', await numa(p, ring.value), told(await m(ring.value, 8, 4)), told(await m(ring.value, 8, 14)), told(await m(ring.value, 8, 12)), told(await p.mlock(ring.value, 8)));
      const c = await p.fork(); say('K ring child', await where(c, ring.value, 8)); await c.exit();
    } else say('K ring', told(ring));
    for (const name of ['vdso', 'vvar'] as const) {
      const a = await p.areas!.special(name); if (a === null) continue;
      say(`K ${name}`, told(await p.mprotect(a.address, 1, 'none')), told(await p.munmap(page(a.address, 1), 1)), told(await m(a.address, 1, 10)), told(await m(a.address, 1, 14)), told(await p.areas!.mremap(a.address, 1, ADDR + 0x2000_0000n)));
    }
  });
  await world.settings!.withHugePool(1, async () => {
    await scene('J', async (p) => {
      const o = (await p.objects!.create('hugetlb', 4 * H) as any).value;
      say('J too many', told(await p.objects!.map(o, { pageCount: 5 * H, shared: false })), told(await p.objects!.map(o, { pageCount: H + 1, shared: false })), told(await p.objects!.create('hugetlb', 1)), told(await p.objects!.map(o, { pageCount: H, firstPage: 1, shared: false })));
      const at = (await p.objects!.map(o, { pageCount: 2 * H, shared: false, address: ADDR }) as any).value;
      say('J promised', told(await p.objects!.map(o, { pageCount: 3 * H, shared: true })), told(await p.objects!.map(o, { pageCount: 2 * H, shared: true, address: ADDR + 0x1000_0000n })));
      say('J first', told(await p.touch(at, 1, 'read')), await where(p, at, 1), await numa(p, at), told(await p.touch(page(at, H), 1, 'write')), p.killedBy);
      say('J cuts', told(await p.munmap(page(at, 1), 1)), told(await p.areas!.madvise(page(at, 1), 1, 4)), told(await p.areas!.madvise(at, H, 14)), told(await p.areas!.madvise(at, H, 21)), told(await p.areas!.madvise(at, H, 102)), told(await p.mprotect(page(at, 1), 1, 'read')), told(await p.mlock(page(at, 1), 1)), told(await p.areas!.resize(at, 2 * H, 3 * H)), told(await p.objects!.write(o, 0, 1)));
      const c = await p.fork();
      await c.setMempolicy({ mode: MPOL.DEFAULT, nodemask: null });
      say('J child', told(await c.touch(at, 1, 'read')), told(await c.touch(at, 1, 'write')), await where(c, at, 1), await where(p, at, 1));
      await c.exit();
      say('J drop', told(await p.areas!.madvise(at, H, 4)), await where(p, at, 1), told(await p.rings!.register(at, 1)).replace(/ \d+/, ''), await where(p, at, 1));
    });
  });
  return lines;
}
