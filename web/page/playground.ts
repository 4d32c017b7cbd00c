import type { Files, GivenFile, NeededFile, Offer, TimeUnit, Watch } from '../engine/protocol.ts';
import type { SynapseName } from '../views/types.ts';
import { choicesOf, first, fromHash, type Setup, toHash } from './address.ts';
import { flush, redrawAll } from './drawing.tsx';
import { type Earlier, readEarlier, withRun, writeEarlier } from './earlier.ts';
import { isExperiment, readGiven } from './given.ts';
import { packed, tooLong } from './packed.ts';
import { movedBy, nowhere, type Position } from './position.ts';
import { type Phase, phaseOf, Side } from './side.ts';

/** Views of what only a trial that is done again step by step shows. */
const stepwise = ['signals', 'membranes', 'traces', 'synapse'];

/** A plug-in as it was typed, and in CommonJS form. */
export interface UsedPlugin {
  readonly text: string;
  readonly code: string;
}

const withExperiment = (setup: Setup, experiment: unknown): Setup => ({
  ...setup,
  experiment,
  rule: null,
  neuron: null,
  chip: null,
  settings: [],
  files: [],
});

/** An experiment that takes other files of the same names. */
function withoutHashes(experiment: unknown): unknown {
  if (typeof experiment !== 'object' || experiment === null || !('task' in experiment)) return experiment;
  return { ...experiment, task: { ...(experiment.task as object), sha256: null } };
}

/** What the page is about: its runs, where it stands in them, and what it looks at. */
export class Playground {
  setup: Setup = first;
  position: Position = nowhere;
  synapse: SynapseName | null = null;
  /** The projection whose weights are shown. */
  projection: string | null = null;
  earlier: readonly Earlier[] = readEarlier();
  /** Data files of this session, by name. */
  readonly given = new Map<string, GivenFile>();
  /** What could be trained on a file that came alone. */
  offer: Offer | null = null;
  /** What could not be taken; empty: nothing. */
  problem = '';
  readonly #sides: readonly Side[];
  readonly #visible = new Set<string>();
  readonly #changed: () => void;
  #watch = '';
  #phase: Phase = 'loading';
  /** The plug-in that the user has said may run. */
  #used: UsedPlugin | null = null;
  /** How often a setup was opened. */
  #opened = 0;
  /** Play was pressed before the engine was there. */
  #eager = false;

  /** @param changed told of everything but frames */
  constructor(changed: () => void) {
    this.#changed = changed;
    const follow = () => this.#follow();
    this.#sides = [new Side(follow, redrawAll), new Side(follow, redrawAll)];
  }

  /** The runs that are shown: one, or two side by side. */
  get shown(): readonly Side[] {
    return this.#sides.slice(0, choicesOf(this.setup).length);
  }

  get main(): Side {
    return this.#sides[0];
  }

  get phase(): Phase {
    return phaseOf(this.shown);
  }

  /** The files that the runs ask for. */
  get needs(): readonly NeededFile[] {
    return [...new Map(this.shown.flatMap(({ needs }) => needs.map((file) => [file.name, file]))).values()];
  }

  /** Whether the address brought a plug-in that the user has not said may run: until then nothing does. */
  get held(): boolean {
    const { plugin } = this.setup;
    return plugin !== null && plugin !== this.#used?.text;
  }

  /** Runs what the setup says with a plug-in, or without. */
  use(plugin: UsedPlugin | null): void {
    this.#used = plugin;
    this.change({ ...this.setup, plugin: plugin?.text ?? null });
  }

  /** Opens what the address says, and follows the display. */
  start(): void {
    this.visit();
    const tick = () => {
      for (const side of this.#sides) side.tick();
      flush();
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  /** Opens what the address says now. */
  visit(): void {
    try {
      this.change(fromHash(location.hash));
    } catch (error) {
      this.change(first);
      this.#report('The address', error);
    }
  }

  /** Keeps the curves so far, and begins anew. */
  change(setup: Setup): void {
    this.#keep();
    Object.assign(this, { setup, position: nowhere, synapse: null, problem: '', offer: null });
    this.#eager = false;
    this.#opened += 1;
    const opened = this.#opened;
    const plugin = setup.plugin === this.#used?.text ? this.#used.code : null;
    const files: Files = { given: [...this.given.values()], asked: setup.files };
    history.replaceState(null, '', toHash(setup));
    if (setup.plugin !== null && packed(setup.plugin) === null) this.problem = tooLong;
    choicesOf(setup).forEach(async (choice, n) => {
      const side = this.#sides[n];
      if (side.plugin !== plugin || side.lists === null) await side.load(plugin);
      if (this.held) side.hold();
      else if (side.lists !== null && this.#opened === opened) side.open(choice, this.#watched(), files);
    });
    this.#shown();
  }

  play(): void {
    this.go(nowhere);
    this.#eager = this.phase === 'loading' || this.phase === 'opening';
    for (const side of this.shown) side.play(this.setup.until);
  }

  pause(): void {
    this.#eager = false;
    for (const side of this.shown) side.pause();
  }

  /** One step on or back; behind the last one the next trial is trained. While it plays: stop. */
  move(by: 1 | -1): void {
    const moved = movedBy(this.main.frames, this.position, by);
    if (this.phase === 'playing') this.pause();
    else if (this.shown.some(({ waiting }) => waiting)) return;
    else if (moved) this.go(moved);
    else if (by === 1 && this.phase === 'resting') {
      for (const side of this.shown) side.advance();
      this.go({ back: 0, t: 0 });
    }
  }

  go(position: Position): void {
    this.position = position;
    this.#shown();
  }

  choose(synapse: SynapseName | null): void {
    this.synapse = synapse;
    this.#look();
  }

  show(projection: string): void {
    this.projection = projection;
    this.#look();
  }

  /** @param view of one side, by its name */
  seen(view: string, visible: boolean): void {
    if (visible) this.#visible.add(view);
    else this.#visible.delete(view);
    this.#look();
  }

  /** An experiment of one's own, data of one's own, or both. Data alone are given to the run that reads them, or else considered. */
  async take(files: readonly File[]): Promise<void> {
    let { setup } = this;
    let latest: GivenFile | null = null;
    for (const file of files) {
      try {
        if (isExperiment(file)) setup = withExperiment(this.setup, JSON.parse(await file.text()));
        else {
          latest = await readGiven(file);
          this.given.set(latest.name, latest);
        }
      } catch (error) {
        this.#report(file.name, error);
        return;
      }
    }
    if (setup !== this.setup || (latest && this.#reads(latest.name))) this.change(setup);
    else if (latest) await this.consider(latest.name, null);
  }

  /** Asks what could be trained on a file that was given. @param timeUnit of its times; null: as it says */
  async consider(name: string, timeUnit: TimeUnit | null): Promise<void> {
    await this.main.loaded;
    const file = this.given.get(name);
    if (!file || this.main.lists === null) return;
    this.problem = '';
    const offer = await this.main.offer(file, timeUnit);
    if ('experiment' in offer) this.offer = offer;
    else this.problem = `${offer.name}: ${offer.message}`;
    this.#shown();
  }

  /** Opens what was offered. */
  accept(): void {
    if (this.offer) this.change(withExperiment(this.setup, this.offer.experiment));
  }

  decline(): void {
    this.offer = null;
    this.#shown();
  }

  /** Opens the runs on the files that were given, though they were made with others. */
  acceptOthers(): void {
    const { experiment } = this.setup;
    this.change({ ...this.setup, files: [], experiment: withoutHashes(experiment) });
  }

  #reads(name: string): boolean {
    return this.shown.some(({ files }) => files.some((file) => file.name === name));
  }

  /** Removes an earlier run. */
  forget(label: string): void {
    this.#store(this.earlier.filter((run) => run.label !== label));
    this.#shown();
  }

  #report(what: string, error: unknown): void {
    this.problem = `${what}: ${error instanceof Error ? error.message : error}`;
    this.#shown();
  }

  #watched(): Watch {
    const inSight = (view: string) => this.shown.some((_, n) => this.#visible.has(`${n} ${view}`));
    const weights = inSight('weights') ? this.projection : null;
    return { cells: stepwise.some(inSight), weights, synapse: this.synapse };
  }

  /** Tells the workers what is looked at, where that is something else than before. */
  #look(): void {
    const watch = this.#watched();
    const text = JSON.stringify(watch);
    if (text !== this.#watch) for (const side of this.shown) side.watch(watch);
    this.#watch = text;
    this.#shown();
  }

  #keep(): void {
    const hash = toHash(this.setup);
    this.#store(this.shown.reduce<readonly Earlier[]>((runs, side) => withRun(runs, side, hash), this.earlier));
  }

  #store(runs: readonly Earlier[]): void {
    this.earlier = runs;
    writeEarlier(runs);
  }

  #shown(): void {
    redrawAll();
    this.#changed();
  }

  /** A run has come to another phase. */
  #follow(): void {
    const { phase, main } = this;
    // From now on the address says with which files its runs were made.
    if (main.info && main.files.length > 0 && main.files !== this.setup.files) {
      this.setup = { ...this.setup, files: main.files };
      history.replaceState(null, '', toHash(this.setup));
    }
    if (phase !== this.#phase) {
      this.#phase = phase;
      if (phase === 'resting' && this.#eager) this.play();
      if (phase === 'ended') this.#keep();
      const names = main.info?.projections.map(({ name }) => name) ?? [];
      if (names.length > 0 && !names.includes(this.projection ?? '')) this.show(names[names.length - 1]);
    }
    this.#shown();
  }
}
