/** What the files of this folder hold; the bundles of dist/ have them inside. */
declare module '*.json' {
  const description: import('../lib/core/machine-description.ts').MachineDescription;
  export default description;
}
