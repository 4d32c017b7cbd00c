import kernelsUrl from '../../src/backends/wasm/kernels.wasm?url';
import type { Answer, Request } from '../engine/protocol.ts';
import workerUrl from '../engine/worker.ts?worker&url';

/** A worker with the engine, wherever it runs. */
export interface Port {
  post(request: Request): void;
  close(): void;
}

/** Kernels are fetched once, whoever asks. */
const kernels = fetch(kernelsUrl).then((response) => response.arrayBuffer());

/** @param plugin a module in CommonJS form, which gets a sandboxed frame; null: none */
export async function openPort(plugin: string | null, answer: (answer: Answer) => void): Promise<Port> {
  const port = plugin === null ? openWorker(answer) : await openFrame(answer);
  port.post({ type: 'load', kernels: await kernels, plugin });
  return port;
}

function openWorker(answer: (answer: Answer) => void): Port {
  const worker = new Worker(workerUrl, { type: 'module' });
  worker.onmessage = ({ data }: MessageEvent<Answer>) => answer(data);
  worker.onerror = ({ message }) => answer({ type: 'failed', failure: { name: 'Error', message } });
  return { post: (request) => worker.postMessage(request), close: () => worker.terminate() };
}

/** The frame has no origin, so it cannot load the engine: it is given its text. */
async function openFrame(answer: (answer: Answer) => void): Promise<Port> {
  const text = await fetch(workerUrl).then((response) => response.text());
  const frame = document.createElement('iframe');
  frame.setAttribute('sandbox', 'allow-scripts');
  frame.title = 'plug-in';
  frame.hidden = true;
  const ready = new Promise<void>((resolve) => {
    const listen = ({ source }: MessageEvent) => {
      if (source !== frame.contentWindow) return;
      removeEventListener('message', listen);
      resolve();
    };
    addEventListener('message', listen);
  });
  frame.src = new URL('./plugin.html', document.baseURI).href;
  document.body.append(frame);
  await ready;
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }: MessageEvent<Answer>) => answer(data);
  // A module of a blob has no address that others could be beside.
  const home = JSON.stringify(new URL(workerUrl, document.baseURI).href);
  frame.contentWindow?.postMessage(text.replaceAll('import.meta.url', home), '*', [port2]);
  return {
    post: (request) => port1.postMessage(request),
    close() {
      port1.close();
      frame.remove();
    },
  };
}
