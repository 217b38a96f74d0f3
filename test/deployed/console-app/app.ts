/** `cdk --app "node --conditions=sluice-source test/deployed/console-app/app.ts" -c folder=…`: a control plane with a page, on an emulator. */
import { App, CfnOutput, CliCredentialsStackSynthesizer, Stack, type IReusableStackSynthesizer } from 'aws-cdk-lib';
import { SluiceControlPlane } from '../../../infra/sluice-control-plane.ts';

const app = new App();
const stack = new Stack(app, 'Console', { synthesizer: new CliCredentialsStackSynthesizer() as IReusableStackSynthesizer });
const folder = app.node.getContext('folder') as string;
const { api, console } = new SluiceControlPlane(stack, 'ControlPlane', {
  enforceSSL: false,
  console: { folder },
});

new CfnOutput(stack, 'ApiUrl', { value: api.apiEndpoint });
new CfnOutput(stack, 'Origin', { value: console!.origin });
new CfnOutput(stack, 'SiteBucket', { value: console!.bucket.bucketName });
