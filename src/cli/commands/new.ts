import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../../core/errors.ts';
import { readBytes, writeAtomic } from '../../record/index.ts';
import { profileOf } from '../chips.ts';
import { type Global, print } from '../output.ts';

/** What can be begun, the names in its example that become the user's, and how to go on. */
const kinds = {
  rule: {
    names: { 'sign-e-prop': (name: string) => name, 'sign-broadcast': (name: string) => `${name}-signal` },
    next: (name: string, file: string) =>
      `spiketrace train four-six-back --plugin ${file} --set 'rule={"name":"${name}"}'`,
  },
  neuron: {
    names: { 'soft-sign': (name: string) => name },
    next: (name: string, file: string) =>
      `spiketrace train four-six-back-rates --plugin ${file} --set 'network.neuron={"kind":"${name}"}'`,
  },
  task: {
    names: { 'delayed-copy': (name: string) => name },
    next: (name: string, file: string) =>
      `spiketrace train four-six-back --plugin ${file} --set 'task={"kind":"${name}"}'`,
  },
} as const;

/** `spiketrace new`: a file that runs at once, to be changed. */
export function createNew(kind: string, name: string, flags: Global): void {
  if (!/^[a-z][a-z0-9-]*$/.test(name)) {
    throw new ConfigError('NAME', name, 'small letters, digits and hyphens, a letter first');
  }
  const file = `${name}.${kind === 'chip' ? 'json' : 'ts'}`;
  const text = kind === 'chip' ? chipText(name) : pluginText(kind, name);
  if (existsSync(file)) throw new ConfigError('NAME', name, `a name whose file is not there yet: ${file} is`);
  writeAtomic(file, new TextEncoder().encode(text));
  const commands = nextOf(kind, name, file);
  if (flags.json) print(JSON.stringify({ file, commands }));
  else print(`${file}\n\n${commands.map((command) => `    ${command}`).join('\n')}`);
}

function pluginText(kind: string, name: string): string {
  const known = (kinds as Readonly<Record<string, (typeof kinds)[keyof typeof kinds]>>)[kind];
  if (!known) throw new ConfigError('KIND', kind, `one of ${Object.keys(kinds).join(', ')}, chip`);
  const path = fileURLToPath(new URL(`../../../../examples/plugins/${kind}.ts`, import.meta.url));
  const text = new TextDecoder().decode(readBytes(path));
  return Object.entries(known.names).reduce(
    (changed, [old, as]) => changed.replaceAll(`'${old}'`, `'${as(name)}'`),
    text,
  );
}

/** The profile with the most limits of its own, under another name. */
function chipText(name: string): string {
  return `${JSON.stringify({ ...profileOf('spinnaker2'), id: name, name }, null, 2)}\n`;
}

function nextOf(kind: string, name: string, file: string): string[] {
  if (kind === 'chip') return [`spiketrace deploy four-six-back --chip ${file}`];
  return [`spiketrace check ${file}`, kinds[kind as keyof typeof kinds].next(name, file)];
}
