/** A process for the command line that keeps what is written, and can be sent signals. */
import { systemClock } from '../../lib/adapters/system/clock.ts';
import { systemRandom } from '../../lib/adapters/system/random.ts';
import { systemTimers } from '../../lib/adapters/system/timers.ts';
import type { CliIo, StopSignal } from '../../lib/cli/cli-io.ts';
import { main } from '../../lib/cli/main.ts';

export interface Ran {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

export class TestIo implements CliIo {
  outText = '';
  errText = '';
  readonly killed: number[] = [];
  isTerminal = false;
  folder: string = process.cwd();
  readonly env = {};
  readonly clock = systemClock;
  readonly timers = systemTimers;
  readonly random = systemRandom;
  #listeners: ((signal: StopSignal) => void)[] = [];

  readonly out = (text: string): void => void (this.outText += text);
  readonly err = (text: string): void => void (this.errText += text);
  readonly columns = (): number => 60;
  readonly keepCompiled = (): void => undefined;
  readonly kill = (exitCode: number): void => void this.killed.push(exitCode);
  readonly onStop = (listener: (signal: StopSignal) => void): (() => void) => {
    this.#listeners.push(listener);
    return () => (this.#listeners = this.#listeners.filter((other) => other !== listener));
  };

  get listens(): boolean {
    return this.#listeners.length > 0;
  }

  signal(signal: StopSignal): void {
    for (const listener of this.#listeners) listener(signal);
  }

  async run(...args: readonly string[]): Promise<Ran> {
    const exitCode = await main(args, this);
    return { exitCode, out: this.outText, err: this.errText };
  }
}

export async function sluice(...args: readonly string[]): Promise<Ran> {
  return new TestIo().run(...args);
}
