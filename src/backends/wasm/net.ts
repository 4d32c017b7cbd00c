/**
 * The fields of `Net` in `kernels/net.ts`, in the same order: what a kernel knows of a network. All are four bytes;
 * `f` marks the float ones, the others are integers or addresses.
 */
export const netFields = [
  'streams',
  'stride',
  'history',
  'nIn',
  'n',
  'nOut',
  'x',
  'z',
  'psi',
  'y',
  'target',
  'weight',
  'error',
  'signal',
  'signalRows',
  'rateTerm',
  'rateRows',
  'v',
  'refractory',
  'a',
  'u',
  'zBar',
  'fBar',
  'wIn',
  'wRec',
  'wOut',
  'bOut',
  'gIn',
  'gRec',
  'gOut',
  'gBias',
  'rowsIn',
  'postIn',
  'rowsRec',
  'postRec',
  'synIn',
  'synRec',
  'epsIn',
  'epsRec',
  'epsAIn',
  'epsARec',
  'eBarIn',
  'eBarRec',
  'sumIn',
  'sumRec',
  'feedback',
  'current',
  'list',
  'feedbackT',
  'errorBack',
  'drive',
  'owed',
  'block',
  'times',
  'entries',
  'lanes',
  'scale',
  'f:decay',
  'f:gain',
  'f:vTh',
  'f:psiHeight',
  'f:psiWidth',
  'f:nRef',
  'orEqual',
  'resetToZero',
  'f:rho',
  'strength',
  'f:readoutDecay',
  'f:readoutGain',
  'readoutBias',
  'lossKind',
  'dropBorder',
  'f:kappa',
  'f:traceGain',
  'rateAfterTrial',
  'f:rateStrength',
  'f:rateTarget',
  'f:rateRunning',
  'rateBatch',
  'ratePerStream',
] as const;

type Bare<F extends string> = F extends `f:${infer Name}` ? Name : F;
export type NetField = Bare<(typeof netFields)[number]>;
export type NetValues = Readonly<Record<NetField, number>>;

export const netBytes = 4 * netFields.length;

/** Writes the record at an address. */
export function writeNet(memory: ArrayBufferLike, at: number, values: NetValues): void {
  const view = new DataView(memory, at, netBytes);
  netFields.forEach((field, index) => {
    if (field.startsWith('f:')) view.setFloat32(4 * index, values[field.slice(2) as NetField], true);
    else view.setInt32(4 * index, values[field as NetField], true);
  });
}
