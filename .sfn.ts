import { SFNClient, StartExecutionCommand, DescribeExecutionCommand } from '@aws-sdk/client-sfn';
const [input] = process.argv.slice(2);
const sfn = new SFNClient({});
const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn: `arn:aws:states:us-east-1:000000000000:stateMachine:sluice-${process.env.JOB!.slice(0, 16)}-restore`, name: `by-hand-${Date.now()}`, input: input! }));
for (let i = 0; i < 60; i++) { const d = await sfn.send(new DescribeExecutionCommand({ executionArn: executionArn! })); if (d.status !== 'RUNNING') { console.log(d.status, (d.output ?? '').slice(0, 1500), d.error ?? '', d.cause ?? ''); break; } await new Promise((r) => setTimeout(r, 1000)); }
