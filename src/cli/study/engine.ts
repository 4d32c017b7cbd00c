import { join } from 'node:path';
import { ConfigError, DivergenceError, LockedError, UnsupportedError } from '../../core/errors.ts';
import { meritOf } from '../../core/merit.ts';
import { ownScores } from '../../core/network.ts';
import { inMebibytes } from '../../core/units.ts';
import { createExperiment } from '../../experiment/experiment.ts';
import { METRICS_CSV, readMetrics } from '../../record/index.ts';
import { assertMeasures, higherIsBetter, meritName } from '../../study/measures.ts';
import { type Cell, experimentOf, type PlannedRun, runName } from '../../study/plan.ts';
import type { StopRule } from '../../study/schema.ts';
import { judged, type Patience } from '../../study/stop.ts';
import type { State } from '../../study/table.ts';
import { catalogue } from '../catalogue.ts';
import { threadBytes } from '../commands/run.ts';
import { type Job, loadParts } from '../execute.ts';
import { type Lane, type Outcome, openLane } from '../pool.ts';
import { isRunFolder } from '../runFolder.ts';
import { folderOf, lookAt, noteFailure, type OpenStudy, type PlannedStudy } from './folder.ts';

export interface EngineOptions {
  /** Runs at a time. */
  readonly threads: number;
  /** Bytes that all runs may take together. */
  readonly memory: number;
  /** Set by the caller to stop all runs at their next trial border. */
  readonly stop: Int32Array;
  /** Whether runs that would fail again are tried again. */
  readonly retry: boolean;
  /** Told when a run has ended in this process, or was found ended. */
  readonly ended?: (run: PlannedRun, outcome: Outcome | null, state: State) => void;
}

/** What a cell's network asks for, and by what it is scored. */
export interface Needs {
  /** Bytes of a run, its thread included. */
  readonly bytes: number;
  /** Name of the score that `merit` stands for. */
  readonly merit: string;
  /** Symbols or trials. */
  readonly total: number;
}

/** Builds a cell's network once and throws it away. @throws ConfigError, UnsupportedError where it cannot be built */
export async function needsOf({ study }: PlannedStudy, cell: Cell, memory: number): Promise<Needs> {
  const experiment = experimentOf(study.base, study, { cell, seed: 1, name: cell.name }, catalogue);
  await loadParts([{ folder: '', experiment }], () => {});
  const { memoryMb } = study.resources;
  const stated = memoryMb === undefined ? undefined : memoryMb * 2 ** 20;
  const made = createExperiment(experiment, catalogue, { maxBytes: memory });
  made.close();
  const { spec } = made.run.network;
  assertMeasures(study, ownScores(spec));
  const merit = meritOf(made.task, spec).measure;
  return { bytes: stated ?? made.memory.total + threadBytes, merit, total: made.config.training.total };
}

const ends: readonly State[] = ['done', 'hopeless', 'failed'];
/** Between two looks at a run that another process has, ms: the first one, and the longest. */
const shortWait = 100;
const longWait = 5000;

/** A run that somebody else has, and when to look again. */
interface Held {
  wait: number;
  until: number;
}

/**
 * Brings runs of a study to their end: those that are waiting, and those of other processes should these die. No failure ends
 * the rest. The bytes of what runs side by side never add up to more than there are.
 * @returns the state that each run ended in; 'waiting' for those that were stopped
 */
export async function runPlanned(
  opened: OpenStudy,
  asked: readonly PlannedRun[],
  options: EngineOptions,
): Promise<Map<string, State>> {
  const engine = new Engine(opened, withControls(opened, asked), options);
  const lanes = Math.max(1, Math.min(options.threads, asked.length));
  await Promise.all(Array.from({ length: lanes }, () => engine.work(openLane(lanes > 1, options.stop))));
  return engine.states;
}

/** The controls of runs come first. */
function withControls({ plan }: OpenStudy, asked: readonly PlannedRun[]): PlannedRun[] {
  const byName = new Map(plan.runs.map((run) => [run.name, run]));
  const controls = asked.flatMap(({ cell, seed }) =>
    cell.controls.flatMap((control) => (control === null ? [] : (byName.get(runName(control, seed)) ?? []))),
  );
  return [...new Set([...controls, ...asked])];
}

interface Taken {
  readonly run: PlannedRun;
  readonly needs: Needs;
}

class Engine {
  readonly states = new Map<string, State>();
  readonly #open: Set<PlannedRun>;
  readonly #held = new Map<string, Held>();
  /** Asked for once for every cell, and what is known by now. */
  readonly #needs = new Map<string, Promise<Needs>>();
  readonly #known = new Map<string, Needs>();
  readonly #opened: OpenStudy;
  readonly #options: EngineOptions;
  /** Lanes that have no run now. */
  readonly #resting = new Set<Lane>();
  #used = 0;
  #running = 0;
  #wake: (() => void)[] = [];

  constructor(opened: OpenStudy, runs: readonly PlannedRun[], options: EngineOptions) {
    this.#opened = opened;
    this.#options = options;
    this.#open = new Set(runs);
    for (const { name } of runs) this.states.set(name, 'waiting');
  }

  /** One run after the other, until none is left. */
  async work(lane: Lane): Promise<void> {
    this.#resting.add(lane);
    try {
      while (!this.#isStopped() && this.#open.size + this.#running > 0) {
        const next = await this.#next(lane);
        if (next) await this.#execute(next.run, next.needs, lane);
        else await this.#pause();
      }
    } finally {
      this.#resting.delete(lane);
      lane.close();
      this.#wakeAll();
    }
  }

  #isStopped(): boolean {
    return Atomics.load(this.#options.stop, 0) === 1;
  }

  /** The first run that nobody has, whose controls are known, and for which there is memory. */
  async #next(lane: Lane): Promise<Taken | null> {
    for (const run of this.#open) {
      if (this.#isStopped()) return null;
      const held = this.#held.get(run.name);
      if (held && performance.now() < held.until) continue;
      try {
        const taken = await this.#tryToTake(run, lane);
        if (taken) return taken;
      } catch (error) {
        this.#fail(run, error as Error);
      }
    }
    return null;
  }

  async #tryToTake(run: PlannedRun, lane: Lane): Promise<Taken | null> {
    const known = this.#known.get(run.cell.name);
    if (known && this.#running > 0 && !this.#fits(known.bytes, lane)) return null;
    const { state, failure } = lookAt(folderOf(this.#opened, run));
    if (state === 'done' || state === 'hopeless' || (state === 'failed' && failure?.lasting && !this.#options.retry)) {
      this.#end(run, state, null);
      return null;
    }
    if (state === 'running') {
      this.#postpone(run);
      return null;
    }
    if (!this.#knowsControls(run)) return null;
    if (this.#fits(threadBytes, lane)) lane.wake();
    const needs = await this.#needsOf(run.cell);
    // While its network was built, another lane may have taken it.
    if (!this.#open.has(run)) return null;
    if (!this.#fits(needs.bytes, lane)) {
      if (this.#running > 0) return null;
      const there = inMebibytes(this.#options.memory);
      throw new UnsupportedError(`needs ${inMebibytes(needs.bytes)}, ${there} are there: more --memory`);
    }
    return this.#take(run, needs, lane);
  }

  /** Whether there is memory for what a lane wants, its thread included. Threads of other lanes that only wait are ended where it lacks. */
  #fits(bytes: number, lane: Lane): boolean {
    const waiting = [...this.#resting].filter((other) => other !== lane && other.hasThread());
    const room = this.#options.memory - this.#used - bytes;
    if (room < 0) return false;
    for (const other of waiting.slice(Math.floor(room / threadBytes))) other.close();
    return true;
  }

  #take(run: PlannedRun, needs: Needs, lane: Lane): Taken {
    this.#open.delete(run);
    this.#resting.delete(lane);
    this.#used += needs.bytes;
    this.#running++;
    return { run, needs };
  }

  async #needsOf(cell: Cell): Promise<Needs> {
    const asked = this.#needs.get(cell.name) ?? needsOf(this.#opened, cell, this.#options.memory);
    this.#needs.set(cell.name, asked);
    const needs = await asked;
    this.#known.set(cell.name, needs);
    return needs;
  }

  async #execute(run: PlannedRun, needs: Needs, lane: Lane): Promise<void> {
    try {
      const job = this.#jobOf(run, needs);
      const outcome = await lane.attempt(job, needs.bytes, () => {});
      if ('error' in outcome) {
        if (outcome.error instanceof LockedError) {
          this.#open.add(run);
          this.#postpone(run);
        } else this.#fail(run, outcome.error);
        return;
      }
      noteFailure(job.folder, null);
      const { complete, hopeless } = outcome.result;
      this.#end(run, complete ? 'done' : hopeless ? 'hopeless' : 'waiting', outcome);
    } catch (error) {
      this.#fail(run, error as Error);
    } finally {
      this.#used -= needs.bytes;
      this.#running--;
      this.#resting.add(lane);
      this.#wakeAll();
    }
  }

  #jobOf(run: PlannedRun, needs: Needs): Job {
    const { study } = this.#opened;
    return {
      folder: folderOf(this.#opened, run),
      experiment: experimentOf(study.base, study, run, catalogue),
      goOn: true,
      threads: study.resources.threads,
      patience: study.stop.flatMap((rule, n) => this.#patienceOf(rule, run, run.cell.controls[n], needs) ?? []),
    };
  }

  /** Null where the control of a rule ended before it could be measured. */
  #patienceOf(rule: StopRule, run: PlannedRun, control: string | null, needs: Needs): Patience | null {
    const measure = rule.measure === meritName ? needs.merit : rule.measure;
    const { after, over, worseThan } = rule;
    if (typeof worseThan === 'number') return { after, over, measure, limit: worseThan };
    if (control === null) return null;
    const folder = join(this.#opened.folder, runName(control, run.seed));
    if (!isRunFolder(folder)) return null;
    const rows = readMetrics(join(folder, METRICS_CSV)).flatMap((row) => (row.type === 'trial' ? [row] : []));
    const seen = judged(rows, needs.total, { after, over, measure });
    return seen && { after, over, measure, limit: seen.value + (higherIsBetter(measure) ? -1 : 1) * worseThan.by };
  }

  #knowsControls({ cell, seed }: PlannedRun): boolean {
    return cell.controls.every((control) => {
      if (control === null) return true;
      const name = runName(control, seed);
      const state = this.states.get(name) ?? 'waiting';
      return ends.includes(state);
    });
  }

  #postpone({ name }: PlannedRun): void {
    const wait = Math.min(longWait, 2 * (this.#held.get(name)?.wait ?? shortWait / 2));
    this.#held.set(name, { wait, until: performance.now() + wait });
  }

  #fail(run: PlannedRun, error: Error): void {
    const lasting = error instanceof DivergenceError || error instanceof ConfigError;
    try {
      noteFailure(folderOf(this.#opened, run), { error: error.name, message: error.message, lasting });
    } catch {
      // Where nothing can be written any more, the run stays waiting for those who come later; this call still says why it failed.
    }
    this.#end(run, 'failed', { error });
  }

  #end(run: PlannedRun, state: State, outcome: Outcome | null): void {
    this.#open.delete(run);
    this.states.set(run.name, state);
    this.#options.ended?.(run, outcome, state);
  }

  /** Until a run ends here, or it is time to look at one that is held elsewhere. */
  async #pause(): Promise<void> {
    const now = performance.now();
    const times = [...this.#open].flatMap(({ name }) => this.#held.get(name)?.until ?? []);
    const wait = Math.max(10, Math.min(longWait, ...times.map((until) => until - now)));
    if (this.#open.size + this.#running === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.min(wait, 1000));
      this.#wake.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #wakeAll(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }
}
