import { limits } from '../../base/limits.ts';
import type { FlowExecution, FlowStore } from '../../ports/flow-store.ts';
import type { MutationOf } from './mutation.ts';
import type { StoreContext } from './store-context.ts';

export class MemoryFlowStore implements FlowStore {
  readonly #context: StoreContext;
  readonly #executions = new Map<string, FlowExecution>();
  /** Names of running executions: asked for often, while ended ones pile up. */
  readonly #running = new Set<string>();
  /** In the order in which they ended. */
  readonly #ended = new Set<string>();

  constructor(context: StoreContext) {
    this.#context = context;
  }

  async create(execution: FlowExecution): Promise<'created' | 'exists'> {
    if (this.#executions.has(execution.name)) return 'exists';
    this.#store(execution);
    return 'created';
  }

  async save(execution: FlowExecution): Promise<void> {
    this.#store(execution);
  }

  async read(name: string): Promise<FlowExecution | undefined> {
    return this.#executions.get(name);
  }

  async running(): Promise<readonly FlowExecution[]> {
    return [...this.#running].map((name) => this.#executions.get(name)!);
  }

  apply({ execution }: MutationOf<'flow-put'>): void {
    this.#executions.set(execution.name, this.#context.protect(execution));
    if (execution.status === 'RUNNING') this.#running.add(execution.name);
    else this.#end(execution.name);
  }

  /** Bounded as it is applied, so that a replay of the journal ends with the same executions. */
  #end(name: string): void {
    this.#running.delete(name);
    this.#ended.add(name);
    if (this.#ended.size <= limits.flowExecutionsKept) return;
    const oldest = this.#ended.values().next().value!;
    this.#ended.delete(oldest);
    this.#executions.delete(oldest);
  }

  *snapshot(): Iterable<MutationOf<'flow-put'>> {
    for (const execution of this.#executions.values()) yield { kind: 'flow-put', execution };
  }

  #store(execution: FlowExecution): void {
    const mutation = { kind: 'flow-put', execution } as const;
    this.apply(mutation);
    this.#context.journal.append(mutation);
  }
}
