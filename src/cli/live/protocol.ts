/** What the dashboard's server says to its page: plain data, as JSON. */

/** The one score of a run that tables and curves show. */
export interface LiveScore {
  /** With its unit. */
  readonly label: string;
  readonly axis: 'linear' | 'log';
  readonly higherIsBetter: boolean;
}

/** A run as far as its files say. */
export interface LiveRun {
  /** Its folder, from the one that is watched; empty for that itself. */
  readonly id: string;
  readonly name: string;
  readonly rule: string;
  /** null: its configuration cannot be read. */
  readonly seed: number | null;
  /** running: somebody holds the folder; stopped: nobody does, and there is more to train. */
  readonly state: 'running' | 'finished' | 'stopped';
  /** Symbols or trials done, and those of the whole training. */
  readonly amount: number;
  readonly total: number;
  /** Mean rate of its neurons in the last trial, Hz; null: not known yet. */
  readonly rateHz: number | null;
  /** null: no trial yet. */
  readonly score: LiveScore | null;
  /** Of the last trial, or of fresh data where it is finished. */
  readonly last: number | null;
  readonly curve: LiveCurve;
}

/** The part of a curve that a page does not have yet. */
export interface LiveCurve {
  /** Points before the first one here; at 0 all points are here. */
  readonly from: number;
  readonly amount: readonly number[];
  readonly score: readonly number[];
}

/** What has changed since the last one. */
export interface LiveUpdate {
  readonly runs: readonly LiveRun[];
  readonly gone: readonly string[];
}

export interface LiveSpikes {
  /** Step of each. */
  readonly t: readonly number[];
  /** Neuron (or input) of each, over all populations. */
  readonly index: readonly number[];
  /** Size of graded ones and of rates, 1 is the largest; null: all are spikes. */
  readonly value: readonly number[] | null;
}

interface LiveRaster {
  readonly label: string;
  readonly groups: readonly { readonly label: string; readonly size: number }[];
  readonly spikes: LiveSpikes;
}

/** What the network of a checkpoint does on data of its own. */
export interface LiveLook {
  readonly id: string;
  /** Symbols or trials that it had been trained for. */
  readonly amount: number;
  readonly unit: string;
  readonly dtMs: number;
  readonly steps: number;
  readonly rasters: readonly LiveRaster[];
  /** Outputs and targets. */
  readonly outputs: readonly {
    readonly label: string;
    readonly values: readonly (number | null)[];
    readonly dashed: boolean;
    readonly colour: number;
  }[];
  /** Known values of the score. */
  readonly bounds: readonly { readonly label: string; readonly value: number }[];
}
