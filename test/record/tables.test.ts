import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileError } from '../../src/core/errors.ts';
import type { RunEvent } from '../../src/core/events.ts';
import type { MetricsRow } from '../../src/record/metricsRow.ts';
import { openMetrics, readMetrics } from '../../src/record/tables.ts';
import { evaluationEvent, scratchFolder, stepEvent, trialEvent } from './scratch.ts';

const TABLES = ['metrics.csv', 'metrics.jsonl'];

function tables(folder: string): string[] {
  return TABLES.map((name) => readFileSync(join(folder, name), 'utf8'));
}

function write(folder: string, events: readonly RunEvent[], resumeAmount?: number): void {
  const sink = openMetrics(folder, resumeAmount === undefined ? {} : { resumeAmount });
  for (const event of events) sink.listener(event);
  sink.close();
}

/** Ten trials, an evaluation after every third. */
function rows(): MetricsRow[] {
  return Array.from({ length: 10 }, (_, i) => trialEvent(i + 1)).flatMap((trial) =>
    trial.trial % 3 === 0 ? [trial, evaluationEvent(trial.amount)] : [trial],
  );
}

describe('openMetrics', () => {
  it('writes a row per trial and evaluation, at once', () => {
    const folder = scratchFolder();
    const sink = openMetrics(folder);
    sink.listener(stepEvent(1, 0, {}));
    sink.listener(trialEvent(1));
    sink.listener(evaluationEvent(100));
    sink.flush();
    expect(tables(folder)).toEqual([
      'type,amount,trial,step,updates,rateScale,symbols,loss,lossPerStep,expectedLoss,accuracy,rateHz,activity\n' +
        'trial,100,1,1000,1,0.9996666666666667,,10,1,0.1,,18.3,0.30000000000000004\n' +
        'evaluation,100,,,,,80000,0.6666666666666666,1e-7,,0.5,5e-324,0\n',
      '{"type":"trial","amount":100,"trial":1,"step":1000,"updates":1,"rateScale":0.9996666666666667,"loss":10,' +
        '"lossPerStep":1,"expectedLoss":0.1,"accuracy":null,"rateHz":18.3,"activity":0.30000000000000004}\n' +
        '{"type":"evaluation","amount":100,"symbols":80000,"loss":0.6666666666666666,"lossPerStep":1e-7,' +
        '"expectedLoss":null,"accuracy":0.5,"rateHz":5e-324,"activity":0}\n',
    ]);
    sink.close();
    sink.close();
  });

  it('starts empty without a resume', () => {
    const folder = scratchFolder();
    write(folder, rows());
    write(folder, [trialEvent(1)]);
    expect(readMetrics(join(folder, 'metrics.csv'))).toEqual([trialEvent(1)]);
    expect(readdirSync(folder).sort()).toEqual(TABLES);
  });

  it('has columns for what signals learn for themselves, where they do', () => {
    const folder = scratchFolder();
    const rows = [trialEvent(1, { own: { own: 0.25 } }), evaluationEvent(100)];
    const sink = openMetrics(folder, { own: ['own'] });
    for (const row of rows) sink.listener(row);
    sink.close();
    const [csv, jsonl] = tables(folder);
    expect(csv.split('\n')[0]).toMatch(/,activity,own$/u);
    expect(csv.split('\n')[1]).toMatch(/,0\.25$/u);
    expect(JSON.parse(jsonl.split('\n')[0])).toMatchObject({ own: 0.25 });
    for (const name of TABLES) expect(readMetrics(join(folder, name))).toEqual(rows);
  });

  it('goes on in the columns of a former version, which had two more in every run', () => {
    const folder = scratchFolder();
    write(folder, [trialEvent(1)]);
    const path = join(folder, 'metrics.csv');
    const [header, line] = readFileSync(path, 'utf8').split('\n');
    writeFileSync(path, `${header},lossA,lossJ\n${line},,\n`);
    const sink = openMetrics(folder, { resumeAmount: 100 });
    sink.listener(trialEvent(2));
    sink.close();
    expect(readMetrics(path)).toEqual([trialEvent(1), trialEvent(2)]);
    expect(
      readFileSync(path, 'utf8')
        .split('\n')
        .map((text) => text.split(',').length),
    ).toEqual([15, 15, 15, 1]);
    expect(() => openMetrics(folder, { resumeAmount: 100, own: ['other'] })).toThrow(/expected .*,other$/u);
  });

  it('names the path where it cannot write', () => {
    const folder = scratchFolder();
    mkdirSync(join(folder, 'metrics.jsonl'));
    expect(() => openMetrics(folder)).toThrow(`${join(folder, 'metrics.jsonl')}: is a folder`);
    expect(() => openMetrics(join(folder, 'none'))).toThrow(FileError);
  });
});

describe('resume', () => {
  it('ends with the bytes of an uninterrupted run, wherever both tables were cut', () => {
    const folder = scratchFolder();
    write(folder, rows());
    const whole = tables(folder);
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 }), share, share, (checkpoint, csvShare, jsonlShare) => {
        const amount = 100 * checkpoint;
        const before = rows().filter((row) => row.amount <= amount);
        write(folder, before);
        const least = tables(folder).map((text) => text.length);
        for (const [i, part] of [csvShare, jsonlShare].entries()) {
          const [text = '', flushed = 0] = [whole[i], least[i]];
          const end = flushed + Math.floor(part * (text.length - flushed));
          writeFileSync(join(folder, TABLES[i] ?? ''), text.slice(0, end));
        }
        const rest = rows().filter((row) => row.amount > amount);
        write(folder, rest, amount);
        expect(tables(folder)).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });

  it('starts tables that are missing or whose first line is unfinished', () => {
    const folder = scratchFolder();
    writeFileSync(join(folder, 'metrics.csv'), 'type,amo');
    write(folder, [trialEvent(2)], 100);
    expect(readMetrics(join(folder, 'metrics.csv'))).toEqual([trialEvent(2)]);
    expect(readMetrics(join(folder, 'metrics.jsonl'))).toEqual([trialEvent(2)]);
  });

  it('drops a damaged line after the checkpoint, and refuses one before it', () => {
    const folder = scratchFolder();
    write(folder, [trialEvent(1), trialEvent(2)]);
    for (const name of TABLES) appendFileSync(join(folder, name), '\0\0\0\n');
    write(folder, [], 200);
    expect(readMetrics(join(folder, 'metrics.csv'))).toEqual([trialEvent(1), trialEvent(2)]);
    const path = join(folder, 'metrics.csv');
    writeFileSync(path, readFileSync(path, 'utf8').replace('trial,100', 'trial,1x0'));
    expect(() => openMetrics(folder, { resumeAmount: 200 })).toThrow(new FileError(path, 'line 2 is damaged'));
  });

  it('refuses a table with other columns and leaves it as it is', () => {
    const folder = scratchFolder();
    const path = join(folder, 'metrics.csv');
    writeFileSync(path, 'type,loss\ntrial,1\n');
    expect(() => openMetrics(folder, { resumeAmount: 100 })).toThrow('got columns type,loss, expected type,amount');
    expect(readFileSync(path, 'utf8')).toBe('type,loss\ntrial,1\n');
  });
});

describe('readMetrics', () => {
  const value = fc.double().map((x) => (x === 0 ? 0 : x));
  const scores = { loss: value, lossPerStep: value, rateHz: value, activity: value };
  const optional = { expectedLoss: fc.option(value), accuracy: fc.option(value) };
  const trials = fc.record({ ...scores, ...optional, amount: fc.nat(), step: fc.nat(), rateScale: value });
  const evaluations = fc.record({ ...scores, ...optional, amount: fc.nat(), symbols: fc.nat() });
  const row = fc.oneof(
    trials.map((change): MetricsRow => trialEvent(3, change)),
    evaluations.map((change): MetricsRow => evaluationEvent(0, change)),
  );

  it('gives back every number of either table, NaN and infinities too', () => {
    const folder = scratchFolder();
    fc.assert(
      fc.property(fc.array(row, { maxLength: 5 }), (events) => {
        write(folder, events);
        for (const name of TABLES) expect(readMetrics(join(folder, name))).toEqual(events);
      }),
      { numRuns: 50 },
    );
  });

  it('leaves out a line that is being written, and reads more than one block', () => {
    const folder = scratchFolder();
    const events = Array.from({ length: 2000 }, (_, i) => trialEvent(i + 1));
    write(folder, events);
    for (const name of TABLES) {
      appendFileSync(join(folder, name), 'trial,1');
      expect(readMetrics(join(folder, name))).toEqual(events);
    }
  });

  it.each([
    ['metrics.csv', 'type,amount\ntrial,5\n', 2],
    ['metrics.csv', 'type,amount\n5\n', 2],
    ['metrics.jsonl', '{"type":"trial","amount":5}\n', 1],
    ['metrics.jsonl', 'null\n', 1],
    ['metrics.jsonl', '{"type":\n', 1],
  ])('names the line of %s that is no row: %j', (name, text, line) => {
    const path = join(scratchFolder(), name);
    writeFileSync(path, text);
    expect(() => readMetrics(path)).toThrow(new FileError(path, `line ${line} is not a row of metrics`));
  });

  it('names a file that is missing', () => {
    const path = join(scratchFolder(), 'metrics.csv');
    expect(() => readMetrics(path)).toThrow(new FileError(path, 'does not exist'));
  });
});
