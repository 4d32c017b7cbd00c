import { readdirSync, readFileSync } from 'node:fs';

/** Notes the packages that a bundle takes something of. */
export const noticing = (packages) => ({
  name: 'notices',
  moduleParsed({ id }) {
    const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1];
    if (name) packages.add(name);
  },
});

/** Their licences ask to be where they are. */
export const noticesOf = (packages) =>
  [...packages]
    .sort()
    .map((name) => `/*! ${name}\n\n${licenceOf(name)}\n*/\n`)
    .join('');

function licenceOf(name) {
  const file = readdirSync(`node_modules/${name}`).find((one) => /^licen[cs]e/i.test(one));
  if (!file) throw new Error(`${name} has no licence to go with what is taken of it`);
  return readFileSync(`node_modules/${name}/${file}`, 'utf8').trim();
}
