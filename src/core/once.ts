/**
 * What `make` returns, made when it is first asked for. Tasks draw their tables this way: `derive` runs before the memory
 * of the network has been added up and found to be there, `fill` after.
 */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
