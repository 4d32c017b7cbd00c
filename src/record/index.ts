export { decodeNpy, encodeNpy, type NpyArray, type NpyType } from '../data/npy.ts';
export { CHECKPOINT_VERSION, readCheckpoint, writeCheckpoint } from './checkpointFile.ts';
export { assertWritableFolder, attempt, codeOf, ensureWritableFolder, readBytes, writeAtomic } from './files.ts';
export type { MetricsRow } from './metricsRow.ts';
export { NpyWriter, type NpyWriterOptions, readNpyRows } from './npyFile.ts';
export { createEventStream, type EventStream, ofType, type Progress, progress$ } from './observe.ts';
export { estimateRecordingBytes, type RecordedField } from './recordedField.ts';
export { type Recording, type RecordingOptions, recordingMemory, startRecording, toCsv } from './recording.ts';
export { METRICS_CSV, METRICS_JSONL, type MetricsSink, openMetrics, readMetrics } from './tables.ts';
