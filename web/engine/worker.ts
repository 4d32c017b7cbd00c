import { z } from 'zod';
import { catalogue as builtIn, type Catalogue, givenFiles, loadKernels, loadTaskFiles } from '../../src/browser.ts';
import { chosenOf, experimentOf, listsOf } from './choice.ts';
import { findFiles } from './files.ts';
import { offerOf } from './offer.ts';
import { withPlugin } from './plugin.ts';
import type { Answer, Choice, Failure, Files, GivenFile, Request, TimeUnit, Watch } from './protocol.ts';
import { createSession, type Session } from './session.ts';

// Schemas are read as they are: a page's rules forbid code that is made from text.
z.config({ jitless: true });

/** Length of a slice of training between two looks at the messages, ms. */
const sliceMs = 12;
/** Shares of the worker's time that may go into frames, and into trials that are done again step by step. */
const shares = { frame: 0.07, replay: 0.07 };
/** A trial that takes longer to do again would hold up the others: it is shown when training rests, ms. */
const longestReplayMs = 250;

let catalogue: Catalogue = builtIn;
let session: Session | null = null;
let watch: Watch = { cells: true, weights: null, synapse: null };
/** Points of the curve that the page has; null: no frame is asked for. */
let asked: number | null = null;
/** Amount at which training stops; null: it rests. */
let until: number | null = null;
const spent = { total: 0, frame: 0, replay: 0 };
/** What the last replay took, the first one of a run apart, which builds its networks. */
let replayMs = 0;
let first = true;

const turns = new MessageChannel();
const answer = (message: Answer, transfer: Transferable[] = []) => postMessage(message, { transfer });

self.onmessage = ({ data }: MessageEvent<Request>) => {
  void attempt(() => take(data));
};
turns.port1.onmessage = () => {
  void attempt(turn);
};

async function attempt(action: () => void | Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    until = null;
    answer({ type: 'failed', failure: failureOf(error) });
  }
}

function failureOf(error: unknown): Failure {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return { name, message };
}

async function take(request: Request): Promise<void> {
  switch (request.type) {
    case 'load':
      await loadKernels(request.kernels);
      if (request.plugin !== null) catalogue = await withPlugin(builtIn, request.plugin);
      answer({ type: 'loaded', lists: listsOf(catalogue) });
      break;
    case 'open':
      await open(request.choice, request.files);
      break;
    case 'offer':
      offer(request.file, request.timeUnit);
      break;
    case 'watch':
      watch = request.watch;
      break;
    case 'play':
      if (!session) break;
      until = request.until ?? Number.POSITIVE_INFINITY;
      next();
      break;
    case 'pause':
      rest();
      break;
    case 'frame':
      asked = request.points;
      // A page that rests sees the trial that comes next, step by step.
      if (until === null) show(true);
      break;
    case 'advance':
      session?.trial();
      rest();
      break;
    case 'checkpoint':
      if (session) answer({ type: 'checkpoint', bytes: session.experiment.checkpoint() });
      break;
    default:
      request satisfies never;
  }
}

/** Opens a run; where files of it are missing it says which. */
async function open(choice: Choice, files: Files): Promise<void> {
  until = null;
  session = null;
  first = true;
  replayMs = 0;
  Object.assign(spent, { total: 0, frame: 0, replay: 0 });
  const chosen = chosenOf(choice, catalogue);
  const found = findFiles(chosen, catalogue, files);
  answer({ type: 'reads', files: found.files, missing: found.missing });
  if (found.missing.length > 0) return;
  await loadTaskFiles(chosen, found.catalogue);
  session = createSession(
    experimentOf(choice, found.catalogue),
    found.catalogue,
    () => performance.now(),
    (message) => answer({ type: 'warning', message }),
  );
  answer({ type: 'opened', info: session.info });
}

function offer(file: GivenFile, timeUnit: TimeUnit | null): void {
  try {
    answer({ type: 'offered', offer: offerOf(file.name, givenFiles([file]), timeUnit) });
  } catch (error) {
    // The run that is open goes on.
    answer({ type: 'offered', offer: failureOf(error) });
  }
}

const next = () => turns.port2.postMessage(null);

function rest(): void {
  until = null;
  if (session) answer({ type: 'rests', amount: session.amount, ended: session.ended, evaluation: session.evaluation });
}

/** A slice of training, then a frame where the page can draw one and its share of the time is not used up. */
function turn(): void {
  if (until === null || !session) return;
  const begin = performance.now();
  let going = session.amount < until && session.trial();
  while (going && session.amount < until && performance.now() - begin < sliceMs) going = session.trial();
  spent.total += performance.now() - begin;
  if (asked !== null) {
    const replayed = watch.cells && replayMs <= longestReplayMs && spent.replay <= shares.replay * spent.total;
    if (replayed || spent.frame <= shares.frame * spent.total) show(replayed);
  }
  if (!going || session.amount >= until) rest();
  else next();
}

function show(replayed: boolean): void {
  if (!session || asked === null) return;
  const begin = performance.now();
  const frame = (replayed ? session.replay(watch, asked) : null) ?? session.frame(watch, asked);
  asked = null;
  answer({ type: 'frame', frame, replayed });
  const took = performance.now() - begin;
  if (replayed) replayMs = first ? 0 : took;
  first = false;
  // What is looked at while training rests takes nothing from it.
  if (until === null) return;
  spent.total += took;
  spent[replayed ? 'replay' : 'frame'] += took;
}
