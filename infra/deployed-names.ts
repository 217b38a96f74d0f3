/**
 * Names that CloudFormation gives while it deploys, in parameters of a job: `s3://${bucket.bucketName}/out`, `table.tableName`.
 *
 * DN1. The plan of the synthesis has a stand-in for each, which is a valid name of a bucket and of a table; permissions name the thing itself. The functions
 *      are told the parameters as they are deployed, and compile their plan of these.
 * DN2. A stand-in is the same in every synthesis: names of policies are made of the plan (named-policy.ts). Numbers of tokens are not.
 */
import { Reference, Token, Tokenization, type IResolvable } from 'aws-cdk-lib';
import { CfnQueue } from 'aws-cdk-lib/aws-sqs';
import { createHash } from 'node:crypto';

type Parameters = Readonly<Record<string, string>>;

export interface DeployedNames {
  /** What the synthesis plans with. */
  readonly parameters: Parameters;
  /** A part of that plan, as it will be deployed. */
  readonly deployed: (text: string) => string;
}

/** @throws Error where a token is an ARN or a URL: of such a place nothing is known before it is deployed */
export function deployedNames(parameters: Parameters): DeployedNames {
  const tokens = new Map<string, string>();
  const planned = Object.entries(parameters).map(([parameter, text]) => {
    let count = 0;
    const standInFor = (token: IResolvable): string => {
      if (!isName(token))
        throw new Error(
          `the parameter ${parameter} has a token that is not the name of a bucket or a table: give that name, or write out the rest`,
        );
      const standIn = `sluice-token-${createHash('sha256')
        .update(Reference.isReference(token) ? token.target.node.path : `${parameter} ${count++}`)
        .digest('hex')
        .slice(0, 16)}`;
      tokens.set(standIn, Token.asString(token));
      return standIn;
    };
    if (!Token.isUnresolved(text)) return [parameter, text] as const;
    const parts = Tokenization.reverseString(text).mapTokens({ mapToken: standInFor });
    return [parameter, String(parts.join({ join: (left: string, right: string) => left + right }))] as const;
  });
  return {
    parameters: Object.fromEntries(planned),
    deployed: (text) => text.replace(/sluice-token-[0-9a-f]{16}/g, (standIn) => tokens.get(standIn) ?? standIn),
  };
}

/** Of a queue `Ref` is its URL. What another stack or a person gives is taken for what it should be. */
function isName(token: IResolvable): boolean {
  if (!Reference.isReference(token)) return true;
  const { displayName, target } = token;
  return displayName === 'Ref' && !(target instanceof CfnQueue || target.node.defaultChild instanceof CfnQueue);
}
