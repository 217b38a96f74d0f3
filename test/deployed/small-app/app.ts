/** A throw-away app: a FIFO queue, a function that says what it is given, a table with expiry, and a state machine. What corrections.test.ts looks at. */
import { App, CfnOutput, CliCredentialsStackSynthesizer, Duration, type IStackSynthesizer, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AttributeType, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { DeduplicationScope, FifoThroughputLimit, Queue } from 'aws-cdk-lib/aws-sqs';
import { DefinitionBody, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { buildSync } from 'esbuild';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { definition } from './definition.ts';

const bundle = mkdtempSync(join(tmpdir(), 'sluice-small-app-'));
process.once('exit', () => rmSync(bundle, { recursive: true, force: true }));
buildSync({
  entryPoints: [join(import.meta.dirname, 'handler.ts')],
  outfile: join(bundle, 'handler.mjs'),
  bundle: true,
  minify: true,
  keepNames: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  mainFields: ['module', 'main'],
  banner: { js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);" },
  logLevel: 'error',
});

const app = new App();
// The CDK's own types are not made for exactOptionalPropertyTypes.
const synthesizer = new CliCredentialsStackSynthesizer() as IStackSynthesizer;
const stack = new Stack(app, 'SluiceSmall', { synthesizer });
const table = new TableV2(stack, 'Table', {
  partitionKey: { name: 'pk', type: AttributeType.STRING },
  sortKey: { name: 'sk', type: AttributeType.STRING },
  timeToLiveAttribute: 'expiresAt',
  removalPolicy: RemovalPolicy.DESTROY,
});
const deadLetters = new Queue(stack, 'DeadLetters', { fifo: true });
const queue = new Queue(stack, 'Queue', {
  fifo: true,
  deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
  fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
  visibilityTimeout: Duration.seconds(Number(app.node.tryGetContext('visibilitySeconds') ?? 4)),
  deadLetterQueue: { queue: deadLetters, maxReceiveCount: 4 },
});
const handler = new LambdaFunction(stack, 'Handler', {
  runtime: Runtime.NODEJS_24_X,
  handler: 'handler.handler',
  code: Code.fromAsset(bundle),
  timeout: Duration.seconds(4),
  memorySize: 256,
  environment: { TABLE: table.tableName, QUEUE_URL: queue.queueUrl },
});
// By name: what is not named here must be refused.
handler.addToRolePolicy(new PolicyStatement({ actions: ['dynamodb:PutItem'], resources: [table.tableArn] }));
handler.addToRolePolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [queue.queueArn] }));
handler.addEventSource(new SqsEventSource(queue, { batchSize: 10, reportBatchItemFailures: true, maxConcurrency: 4 }));
const machine = new StateMachine(stack, 'Machine', {
  definitionBody: DefinitionBody.fromString(JSON.stringify(definition)),
  definitionSubstitutions: { Handler: handler.functionArn },
});
handler.grantInvoke(machine);

const outputs = {
  table: table.tableName,
  queueUrl: queue.queueUrl,
  deadLettersArn: deadLetters.queueArn,
  function: handler.functionName,
  machine: machine.stateMachineArn,
};
for (const [name, value] of Object.entries(outputs)) new CfnOutput(stack, name, { value });
