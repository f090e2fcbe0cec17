/** A buffer whose pages are those of a table (modelled-pages.ts). */

import { openNuma } from '../../lib/index.ts';
import { openNativeBackend } from '../../lib/native-backend/native-backend.ts';
import { ModelledBackend, type ModelledPage, type PageModel } from './modelled-pages.ts';

export const TARGET = 1;
/** 8 MiB of base pages: what a move handles between two looks at its signal. */
export const STEP_PAGE_COUNT = 2048;

export function onNode(place: number, count: number): ModelledPage[] {
  return Array.from({ length: count }, () => ({ place, trait: 'free' as const }));
}

export function modelOf(pages: ModelledPage[], more: Partial<PageModel> = {}): PageModel {
  return { pages, freePages: Number.MAX_SAFE_INTEGER, onlineNodes: [0, 1, 2], ...more };
}

export function openOn(model: PageModel) {
  const opened = openNativeBackend();
  if (!opened.ok) throw new Error(opened.reason);
  const modelled = new ModelledBackend(opened.backend, model);
  const numa = openNuma({ backend: modelled.asBackend() });
  // Steps end at multiples of their size: the model's pages begin at one.
  const { pageSizeBytes } = numa;
  const stepBytes = STEP_PAGE_COUNT * pageSizeBytes;
  const buffer = numa.allocate(model.pages.length * pageSizeBytes + stepBytes);
  const offsetBytes = (stepBytes - Number(buffer.address % BigInt(stepBytes))) % stepBytes;
  modelled.beginAt(buffer.address + BigInt(offsetBytes));
  const range = { offsetBytes, lengthBytes: model.pages.length * pageSizeBytes };
  return { modelled, buffer, numa, range };
}
