/** Executions and task tokens of Step Functions in this process. */
import { FakeService, json, jsonError, type FakeAnswer, type FakeRequest } from './fake-service.ts';

interface Execution {
  readonly input: string;
  status: string;
}

export class FakeStepFunctions {
  /** By ARN. */
  readonly executions = new Map<string, Execution>();
  /** Tokens that somebody waits for; what was answered to them, and those that came too late. */
  readonly waiting = new Set<string>();
  readonly late = new Set<string>();
  readonly answers: (readonly [string, unknown])[] = [];
  readonly service = new FakeService(
    ({ headers }) => headers['x-amz-target']!.replace('AWSStepFunctions.', ''),
    async (request) => this.#answer(request),
  );

  #answer({ operation, body }: FakeRequest): FakeAnswer {
    const input = JSON.parse(body.toString());
    switch (operation) {
      case 'StartExecution':
        return this.#start(input);
      case 'DescribeExecution': {
        const found = this.executions.get(input.executionArn);
        return found === undefined ? jsonError('ExecutionDoesNotExist') : json({ executionArn: input.executionArn, status: found.status });
      }
      default: {
        const { taskToken: token, ...answer } = input;
        if (this.late.has(token)) return jsonError('TaskTimedOut');
        if (token === 'not one') return jsonError('InvalidToken');
        if (!this.waiting.delete(token)) return jsonError('TaskDoesNotExist');
        this.late.add(token);
        this.answers.push([operation, answer]);
        return json({});
      }
    }
  }

  #start({ stateMachineArn, name, input }: { stateMachineArn: string; name: string; input: string }): FakeAnswer {
    if (!/^[A-Za-z0-9._-]{1,80}$/.test(name)) return jsonError('InvalidName');
    const arn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
    const known = this.executions.get(arn);
    if (known !== undefined && (known.status !== 'RUNNING' || known.input !== input)) return jsonError('ExecutionAlreadyExists');
    if (known === undefined) this.executions.set(arn, { input, status: 'RUNNING' });
    return json({ executionArn: arn, startDate: 0 });
  }
}
