import { type ChipProfile, profileSchema, profiles } from '../../hardware/index.ts';
import { parseWhole } from '../config/parse.ts';
import { ConfigError } from '../core/errors.ts';
import { readJson } from './json.ts';

/** Of plug-ins, in the order in which they were loaded. */
const own: ChipProfile[] = [];

/** Chips that can be named: what comes with the package, and those of the plug-ins that were loaded. */
export const knownChips = (): readonly ChipProfile[] => [...profiles, ...own];

/** The chips of a plug-in. @throws ConfigError with all that is wrong in a profile, or for a name that is taken */
export function chipsOf(given: readonly unknown[], from: string): ChipProfile[] {
  return given.map((entry, at) => {
    const chip = parseWhole(profileSchema, entry, `${from}: chips.${at}`);
    if (knownChips().some(({ id }) => id === chip.id)) {
      throw new ConfigError(`${from}: chips.${at}.id`, chip.id, 'a name that is not taken');
    }
    return chip;
  });
}

export function addChips(chips: readonly ChipProfile[]): void {
  own.push(...chips);
}

/** A profile by its name, or of a JSON file. @throws ConfigError naming every number that is odd, FileError */
export function profileOf(name: string): ChipProfile {
  const known = knownChips().find(({ id }) => id === name);
  if (known) return known;
  if (name.endsWith('.json')) return parseWhole(profileSchema, readJson(name), name);
  const names = knownChips().map(({ id }) => id);
  throw new ConfigError('--chip', name, `one of ${names.join(', ')}, or a profile as a .json file`);
}
