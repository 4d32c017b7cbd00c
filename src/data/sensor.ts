import { FileError } from '../core/errors.ts';
import type { ByteSource } from '../core/files.ts';
import type { Events } from './events.ts';

/** Events of a sensor with rows and columns, one entry an event. */
export interface SensorEvents {
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** Polarity, 0 or 1. */
  readonly p: Float64Array;
  /** Microseconds. */
  readonly t: Float64Array;
}

/** Rows and columns of N-MNIST. */
export const nMnistSensor = { width: 34, height: 34 } as const;

const EVENT_BYTES = 5;
/** The row that stands for no pixel: the clock has gone round, 2^13 us later. */
const OVERFLOW_ROW = 240;
const OVERFLOW_US = 2 ** 13;

/**
 * N-MNIST (Orchard et al. 2015, Front Neurosci 9:437): five bytes an event, x, y, then one bit of polarity and 23 of time in microseconds, the
 * highest first. @throws FileError for part of an event, or a pixel outside of the sensor
 */
export function readNMnist(source: ByteSource): SensorEvents {
  const { path, size } = source;
  if (size === 0 || size % EVENT_BYTES !== 0) {
    throw new FileError(
      path,
      `has ${size} bytes, expected a multiple of ${EVENT_BYTES}, the bytes of an event of N-MNIST`,
    );
  }
  const bytes = source.read(0, size);
  const columns = { x: [] as number[], y: [] as number[], p: [] as number[], t: [] as number[] };
  let late = 0;
  for (let at = 0; at < size; at += EVENT_BYTES) {
    const [x, y] = [bytes[at], bytes[at + 1]];
    if (y === OVERFLOW_ROW) {
      late += OVERFLOW_US;
      continue;
    }
    if (x >= nMnistSensor.width || y >= nMnistSensor.height) {
      throw new FileError(path, `event ${at / EVENT_BYTES}: got pixel (${x}, ${y}), expected one of 34 x 34`);
    }
    columns.x.push(x);
    columns.y.push(y);
    columns.p.push(bytes[at + 2] >> 7);
    columns.t.push((((bytes[at + 2] & 0x7f) << 16) | (bytes[at + 3] << 8) | bytes[at + 4]) + late);
  }
  const { x, y, p, t } = columns;
  return { x: Float64Array.from(x), y: Float64Array.from(y), p: Float64Array.from(p), t: Float64Array.from(t) };
}

/** Pixels as units: p width height + y width + x. */
export function sensorUnits(
  events: SensorEvents,
  sensor: { readonly width: number; readonly height: number },
  path: string,
): Events {
  const { x, y, p, t } = events;
  const units = x.map((column, e) => {
    if (column < sensor.width && y[e] < sensor.height && (p[e] === 0 || p[e] === 1)) {
      return (p[e] * sensor.height + y[e]) * sensor.width + column;
    }
    throw new FileError(
      path,
      `event ${e}: got pixel (${column}, ${y[e]}) of polarity ${p[e]}, expected one of ${sensor.width} x ${sensor.height}`,
    );
  });
  return { times: t, units };
}
