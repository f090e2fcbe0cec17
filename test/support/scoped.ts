/** Settings that have a value while something runs, and are as before when it is over. */

/** One setting, or several that belong together. */
export interface Setting<V> {
  read(): V | Promise<V>;
  write(value: V): unknown;
}

/** @param value absent: the body sets it */
export async function during<V, T>(
  { read, write }: Setting<V>,
  value: V | undefined,
  body: () => Promise<T>,
): Promise<T> {
  const before = await read();
  try {
    if (value !== undefined) await write(value);
    return await body();
  } finally {
    await write(before);
  }
}

/** Members of an object that can be set. */
export function membersOf<O extends object, N extends keyof O>(
  owner: O,
  ...names: N[]
): Setting<Pick<O, N>> {
  return {
    read: () => Object.fromEntries(names.map((name) => [name, owner[name]])) as Pick<O, N>,
    write: (values) => Object.assign(owner, values),
  };
}

/** The same setting of each node. */
export function ofNodes<V>(
  nodes: readonly number[],
  read: (node: number) => V | Promise<V>,
  write: (node: number, value: V) => unknown,
): Setting<readonly V[]> {
  return {
    read: async () => {
      const values: V[] = [];
      for (const node of nodes) values.push(await read(node));
      return values;
    },
    write: async (values) => {
      for (const [index, node] of nodes.entries()) await write(node, values[index] as V);
    },
  };
}
