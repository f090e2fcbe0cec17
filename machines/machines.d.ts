/** What the files of this folder hold; scripts/pack/inline-machines.mjs puts them into the build. */
declare module '*.json' {
  const description: import('../lib/core/machine-description.ts').MachineDescription;
  export default description;
}
