import { FileError } from '../core/errors.ts';
import { readBytes } from '../record/index.ts';

/** A JSON file that a user named. @throws FileError where it cannot be read, or is no JSON */
export function readJson(path: string): unknown {
  const text = new TextDecoder().decode(readBytes(path));
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FileError(path, `cannot be read as JSON: ${(error as Error).message}`);
  }
}
