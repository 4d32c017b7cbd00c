import type { Real } from '../../core/layout.ts';

/**
 * Which elements of which arrays a plug-in really reads and writes. Plug-ins look arrays up when they are bound, by
 * destructuring or by name, and may hold arrays that they never use; so what counts is the element: every array is
 * handed over as a proxy whose numeric keys are recorded. An index outside the array, which a typed array would
 * silently swallow, is recorded too.
 */
export interface AccessLog {
  readonly reads: Map<string, Set<number>>;
  readonly writes: Map<string, Set<number>>;
  readonly outside: string[];
}

export function createLog(): AccessLog {
  return { reads: new Map(), writes: new Map(), outside: [] };
}

export function clearLog(log: AccessLog): void {
  log.reads.clear();
  log.writes.clear();
}

/** Every array of a record, watched under `group.name`. */
export function watchAll<T extends object>(arrays: T, group: string, log: AccessLog): T {
  const watched = Object.entries(arrays).map(([name, array]) => [name, watch(array as Real, `${group}${name}`, log)]);
  return Object.fromEntries(watched) as T;
}

/** An array whose elements are watched; whole-array calls count as touching each element, `fill` those that it fills. */
export function watch(array: Real, name: string, log: AccessLog, offset = 0): Real {
  const note = (map: Map<string, Set<number>>, index: number) => {
    const seen = map.get(name) ?? new Set<number>();
    map.set(name, seen.add(offset + index));
  };
  const noteAll = (map: Map<string, Set<number>>) => {
    for (let s = 0; s < array.length; s++) note(map, s);
  };
  const indexOf = (key: string | symbol) =>
    typeof key === 'string' && String(Number(key)) === key ? Number(key) : null;
  const element = (map: Map<string, Set<number>>, index: number) => {
    if (Number.isInteger(index) && index >= 0 && index < array.length) note(map, index);
    else log.outside.push(`${name}[${offset + index}]`);
  };
  return new Proxy(array, {
    get(target, key) {
      const index = indexOf(key);
      if (index !== null) {
        element(log.reads, index);
        return target[index];
      }
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      if (key === 'subarray') {
        return (from: number, to: number) => watch(target.subarray(from, to), name, log, offset + from);
      }
      if (key === 'fill') {
        return (filled: number, from = 0, to = array.length) => {
          for (let s = from; s < to; s++) element(log.writes, s);
          return target.fill(filled, from, to);
        };
      }
      noteAll(key === 'set' ? log.writes : log.reads);
      return value.bind(target);
    },
    set(target, key, value: number) {
      const index = indexOf(key);
      if (index === null) return Reflect.set(target, key, value, target);
      element(log.writes, index);
      target[index] = value;
      return true;
    },
  });
}

/** Adds what one log holds to another. */
export function mergeLogs(into: AccessLog, log: AccessLog): void {
  for (const key of ['reads', 'writes'] as const) {
    for (const [name, elements] of log[key]) {
      into[key].set(name, new Set([...(into[key].get(name) ?? []), ...elements]));
    }
  }
  into.outside.push(...log.outside);
}
