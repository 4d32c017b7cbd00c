import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { EvaluationEvent, StepEvent, TrialEvent } from '../../src/core/events.ts';
import { readCheckpoint } from '../../src/record/checkpointFile.ts';

/** An empty folder that goes away with the test. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'spiketrace-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What a checkpoint holds, whole. */
export const payloadOf = (path: string): Uint8Array => readCheckpoint(path, (payload) => payload.read(0, payload.size));

export function trialEvent(trial: number, change: Partial<TrialEvent> = {}): TrialEvent {
  const scores = { loss: 10 / trial, lossPerStep: 1 / trial, expectedLoss: 0.1 / trial, accuracy: null };
  const position = { trial, step: 1000 * trial, amount: 100 * trial, updates: trial, rateScale: 1 - trial / 3e3 };
  return {
    type: 'trial',
    ...position,
    ...scores,
    rateHz: 18.3,
    activity: 0.1 + 0.2,
    own: {},
    ...change,
  };
}

export function evaluationEvent(amount: number, change: Partial<EvaluationEvent> = {}): EvaluationEvent {
  const scores = {
    loss: 2 / 3,
    lossPerStep: 1e-7,
    expectedLoss: null,
    accuracy: 0.5,
    rateHz: 5e-324,
    activity: 0,
    own: {},
  };
  return { type: 'evaluation', amount, symbols: 80000, ...scores, ...change };
}

export function stepEvent(trial: number, t: number, values: Record<string, number[]>, stream = 0): StepEvent {
  const copies = Object.entries(values).map(([name, numbers]) => [name, Float64Array.from(numbers)] as const);
  return { type: 'step', trial, t, stream, values: Object.fromEntries(copies) };
}
