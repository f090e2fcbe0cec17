/**
 * Tells from the loader's errors why the addon cannot be loaded, and what would fix it.
 */

export interface LoadFailure {
  readonly reason: string;
  readonly hint: string;
}

/** A file that was tried, and what loading it threw. */
export interface LoadAttempt {
  readonly file: string;
  readonly error: unknown;
}

const REBUILD = 'run `npx node-gyp rebuild -C native` in the package folder';
const BUILD_IT =
  `${REBUILD} (needs a C++ compiler and libnuma-dev), ` +
  'or install a version with a binary for this platform';
const GIVE_IT =
  'give `openNuma({ nativeBinding })` or NODE_NUMA_BINDING the path of a copy of its prebuilt ' +
  "file, or keep the package external (`external: ['node-numa']`) and install it beside the " +
  'bundle: docs/bundlers.md';

/** @param platform as the folders of prebuilds/ are named */
export function prebuiltFile(platform: string): string {
  return `node_modules/node-numa/prebuilds/${platform}/node_numa.node`;
}

/** The code was made part of another file, and such a file has no place for the addon. */
export const BUNDLED: LoadFailure = {
  reason: 'a bundle has the JavaScript of node-numa, not its addon',
  hint: GIVE_IT,
};

interface LoadCause {
  readonly matches: (code: string | undefined, message: string) => boolean;
  readonly reason: string;
  readonly hint: string;
}

// The first that matches is the cause. glibc and musl word the same trouble differently.
const CAUSES: readonly LoadCause[] = [
  {
    matches: (code, message) => code === 'MODULE_NOT_FOUND' && /'bindings'/.test(message),
    reason: 'the package `bindings`, which node-numa depends on, is not installed beside it',
    hint: `install node-numa with its dependencies; in a bundle, ${GIVE_IT}`,
  },
  {
    matches: (code) => code === 'ERR_DLOPEN_DISABLED',
    reason: 'this Node.js does not load addons',
    hint: 'start it without --no-addons; under the permission model, with --allow-addons',
  },
  {
    matches: (_code, message) => /libnuma\.so/.test(message) && /No such file/.test(message),
    reason: 'libnuma.so.1 is not installed',
    hint:
      'install libnuma1 (Debian, Ubuntu, openSUSE), numactl-libs (Fedora, RHEL) ' +
      'or numactl (Alpine, Arch)',
  },
  {
    matches: (_code, message) => /libnuma/.test(message) && isSymbolError(message),
    reason: 'the installed libnuma is too old for the addon',
    hint: 'install libnuma 2.0.11 or newer',
  },
  {
    matches: (_code, message) =>
      isSymbolError(message) || /ld-(linux|musl)|libc\.musl/.test(message),
    reason: 'the addon was built for another C library (glibc or musl, or a newer one)',
    hint: `${REBUILD} on this machine`,
  },
  {
    matches: (_code, message) => /wrong ELF class|invalid ELF header|Exec format/.test(message),
    reason: 'the addon was built for another processor',
    hint: `${REBUILD} on this machine`,
  },
];

function isSymbolError(message: string): boolean {
  return (
    /version `\w+[\w.]*' not found/.test(message) ||
    /undefined symbol|symbol not found|symbol lookup error/.test(message)
  );
}

/**
 * Classifies what loading threw; the loader's own words are part of the reason, and so is every
 * file that was tried. A file that is there and cannot be loaded says more than one that is not.
 * @param attempts at least one
 * @param platform as the folders of prebuilds/ are named
 * @param from what named the file, where it is not the package's own
 */
export function explainLoadFailure(
  attempts: readonly LoadAttempt[],
  platform: string,
  from?: string,
): LoadFailure {
  const told = attempts.find(({ error }) => !isAbsent(error));
  if (told === undefined) {
    return {
      reason: `there is no addon for ${platform}: no file ${listOf(attempts)}`,
      hint: from === undefined ? BUILD_IT : `${from} must name a copy of ${prebuiltFile(platform)}`,
    };
  }
  const { code, message } = wordsOf(told.error);
  const cause = CAUSES.find(({ matches }) => matches(code, message));
  const { reason, hint } = cause ?? {
    reason: 'the addon cannot be loaded',
    hint: `${REBUILD} on this machine`,
  };
  const others = attempts.filter((attempt) => attempt !== told);
  const also = others.length === 0 ? '' : `; nor is there a file ${listOf(others)}`;
  const where = message.includes(told.file) ? '' : ` (${told.file})`;
  return { reason: `${reason}: ${firstLine(message)}${where}${also}`, hint };
}

function listOf(attempts: readonly LoadAttempt[]): string {
  return attempts.map(({ file }) => file).join(', ');
}

/** Of `bindings` and of `require()`; a package that is missing is not the addon's file. */
function isAbsent(error: unknown): boolean {
  const { code, message } = wordsOf(error);
  if (/Could not locate the bindings file/.test(message)) return true;
  return code === 'MODULE_NOT_FOUND' && /\.node'/.test(message);
}

function wordsOf(error: unknown): { code?: string | undefined; message: string } {
  return error instanceof Error ? (error as NodeJS.ErrnoException) : { message: String(error) };
}

function firstLine(message: string): string {
  return (message.split('\n')[0] ?? '').trim();
}
