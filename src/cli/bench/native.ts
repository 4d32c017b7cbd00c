import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../../../../bench/native/online.c', import.meta.url));

/** Median milliseconds of the same loop in C at -O3 -msse4.2; null without a C compiler or the source. */
export function timeNative(args: readonly number[]): number | null {
  if (!existsSync(source)) return null;
  const folder = mkdtempSync(join(tmpdir(), 'spiketrace-bench-'));
  try {
    const program = join(folder, 'online');
    execFileSync('cc', ['-O3', '-msse4.2', source, '-o', program], { stdio: 'ignore' });
    const output = execFileSync(program, args.map(String), { encoding: 'utf8' });
    return (JSON.parse(output) as { median_ms: number }).median_ms;
  } catch {
    return null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
