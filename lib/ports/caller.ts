/** Who calls the API, as the gateway before it has found out. */
export interface Caller {
  /** ARN of the IAM identity, or issuer and subject of the token. */
  readonly who: string;
  readonly requestId: string;
  /** The path that the gateway has decided on. */
  readonly path: string;
  /** Of the token; null: the gateway decides by method and path alone (IAM). */
  readonly scopes: readonly string[] | null;
}
