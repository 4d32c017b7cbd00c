import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** 256 bits that only the address which is printed has. */
export const newToken = (): string => randomBytes(32).toString('base64url');

const digest = (text: string) => createHash('sha256').update(text).digest();

/** Whether two texts are the same, in a time that does not tell where they part. */
export const sameSecret = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));

/**
 * Whether a request comes from this machine's own page. A name that was made to point at 127.0.0.1 by others (DNS rebinding) is not the host that
 * we have; a page of another origin says so; the token is in the path. @returns the rest of the path; null: refused
 */
export function admitted(
  { url = '', headers, method }: Pick<IncomingMessage, 'url' | 'headers' | 'method'>,
  port: number,
  token: string,
): URL | null {
  const own = `127.0.0.1:${port}`;
  const { host, origin } = headers;
  const site = headers['sec-fetch-site'];
  if (method !== 'GET' || host !== own) return null;
  if (origin !== undefined && origin !== `http://${own}`) return null;
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return null;
  const [, given = '', rest] = /^\/([^/]*)\/(.*)$/.exec(url) ?? [];
  if (rest === undefined || !sameSecret(given, token)) return null;
  try {
    return new URL(rest, `http://${own}/`);
  } catch {
    return null;
  }
}
