export { reference } from './backends/reference/index.ts';
export { type LoadedTensorFlow, loadTensorFlow } from './backends/tfjs/load.ts';
export { type FetchedBytes, type KernelSource, loadKernels } from './backends/wasm/load.ts';
export { parseExperiment, parseWith } from './config/parse.ts';
export { type PresetName, preset, presetNames } from './config/presets.ts';
export { type ExperimentConfig, experimentJsonSchema, graphSchema, shortSchema } from './config/schema.ts';
export { applySettings } from './config/settings.ts';
export * from './core/errors.ts';
export type * from './core/events.ts';
export { drawFeedback } from './core/feedback.ts';
export type * from './core/files.ts';
export {
  advice,
  type Cause,
  type Criterion,
  criteria,
  type Finding,
  type Measure,
  type Quantity,
  quantities,
} from './core/findings.ts';
export {
  type FieldFormat,
  type FieldStatistics,
  type FieldWidth,
  type GroupedField,
  limitsOf,
  type NumberFormat,
  narrowestBits,
  type WidthKind,
  widthKinds,
} from './core/format.ts';
export { type Block, cut, type Dim, type Field, type Home, type Layout, type Real, type Sizes } from './core/layout.ts';
export { type FastLoops, type Loops, scratchOf } from './core/loops.ts';
export { type Merit, meritOf } from './core/merit.ts';
export type * from './core/network.ts';
export type * from './core/plugins.ts';
export type { Projection } from './core/projection.ts';
export { createRng, type Rng, type RngState, restoreRng } from './core/rng.ts';
export { columnsOf, noRows, poolOf, type Rows, rowAt } from './core/rows.ts';
export { count, countTo, decaySchema, listed, magnitude, positive, signed } from './core/schema.ts';
export { type Decay, decayPerStep, rateToSpikesPerStep, resolveDecay, spikesPerStepToRate } from './core/units.ts';
export type * from './core/upkeep.ts';
export {
  decayValues,
  keptValues,
  mapValues,
  perNeuron,
  resolveDecays,
  resolveValues,
  type Values,
  valuesOf,
} from './core/values.ts';
export {
  disk,
  type EventContent,
  type Events,
  type GivenFile,
  givenFiles,
  hashOf,
  loadHdf5,
  type Names,
  openRecording,
  type ReadingOptions,
  type Recording,
  type TimeUnit,
  type ValueContent,
} from './data/index.ts';
export { checkpointConfig, encodeCheckpoint, restoreCheckpoint } from './engine/checkpoint.ts';
export { createFeed, type Feed, nextSteps } from './engine/feed.ts';
export { networkLength } from './engine/network.ts';
export { buildProjection, type Connectivity, type WeightInit } from './engine/projections.ts';
export { createRecorder, type Recorder, type RecordingPlan } from './engine/recorder.ts';
export { type Clock, createRun, gradientOf, type Run, runTrial, type TrialOptions } from './engine/run.ts';
export { addTrial, checkFinite, emptyTally, scoresOf } from './engine/scores.ts';
export { type TrainOptions, trainTrials } from './engine/train.ts';
export { type Alignment, type Alignments, type AuditBlock, align, auditBlocksOf } from './experiment/alignment.ts';
export {
  type Audit,
  type AuditedRule,
  type AuditOptions,
  type AuditPoint,
  type AuditProgress,
  createAudit,
} from './experiment/audit.ts';
export { type CheckRow, checkEntry } from './experiment/check/index.ts';
export {
  type Accuracy,
  type AccuracyOptions,
  type Approximation,
  type ChipVersion,
  measureAccuracy,
  observedRanges,
  type Versions,
  versionsOf,
  withWidths,
} from './experiment/deployment.ts';
export { type Diagnosis, type DiagnosisOptions, diagnose } from './experiment/diagnosis/diagnose.ts';
export type { Progress } from './experiment/diagnosis/progress.ts';
export { createExperiment, type EvaluateOptions, type Experiment } from './experiment/experiment.ts';
export { filesOf, loadTaskFiles, type NamedFile, withFiles } from './experiment/files.ts';
export { firstParting, type Parting, type PartingOptions } from './experiment/parting.ts';
export {
  rateFactors,
  readFactor,
  searchRates,
  type TuneCandidate,
  type TunedCandidate,
  type TuneFactor,
  type TuneOptions,
  type TuneRung,
  withCandidate,
} from './experiment/tune.ts';
export {
  createWidthSearch,
  type FieldResult,
  type FoundWidth,
  type GroupResult,
  narrowWidths,
  type SeedLosses,
  type TriedWidth,
  type WidthSearch,
  type WidthSearchOptions,
  type WidthSearchProgress,
  type Widths,
} from './experiment/widths.ts';
export { type Cell, experimentOf, type Plan, type PlannedRun, planStudy } from './study/plan.ts';
export { parseStudy, type Study, studyJsonSchema } from './study/schema.ts';
export { bootstrapInterval, holm, type PairedTest, pairedTest, type Summary } from './study/statistics.ts';
