// What ends a reading well: it is accepted, or refused by an error of ours that says where.

const ours = ['ConfigError', 'FileError', 'UnsupportedError'];
/** Words of the language and not of ours: somebody was not asked before. */
const leaked =
  /cannot (read properties|set properties|convert|destructure)|is not (a function|iterable|defined)|invalid (array|typed array|string) length|offset is out/i;

/** What is wrong with an error; null where nothing is. @param where in a message: a pattern, or the name of the file */
export function faultOf(error, where) {
  const { name, message } = error ?? {};
  if (!ours.includes(name)) return `${name}: ${String(message).split('\n')[0].slice(0, 200)}`;
  const lines = message.split('\n');
  // Some say all that is wrong at once, a line each with its path.
  const odd = lines.slice(1).some((line) => !/^\S.*: got /.test(line));
  if (odd || /[\r\0]/.test(message)) return `more than a line: ${JSON.stringify(message).slice(0, 200)}`;
  if (leaked.test(message)) return `words of the language: ${message.slice(0, 200)}`;
  const says =
    typeof where === 'string'
      ? message.includes(where) || name === 'ConfigError'
      : lines.every((line) => where.test(line));
  return says ? null : `does not say where: ${message.slice(0, 200)}`;
}

/** @returns {{ outcome: 'refused' | 'accepted' | 'fault', fault?: string }} */
export function outcomeOf(action, where) {
  try {
    action();
    return { outcome: 'accepted' };
  } catch (error) {
    return refusal(error, where);
  }
}

export function refusal(error, where) {
  const fault = faultOf(error, where);
  const crashed = /crashed HDF5/.test(error?.message);
  return fault === null ? { outcome: crashed ? 'crashed HDF5' : 'refused', crashed } : { outcome: 'fault', fault };
}
