import { deflateSync, inflateSync, strFromU8, strToU8 } from 'fflate';

/** Characters of an address that a plug-in may take. */
const most = 8000;

/** What is said of a longer one. */
export const tooLong = `The plug-in takes more than ${most} characters of an address when packed: it runs, but a link does not carry it.`;

/** A text deflated, in the letters of base64url; null: it is longer than an address may be. */
export function packed(text: string): string | null {
  const letters = btoa(strFromU8(deflateSync(strToU8(text), { level: 9 }), true))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
  return letters.length > most ? null : letters;
}

/** @throws Error for letters that nobody packed */
export function unpacked(letters: string): string {
  if (letters.length > most) {
    throw new Error(`plugin: got ${letters.length} characters, expected at most ${most}`);
  }
  try {
    return strFromU8(inflateSync(strToU8(atob(letters.replaceAll('-', '+').replaceAll('_', '/')), true)));
  } catch (error) {
    throw new Error(`plugin: cannot be unpacked (${error instanceof Error ? error.message : error})`);
  }
}
