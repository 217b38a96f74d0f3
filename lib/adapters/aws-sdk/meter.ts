/**
 * Counts every HTTP attempt of the clients that it is attached to, by service, operation and billed unit.
 *
 * MT1. An attempt is counted when its answer, or the lack of one, is known: retries too, each by itself.
 */
import type { Bill } from '../../model/bill.ts';
import { billedUnits, type BilledUnit, type Service } from './billed-units.ts';

export interface MeteredCalls {
  readonly service: Service;
  readonly operation: string;
  readonly unit: BilledUnit;
  readonly requests: number;
  readonly units: number;
}

interface AttemptArguments {
  readonly input: object;
}

interface AttemptContext {
  readonly clientName?: string;
  readonly commandName?: string;
}

type Attempt = (args: AttemptArguments) => Promise<{ readonly output?: unknown }>;

interface MeteredClient {
  readonly middlewareStack: { add(middleware: never, options: never): void };
}

const services: Readonly<Record<string, Service>> = {
  DynamoDBClient: 'dynamodb',
  SQSClient: 'sqs',
  S3Client: 's3',
  SFNClient: 'step-functions',
  SchedulerClient: 'scheduler',
  LambdaClient: 'lambda',
};

export class Meter {
  #calls = new Map<string, MeteredCalls>();

  attach(client: MeteredClient): void {
    const middleware = (next: Attempt, context: AttemptContext) => async (args: AttemptArguments) => {
      const service = services[context.clientName ?? ''];
      const operation = (context.commandName ?? '').replace(/Command$/, '');
      if (service === undefined) return next(args);
      try {
        const result = await next(args);
        this.#count(service, operation, billedUnits(service, operation, args.input, { output: result.output }));
        return result;
      } catch (error) {
        this.#count(service, operation, billedUnits(service, operation, args.input, { error }));
        throw error;
      }
    };
    // Around the step that reads the answer, inside of the one that tries again.
    client.middlewareStack.add(
      middleware as never,
      { step: 'deserialize', priority: 'high', name: 'sluiceMeter', override: true } as never,
    );
  }

  /** What was counted since the last time. */
  take(): readonly MeteredCalls[] {
    const calls = [...this.#calls.values()];
    this.#calls = new Map();
    return calls;
  }

  /** The same as a bill. */
  takeBill(): Bill {
    const bill: Record<string, number> = {};
    for (const { service, operation, unit, requests, units } of this.take()) {
      const name = `${service}.${operation}`;
      bill[name] = (bill[name] ?? 0) + requests;
      if (unit !== 'call' && unit !== 'free') bill[`${name}.${unit}`] = units;
    }
    return bill;
  }

  #count(service: Service, operation: string, { unit, units }: { readonly unit: BilledUnit; readonly units: number }): void {
    const id = `${service} ${operation} ${unit}`;
    const { requests, units: before } = this.#calls.get(id) ?? { requests: 0, units: 0 };
    this.#calls.set(id, { service, operation, unit, requests: requests + 1, units: before + units });
  }
}
