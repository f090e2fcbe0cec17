/**
 * Tells from the loader's error why the addon cannot be loaded, and what would fix it.
 */

export interface LoadFailure {
  readonly reason: string;
  readonly hint: string;
}

const KEEP_EXTERNAL =
  "keep the package external and install it beside the bundle: `external: ['node-numa']` " +
  '(esbuild, rollup, vite), `externals` (webpack)';

/** The code was bundled, and a bundle has no place for the addon. */
export const BUNDLED: LoadFailure = {
  reason: 'a bundle has the JavaScript of node-numa, not its addon',
  hint: KEEP_EXTERNAL,
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
    hint: `install node-numa with its dependencies; in a bundle, ${KEEP_EXTERNAL}`,
  },
  {
    matches: (_code, message) => /Could not locate the bindings file/.test(message),
    reason: 'the addon (node_numa.node) was not found in build/Release or prebuilds',
    hint:
      'run `npx node-gyp rebuild` in the package folder (needs a C++ compiler and libnuma-dev), ' +
      'or install a version with a binary for this platform',
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
    hint: 'run `npx node-gyp rebuild` in the package folder on this machine',
  },
  {
    matches: (_code, message) => /wrong ELF class|invalid ELF header|Exec format/.test(message),
    reason: 'the addon was built for another processor',
    hint: 'run `npx node-gyp rebuild` in the package folder on this machine',
  },
];

function isSymbolError(message: string): boolean {
  return (
    /version `\w+[\w.]*' not found/.test(message) ||
    /undefined symbol|symbol not found|symbol lookup error/.test(message)
  );
}

/** Classifies what loading threw. The loader's own words are part of the reason. */
export function explainLoadFailure(error: unknown): LoadFailure {
  const { code, message } =
    error instanceof Error ? (error as NodeJS.ErrnoException) : unknown(error);
  const cause = CAUSES.find(({ matches }) => matches(code, message));
  if (cause === undefined) {
    return {
      reason: `the addon cannot be loaded: ${firstLine(message)}`,
      hint: 'run `npx node-gyp rebuild` in the package folder on this machine',
    };
  }
  return { reason: `${cause.reason}: ${firstLine(message)}`, hint: cause.hint };
}

function unknown(error: unknown): { code?: string; message: string } {
  return { message: String(error) };
}

function firstLine(message: string): string {
  return (message.split('\n')[0] ?? '').trim();
}
