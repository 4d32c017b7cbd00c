import type { Inventory } from '../../hardware/inventory.ts';
import type { AuditedRule, AuditPoint } from '../experiment/audit.ts';

/** What a rule costs. */
export interface Cost {
  /** Numbers that one stream keeps from step to step, by home. */
  readonly state: Inventory;
  /** Numbers of past steps, for a rule that goes back through them. */
  readonly past: number;
  /** All of them per synapse of the network. */
  readonly perSynapse: number;
  /** Median time of the learning part per step of all streams, microseconds; null for what nobody would run. */
  readonly microseconds: number | null;
}

export type RuleRow = Pick<AuditedRule, 'label' | 'role' | 'rule' | 'backend'> & Cost;

/** `audit.json` */
export interface AuditReport {
  readonly task: string;
  readonly unit: 'symbols' | 'trials';
  readonly total: number;
  readonly seed: number;
  readonly windows: number;
  readonly chunks: number;
  /** Of the noise of rules, at every point. */
  readonly draws: number;
  readonly reset: string;
  /** Projections and readouts that are compared. */
  readonly blocks: readonly string[];
  readonly rules: readonly RuleRow[];
  readonly points: readonly AuditPoint[];
}
