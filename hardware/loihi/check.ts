import type { z } from 'zod';
import { ConfigError } from '../../src/core/errors.ts';

/** Parameters that fit their schema, with its defaults. @throws ConfigError that names the first value that does not fit */
export function checked<T extends z.ZodType>(schema: T, input: z.input<T>, name: string): z.output<T> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const [{ path, message }] = result.error.issues;
  let value: unknown = input;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | undefined)?.[key];
  throw new ConfigError([name, ...path.map(String)].join('.'), value, message.replace(/^.*expected /, ''));
}
