import type {
  Answer,
  Choice,
  Failure,
  FileName,
  Files,
  GivenFile,
  Lists,
  NeededFile,
  Offer,
  TimeUnit,
  Watch,
} from '../engine/protocol.ts';
import type { Frame, RunInfo } from '../views/types.ts';
import { openPort, type Port } from './port.ts';

/** Bytes of frames that are kept to go back to. */
const keptBytes = 48 * 2 ** 20;

/** `asking`: the run cannot be opened before files of it are there. */
export type Phase = 'loading' | 'opening' | 'asking' | 'resting' | 'playing' | 'ended' | 'failed';

/** Of a page of one side or two: it plays while any plays, and has ended when all have. */
export function phaseOf(sides: readonly Pick<Side, 'phase'>[]): Phase {
  const among = (['failed', 'loading', 'opening', 'asking', 'playing', 'resting'] as const).find((phase) =>
    sides.some((side) => side.phase === phase),
  );
  return among ?? 'ended';
}

/** One run on the page, and what it has shown so far. */
export class Side {
  phase: Phase = 'loading';
  lists: Lists | null = null;
  /** That the engine was started with, in CommonJS form. */
  plugin: string | null = null;
  info: RunInfo | null = null;
  failure: Failure | null = null;
  /** Files that the run reads, and those that it is asking for. */
  files: readonly FileName[] = [];
  needs: readonly NeededFile[] = [];
  warnings: string[] = [];
  /** The learning curve. */
  amount: number[] = [];
  score: number[] = [];
  /** Score on fresh data at the end of the training; null: not there yet. */
  evaluation: number | null = null;
  /** Frames that were shown, oldest first. */
  frames: Frame[] = [];
  /** The last frame of a trial that was done step by step. */
  detail: Frame | null = null;
  /** Frames since the run was opened. */
  count = 0;
  #bytes = 0;
  #port: Port | null = null;
  #waiting = false;
  /** Resolves when the engine is there, or has failed. */
  loaded: Promise<void> = Promise.resolve();
  #started: () => void = () => {};
  #offered: ((offer: Offer | Failure) => void) | null = null;
  #checkpoint: ((bytes: Uint8Array) => void) | null = null;
  readonly #changed: () => void;
  readonly #shown: () => void;

  /** @param changed told of everything but frames @param shown told of each frame */
  constructor(changed: () => void, shown: () => void) {
    this.#changed = changed;
    this.#shown = shown;
  }

  /** Starts the engine, with a plug-in or without. Resolves when it is there, or has failed, which leaves `lists` at null. */
  async load(plugin: string | null): Promise<void> {
    this.close();
    this.plugin = plugin;
    this.#set('loading');
    this.loaded = new Promise<void>((resolve) => {
      this.#started = resolve;
    });
    const port = await openPort(plugin, (answer) => {
      if (port === this.#port) this.#take(answer);
    });
    this.#port = port;
    await this.loaded;
  }

  open(choice: Choice, watch: Watch, files: Files = { given: [], asked: [] }): void {
    Object.assign(this, { info: null, failure: null, warnings: [], amount: [], score: [], frames: [], detail: null });
    Object.assign(this, { count: 0, evaluation: null, files: [], needs: [] });
    this.#bytes = 0;
    this.#waiting = false;
    this.#set('opening');
    this.watch(watch);
    this.#port?.post({ type: 'open', choice, files });
  }

  /** Opens nothing for now. */
  hold(): void {
    Object.assign(this, { info: null, failure: null, warnings: [], frames: [], detail: null, files: [], needs: [] });
    this.#set('asking');
  }

  watch(watch: Watch): void {
    this.#port?.post({ type: 'watch', watch });
    if (this.phase === 'resting' || this.phase === 'ended') this.#ask();
  }

  play(until: number | null): void {
    if (this.phase !== 'resting') return;
    this.#set('playing');
    this.#port?.post({ type: 'play', until });
  }

  pause(): void {
    if (this.phase === 'playing') this.#port?.post({ type: 'pause' });
  }

  /** Whether a frame is on its way. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** Trains the one trial that was looked through. */
  advance(): void {
    if (this.phase === 'resting') this.#port?.post({ type: 'advance' });
  }

  /** At the pace of the display: asks for a frame where none is on its way. */
  tick(): void {
    if (this.phase === 'playing' && !this.#waiting) this.#ask();
  }

  /** What could be trained on a file, once the engine is there. */
  offer(file: GivenFile, timeUnit: TimeUnit | null): Promise<Offer | Failure> {
    return new Promise((resolve) => {
      this.#offered = resolve;
      this.#port?.post({ type: 'offer', file, timeUnit });
    });
  }

  checkpoint(): Promise<Uint8Array> {
    return new Promise((resolve) => {
      this.#checkpoint = resolve;
      this.#port?.post({ type: 'checkpoint' });
    });
  }

  close(): void {
    this.#port?.close();
    this.#port = null;
    this.lists = null;
  }

  #set(phase: Phase): void {
    this.phase = phase;
    this.#changed();
  }

  #ask(): void {
    this.#waiting = true;
    this.#port?.post({ type: 'frame', points: this.amount.length });
  }

  #take(answer: Answer): void {
    switch (answer.type) {
      case 'loaded':
        this.lists = answer.lists;
        this.#set('opening');
        this.#started();
        break;
      case 'opened':
        this.info = answer.info;
        this.#set('resting');
        this.#ask();
        break;
      case 'reads':
        this.files = answer.files;
        this.needs = answer.missing;
        if (this.needs.length > 0) this.#set('asking');
        break;
      case 'offered':
        this.#offered?.(answer.offer);
        break;
      case 'rests':
        this.evaluation = answer.evaluation;
        this.#set(answer.ended ? 'ended' : 'resting');
        this.#ask();
        break;
      case 'frame':
        this.#waiting = false;
        this.#keep(answer.frame);
        break;
      case 'warning':
        this.warnings = [...this.warnings, answer.message].slice(-3);
        this.#changed();
        break;
      case 'checkpoint':
        this.#checkpoint?.(answer.bytes);
        break;
      case 'failed':
        this.failure = answer.failure;
        this.#set('failed');
        this.#started();
        break;
      default:
        answer satisfies never;
    }
  }

  #keep(frame: Frame): void {
    const { from, amount, score } = frame.curve;
    this.amount.length = from;
    this.score.length = from;
    for (const value of amount) this.amount.push(value);
    for (const value of score) this.score.push(value);
    // A trial that is shown again, with another synapse say, takes the place of what was shown of it.
    if (this.frames.at(-1)?.trial === frame.trial) this.#bytes -= bytesOf(this.frames.pop() as Frame);
    this.frames.push(frame);
    this.#bytes += bytesOf(frame);
    while (this.#bytes > keptBytes && this.frames.length > 1) this.#bytes -= bytesOf(this.frames.shift() as Frame);
    if (frame.membranes) this.detail = frame;
    this.count += 1;
    this.#shown();
  }
}

function bytesOf({ input, neurons, membranes, weights, steps, signals, outputs }: Frame): number {
  const lines = (membranes?.length ?? 0) + (signals?.length ?? 0) + outputs.length;
  return 8 * (input.t.length + neurons.t.length) + 4 * steps * lines + (weights?.values.byteLength ?? 0);
}
