import type { Watch } from '../engine/protocol.ts';
import type { SynapseName } from '../views/types.ts';
import { choicesOf, first, fromHash, type Setup, toHash } from './address.ts';
import { flush, redrawAll } from './drawing.tsx';
import { type Earlier, readEarlier, withRun, writeEarlier } from './earlier.ts';
import { movedBy, nowhere, type Position } from './position.ts';
import { type Phase, phaseOf, Side } from './side.ts';

/** Views of what only a trial that is done again step by step shows. */
const stepwise = ['signals', 'membranes', 'traces', 'synapse'];

/** What the page is about: its runs, where it stands in them, and what it looks at. */
export class Playground {
  setup: Setup = first;
  /** A plug-in in CommonJS form; null: none. */
  plugin: string | null = null;
  position: Position = nowhere;
  synapse: SynapseName | null = null;
  /** The projection whose weights are shown. */
  projection: string | null = null;
  earlier: readonly Earlier[] = readEarlier();
  /** What could not be taken; empty: nothing. */
  problem = '';
  readonly #sides: readonly Side[];
  readonly #visible = new Set<string>();
  readonly #changed: () => void;
  #watch = '';
  #phase: Phase = 'loading';
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
  change(setup: Setup, plugin = this.plugin): void {
    this.#keep();
    const reload = plugin !== this.plugin;
    Object.assign(this, { setup, plugin, position: nowhere, synapse: null, problem: '' });
    this.#eager = false;
    history.replaceState(null, '', toHash(setup));
    choicesOf(setup).forEach(async (choice, n) => {
      const side = this.#sides[n];
      if (reload || side.lists === null) await side.load(plugin);
      if (side.lists !== null && this.setup === setup) side.open(choice, this.#watched());
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

  /** An experiment of one's own. */
  async take(file: File | undefined): Promise<void> {
    if (!file) return;
    try {
      const experiment = JSON.parse(await file.text());
      this.change({ ...this.setup, experiment, rule: null, neuron: null, chip: null, settings: [] });
    } catch (error) {
      this.#report(file.name, error);
    }
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
