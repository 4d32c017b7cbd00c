import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Book, openBook } from './book.ts';
import { admitted, newToken } from './doors.ts';
import { lookAt } from './look.ts';
import type { LiveRun, LiveUpdate } from './protocol.ts';

/** A dashboard that answers. */
export interface Dashboard {
  /** With its token: whoever has it can look. */
  readonly url: string;
  close(): Promise<void>;
}

export interface DashboardOptions {
  /** 0, which is the default: any that is free. */
  readonly port?: number;
  /** Between two looks at the files, ms. */
  readonly everyMs?: number;
}

/** Pages that look on at the same time; one more is refused. */
const mostClients = 16;
/** A line of no meaning keeps a connection open, ms. */
const aliveMs = 15_000;

const pages: Readonly<Record<string, { readonly file: string; readonly type: string }>> = {
  '/': { file: 'dashboard.html', type: 'text/html; charset=utf-8' },
  '/dashboard.js': { file: 'dashboard.js', type: 'text/javascript; charset=utf-8' },
  '/dashboard.css': { file: 'dashboard.css', type: 'text/css; charset=utf-8' },
};

const safety = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** What a page has been told of a run. */
interface Told {
  readonly changes: number;
  readonly version: number;
  readonly points: number;
}

/** A page that looks on. */
export interface Client {
  readonly response: Pick<ServerResponse, 'writableLength' | 'write'>;
  readonly told: Map<string, Told>;
  heardMs: number;
}

/** Serves the runs at and below a folder to pages of this machine: loopback only, with a token in the address. It writes nothing. */
export async function openDashboard(folder: string, options: DashboardOptions = {}): Promise<Dashboard> {
  const { port: wanted = 0, everyMs = 300 } = options;
  const token = newToken();
  const book = openBook(folder);
  const clients = new Set<Client>();
  let port = 0;
  const server = createServer({ maxHeaderSize: 8192, requestTimeout: 10_000 }, (request, response) => {
    const path = admitted(request, port, token);
    if (!path) refuse(response, 403, 'refused');
    else answer(path, request, response, book, clients);
  });
  server.on('clientError', (_, socket) => socket.destroy());
  server.maxConnections = 64;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(wanted, '127.0.0.1', resolve);
  });
  port = (server.address() as AddressInfo).port;
  const timer = setInterval(() => {
    if (clients.size === 0) return;
    book.turn();
    for (const client of clients) tellClient(client, book);
  }, everyMs);
  return {
    url: `http://127.0.0.1:${port}/${token}/`,
    async close() {
      clearInterval(timer);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(
  { pathname, searchParams }: URL,
  request: IncomingMessage,
  response: ServerResponse,
  book: Book,
  clients: Set<Client>,
): void {
  const page = Object.hasOwn(pages, pathname) ? pages[pathname] : null;
  if (page) {
    response.writeHead(200, { ...safety, 'content-type': page.type });
    response.end(readFileSync(new URL(`./pages/${page.file}`, import.meta.url)));
  } else if (pathname === '/events') admit(request, response, book, clients);
  else if (pathname === '/look') look(searchParams.get('run') ?? '', response, book);
  else refuse(response, 404, 'no such page');
}

function refuse(response: ServerResponse, code: number, why: string): void {
  response.writeHead(code, { ...safety, 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
  response.end(`${why}\n`);
}

/** Server-sent events: a browser that loses the connection asks again, and is told everything anew. */
function admit(request: IncomingMessage, response: ServerResponse, book: Book, clients: Set<Client>): void {
  if (clients.size >= mostClients) {
    refuse(response, 503, `${mostClients} pages look on already`);
    return;
  }
  response.writeHead(200, { ...safety, 'content-type': 'text/event-stream' });
  response.write('retry: 1000\n\n');
  const client: Client = { response, told: new Map(), heardMs: performance.now() };
  clients.add(client);
  request.on('close', () => clients.delete(client));
  response.on('error', () => clients.delete(client));
  book.turn();
  tellClient(client, book);
}

/** Tells a page what has changed for it. One that has not taken the last update yet gets none: it is told all at once later. */
export function tellClient(client: Client, book: Pick<Book, 'runs'>): void {
  const { response, told } = client;
  if (response.writableLength > 0) return;
  const runs: LiveRun[] = [];
  for (const [id, { state, curve, changes }] of book.runs) {
    const known = told.get(id);
    if (known?.changes === changes) continue;
    const points = known?.version === curve.version ? known.points : 0;
    runs.push({ ...state, curve: curve.from(points) });
    told.set(id, { changes, version: curve.version, points: curve.length });
  }
  const gone = [...told.keys()].filter((id) => !book.runs.has(id));
  for (const id of gone) told.delete(id);
  const now = performance.now();
  if (runs.length > 0 || gone.length > 0) {
    response.write(`data: ${JSON.stringify({ runs, gone } satisfies LiveUpdate)}\n\n`);
    client.heardMs = now;
  } else if (now - client.heardMs > aliveMs) {
    response.write(': here\n\n');
    client.heardMs = now;
  }
}

/** Runs are asked for by the names that they were told under, so that no path leads out of the folder. */
function look(id: string, response: ServerResponse, book: Book): void {
  const run = book.runs.get(id);
  if (!run) {
    refuse(response, 404, 'no such run');
    return;
  }
  try {
    const text = JSON.stringify(lookAt(id, run.folder));
    response.writeHead(200, { ...safety, 'content-type': 'application/json' });
    response.end(text);
  } catch (error) {
    refuse(response, 422, error instanceof Error ? error.message : String(error));
  }
}
