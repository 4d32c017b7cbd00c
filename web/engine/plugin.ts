import * as zod from 'zod';
import * as models from '../../models/index.ts';
import * as spiketrace from '../../src/browser.ts';
import { type Catalogue, ConfigError } from '../../src/browser.ts';
import * as tasks from '../../tasks/index.ts';

/** What a plug-in may import, as on the command line. */
const modules: Readonly<Record<string, unknown>> = {
  spiketrace,
  'spiketrace/models': models,
  'spiketrace/tasks': tasks,
  zod,
};

type Lists = Readonly<Record<string, readonly object[]>>;

/** The catalogue and what a plug-in adds to it. @param source JavaScript in CommonJS form @throws ConfigError, and whatever the plug-in throws */
export async function withPlugin(catalogue: Catalogue, source: string): Promise<Catalogue> {
  const added = await evaluate(source);
  const known = catalogue as unknown as Lists;
  const odd = Object.keys(added).find((list) => !(list in known) || !Array.isArray(added[list]));
  if (odd !== undefined)
    throw new ConfigError(`plug-in: ${odd}`, added[odd], `lists: ${Object.keys(known).join(', ')}`);
  const nameOf = (entry: object) => (entry as { name?: unknown }).name ?? (entry as { kind?: unknown }).kind;
  for (const [list, entries] of Object.entries(added)) {
    const taken = entries.find((entry) => known[list].some((other) => nameOf(other) === nameOf(entry)));
    if (taken) throw new ConfigError(`plug-in: ${list}`, nameOf(taken), 'a name that is not taken');
  }
  const merged = Object.entries(added).map(([list, entries]) => [list, [...known[list], ...entries]]);
  return { ...catalogue, ...Object.fromEntries(merged) };
}

/** Runs a module as a file of its own, which a page's rules let a sandboxed frame do where they forbid `eval`. */
async function evaluate(source: string): Promise<Lists> {
  const exports: { default?: unknown } = {};
  const module = { exports };
  const require = (name: string): unknown => {
    if (!Object.hasOwn(modules, name)) {
      throw new ConfigError('plug-in: import', name, `one of ${Object.keys(modules).join(', ')}`);
    }
    return modules[name];
  };
  Object.assign(globalThis, { spiketracePlugin: { require, module, exports } });
  const given = ['require', 'module', 'exports'];
  const passed = given.map((name) => `globalThis.spiketracePlugin.${name}`);
  const wrapped = `((${given}) => {\n${source}\n})(${passed});`;
  const url = URL.createObjectURL(new Blob([wrapped], { type: 'text/javascript' }));
  try {
    await import(/* @vite-ignore */ url);
  } finally {
    URL.revokeObjectURL(url);
  }
  const parts = module.exports.default;
  if (typeof parts !== 'object' || parts === null)
    throw new ConfigError('plug-in: default export', parts, 'an object of lists');
  return parts as Lists;
}
