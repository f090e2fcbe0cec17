/** What long work tells of itself on its way. */

import { invalidArgumentValue } from '../core/argument-errors.ts';

/** Waits for a promise. @throws TypeError with the callback's error as its `cause` */
export async function tellProgress<Progress>(
  onProgress: ((progress: Progress) => unknown) | undefined,
  progress: Progress,
): Promise<void> {
  try {
    await onProgress?.(progress);
  } catch (cause) {
    const error = invalidArgumentValue('options.onProgress', 'has thrown', onProgress);
    throw Object.assign(error, { cause });
  }
}
