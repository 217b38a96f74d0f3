/** Resident memory for W1 over the text streamed from its file, once and four times over, each in a process of its own. */
import { spawn } from 'node:child_process';

export async function measureMemory(): Promise<{ readonly residentMb: number; readonly residentMbAt12M: number; readonly growth: number }> {
  const residentMb = await residentMbOf(1);
  const residentMbAt12M = await residentMbOf(4);
  return { residentMb, residentMbAt12M, growth: Math.round((residentMbAt12M / residentMb) * 100) / 100 };
}

/** As bin/sluice.mjs sets it. */
const youngGeneration = '--max-semi-space-size=8';

function residentMbOf(times: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [youngGeneration, new URL('./memory-process.ts', import.meta.url).pathname, String(times)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    child.once('exit', (code) => (code === 0 ? resolve(Number(output)) : reject(new Error(`the memory run ended with exit code ${code}`))));
  });
}
