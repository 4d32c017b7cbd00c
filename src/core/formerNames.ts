/**
 * What fields were called before networks were graphs, when there was one population between one input and one readout. Checkpoints
 * and number formats of then are read by these names; nothing writes them.
 */

/** Blocks of weights: their names now, and then. */
export const formerBlocks: Readonly<Record<string, string>> = {
  in: 'wIn',
  rec: 'wRec',
  out: 'wOut',
  'out.bias': 'bOut',
};

const fields: Readonly<Record<string, string>> = {
  'population.rec.tail': 'run.zTail',
  'population.rec.mean': 'run.fBar',
  'population.rec.psi': 'trial.psi',
  'population.rec.signal': 'trial.signal',
  'population.rec.rateTerm': 'trial.rateTerm',
  'readout.out.y': 'trial.y',
  'readout.out.error': 'trial.error',
};

const ends: Readonly<Record<string, string>> = { in: 'In', rec: 'Rec' };

/** The former name of a field; null for a field that did not exist. */
export function formerName(name: string): string | null {
  if (fields[name]) return fields[name];
  const block = /^(?:projection\.(in|rec)|readout\.(out(?:\.bias)?))\.([^.]+)$/u.exec(name);
  if (block) {
    const [, projection, readout, field] = block;
    const plastic = projection ?? readout;
    if (field === 'weights' || field === 'gradient') return `${field}.${formerBlocks[plastic]}`;
    if (['mean', 'square', 'velocity'].includes(field)) return `optimizer.${field}.${formerBlocks[plastic]}`;
    return readout === 'out' ? `readout.${field}` : null;
  }
  const trace = /^projection\.(in|rec)\.trace\.([^.]+)$/u.exec(name);
  // What a trace keeps for its neurons was there once, for both projections.
  if (trace) return trace[2].endsWith('Late') ? `trace.${trace[2]}` : `trace.${trace[2]}${ends[trace[1]]}`;
  const signal = /^population\.rec\.signal\.(.+)$/u.exec(name);
  if (signal) return `signal.${signal[1]}`;
  const neuron = /^population\.rec\.([^.]+)$/u.exec(name);
  if (neuron) return `neuron.${neuron[1]}`;
  const direct = /^direct\.(in|rec)\.([^.]+)$/u.exec(name);
  return direct ? `direct.${direct[2]}${ends[direct[1]]}` : null;
}
