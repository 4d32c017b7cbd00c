import { FileError } from '../core/errors.ts';
import type { ByteSource } from '../core/files.ts';
import { blocksOf, partOf } from './source.ts';

/** Lines of numbers with separators between them: commas, semicolons, tabs or blanks. Quotes stand around names only. */
export interface TextTable {
  readonly path: string;
  /** Names of the columns; null where the file has none. */
  readonly names: readonly string[] | null;
  /** Columns of a line. */
  readonly width: number;
  /** Bytes before the first line of numbers. */
  readonly start: number;
  /** Bytes in all. */
  readonly end: number;
  /**
   * The lines between two places of the file. @param columns those that are numbers, in the order wanted
   * @param from, to bytes at which lines begin
   */
  rows(columns: readonly number[], from: number, to: number): Generator<TextRow, void>;
}

export interface TextRow {
  /** Byte at which the line begins, and that behind it. */
  readonly at: number;
  readonly end: number;
  /** Number of the line in the file, from 1 on, where the file is read from its beginning; else 0. */
  readonly line: number;
  readonly values: readonly number[];
}

interface Line {
  readonly at: number;
  readonly end: number;
  readonly text: string;
}

/** Bytes of a line beyond which a file is no table. */
const longestLine = 1 << 20;

/** Lines without their ends, from a byte on at which one begins. */
function* linesOf(source: ByteSource, from = 0): Generator<Line, void> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let rest = new Uint8Array(0);
  let at = from;
  for (const block of blocksOf(source, from)) {
    const bytes = new Uint8Array(rest.length + block.length);
    bytes.set(rest);
    bytes.set(block, rest.length);
    let start = 0;
    for (let end = bytes.indexOf(10, rest.length); end >= 0; end = bytes.indexOf(10, start)) {
      yield { at, end: at + end + 1 - start, text: decoder.decode(bytes.subarray(start, end)).replace(/\r$/, '') };
      at += end + 1 - start;
      start = end + 1;
    }
    rest = bytes.slice(start);
    if (rest.length > longestLine)
      throw new FileError(source.path, `is no table: ${rest.length} bytes without a new line`);
  }
  if (rest.length > 0) yield { at, end: at + rest.length, text: decoder.decode(rest).replace(/\r$/, '') };
}

const isComment = (text: string) => /^\s*([#%]|$)/.test(text);
const isNumber = (text: string) => text !== '' && Number.isFinite(Number(text));

function separatorOf(text: string): RegExp {
  for (const mark of [',', ';', '\t']) if (text.includes(mark)) return new RegExp(mark);
  return /\s+/;
}

function cut(text: string, separator: RegExp): string[] {
  return text
    .trim()
    .split(separator)
    .map((part) => part.trim());
}

function unquoted(text: string): string {
  return text.replace(/^(["'])(.*)\1$/, '$2');
}

/**
 * Looks at the beginning of a file. Names are the first line that is no comment, where a part of it is no number, or else the last
 * comment before the numbers that has as many parts as they, none a number (np.savetxt with a header).
 * @throws FileError for a file without a line of numbers, or of something else than text
 */
export function openText(source: ByteSource): TextTable {
  const { path } = source;
  let comment: string | null = null;
  let names: string[] | null = null;
  for (const { at, text } of linesOf(source)) {
    if (/[\0\ufffd]/.test(text)) throw new FileError(path, 'is no text of numbers');
    const clean = text.replace(/^\ufeff/, '');
    if (isComment(clean)) {
      if (clean.trim() !== '') comment = clean;
      continue;
    }
    const separator = separatorOf(clean);
    const parts = cut(clean, separator);
    if (names === null && !parts.some(isNumber)) {
      names = parts.map(unquoted);
      continue;
    }
    names ??= namesIn(comment, parts.length);
    if (names && names.length !== parts.length) {
      throw new FileError(
        path,
        `has ${names.length} names of columns (${names.join(', ')}) and ${parts.length} columns`,
      );
    }
    return tableOf(source, separator, { names, width: parts.length, start: at });
  }
  throw new FileError(path, 'holds no line of numbers');
}

function namesIn(comment: string | null, width: number): string[] | null {
  if (comment === null) return null;
  const text = comment.replace(/^\s*[#%]+/, '').trim();
  const parts = cut(text, separatorOf(text)).map(unquoted);
  return parts.length === width && !parts.some(isNumber) ? parts : null;
}

function tableOf(
  source: ByteSource,
  separator: RegExp,
  shape: Pick<TextTable, 'names' | 'width' | 'start'>,
): TextTable {
  const { path, size } = source;
  const { names, width, start } = shape;
  return {
    path,
    ...shape,
    end: size,
    *rows(columns, from, to) {
      const whole = from === start && to === size;
      let line = 0;
      const lines = whole ? linesOf(source) : shifted(linesOf(partOf(source, path, from, to - from)), from);
      for (const { at, end, text } of lines) {
        line++;
        if (at < from || isComment(text)) continue;
        const place = whole ? `line ${line}` : `byte ${at}`;
        const parts = cut(text, separator);
        if (parts.length !== width)
          throw new FileError(path, `${place}: got ${parts.length} columns, expected ${width}`);
        const values = columns.map((column) =>
          numberIn(parts[column], path, `${place}, column ${names?.[column] ?? column}`),
        );
        yield { at, end, line: whole ? line : 0, values };
      }
    },
  };
}

function* shifted(lines: Iterable<Line>, by: number): Generator<Line, void> {
  for (const { at, end, text } of lines) yield { at: at + by, end: end + by, text };
}

function numberIn(text: string, path: string, place: string): number {
  if (isNumber(text)) return Number(text);
  throw new FileError(path, `${place}: got "${text.slice(0, 40)}", expected a number`);
}
