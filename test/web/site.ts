import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
};

export interface Site {
  /** Of the page, in a folder below the root of the server. */
  readonly url: string;
  /** Bytes of the answers so far, compressed as a server would. */
  sent(): number;
  close(): void;
}

/** A plain server of files on the loopback interface, with no headers but the type. */
export async function serve(folder: string): Promise<Site> {
  let sent = 0;
  const base = '/some/folder/';
  const server: Server = createServer(({ url = '/' }, response) => {
    const path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
    const file = join(folder, path.slice(base.length), path.endsWith('/') ? 'index.html' : '');
    if (!path.startsWith(base) || !existsSync(file) || statSync(file).isDirectory()) {
      response.statusCode = 404;
      response.end();
      return;
    }
    const bytes = gzipSync(readFileSync(file));
    sent += bytes.length;
    response.setHeader('content-type', types[extname(file)] ?? 'application/octet-stream');
    response.setHeader('content-encoding', 'gzip');
    response.end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}${base}`, sent: () => sent, close: () => server.close() };
}
