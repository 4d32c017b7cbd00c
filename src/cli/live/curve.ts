import type { LiveCurve } from './protocol.ts';

/** Points of a curve that are kept; of more, neighbours become one. */
export const mostPoints = 1000;

/** A learning curve of bounded size: when it is full, every two points become their mean, at the later one. */
export class ThinCurve {
  #amount: number[] = [];
  #score: number[] = [];
  /** Trials that a point stands for. */
  #each = 1;
  #sum = 0;
  #count = 0;
  /** Changes whenever former points are others. */
  version = 0;

  get length(): number {
    return this.#amount.length;
  }

  clear(): void {
    this.#amount = [];
    this.#score = [];
    this.#each = 1;
    this.#sum = 0;
    this.#count = 0;
    this.version++;
  }

  /** @param score one that is not finite is no point */
  add(amount: number, score: number): void {
    if (!Number.isFinite(score)) return;
    this.#sum += score;
    if (++this.#count < this.#each) return;
    this.#amount.push(amount);
    this.#score.push(this.#sum / this.#count);
    this.#sum = 0;
    this.#count = 0;
    if (this.#amount.length >= mostPoints) this.#halve();
  }

  #halve(): void {
    const pairs = this.#amount.length >> 1;
    const score = this.#score;
    this.#amount = Array.from({ length: pairs }, (_, n) => this.#amount[2 * n + 1]);
    this.#score = Array.from({ length: pairs }, (_, n) => (score[2 * n] + score[2 * n + 1]) / 2);
    this.#each *= 2;
    this.version++;
  }

  from(points: number): LiveCurve {
    return { from: points, amount: this.#amount.slice(points), score: this.#score.slice(points) };
  }
}
