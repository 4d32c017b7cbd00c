#!/usr/bin/env node
import { CommanderError } from 'commander';
import { ConfigError, FileError, UnsupportedError } from '../core/errors.ts';
import { tell } from './output.ts';
import { commandsOf, createProgram } from './program.ts';

// A reader that has seen enough (`spiketrace list | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

/** Exit codes: 0 done, 1 failed, 2 the call or its input cannot be used. */
const program = createProgram();
for (const command of commandsOf(program)) command.exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCode(error);
}

function exitCode(error: unknown): number {
  // Commander has already said what is wrong; help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  tell(`spiketrace: ${error instanceof Error ? error.message : String(error)}`);
  const badInput = error instanceof ConfigError || error instanceof FileError || error instanceof UnsupportedError;
  if (!badInput && process.env.SPIKETRACE_DEBUG && error instanceof Error) tell(error.stack ?? '');
  return badInput ? 2 : 1;
}
