/**
 * What there is to cover: every place in the protocol's code where a method of a port is called and answers with a promise.
 *
 * A site has a name that edits of other lines leave alone: file, function, port and method, and which of these in the function. Awaits of our own functions
 * are covered by the port calls that they lead to; an await on anything else would be no place of the protocol, and is listed, so that nobody adds one
 * unseen.
 */
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';

export interface PortCall {
  /** `lib/runtime/commit.ts commit shards.commit #1` */
  readonly name: string;
  readonly method: string;
  /** Where V8 says that the call stands: `lib/runtime/commit.ts:12:34`, both from 1. */
  readonly place: string;
}

export interface CodeToCover {
  readonly calls: readonly PortCall[];
  /** Awaits on what is neither a port's nor ours, as `place: text`. */
  readonly otherAwaits: readonly string[];
}

/** Runtime, coordinator, savepoint and restore code, and what they call. */
const coveredFolders: readonly string[] = ['runtime', 'coordinator', 'savepoint', 'checkpoint', 'state'].map((name) => `lib/${name}`);

const root = join(import.meta.dirname, '../../..');

export function codeToCover(folders: readonly string[] = coveredFolders, base = root): CodeToCover {
  const files = folders.flatMap((folder) =>
    readdirSync(join(base, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(base, folder, name)),
  );
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as { readonly config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const program = ts.createProgram(files, { ...options, incremental: false });
  const reader = new Reader(program.getTypeChecker(), base);
  for (const file of files.toSorted()) reader.read(program.getSourceFile(file)!);
  return { calls: reader.calls, otherAwaits: reader.otherAwaits };
}

class Reader {
  readonly calls: PortCall[] = [];
  readonly otherAwaits: string[] = [];
  readonly #checker: ts.TypeChecker;
  readonly #base: string;
  readonly #counts = new Map<string, number>();

  constructor(checker: ts.TypeChecker, base: string) {
    this.#checker = checker;
    this.#base = base;
  }

  read(source: ts.SourceFile): void {
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node)) this.#call(source, node);
      if (ts.isAwaitExpression(node)) this.#await(source, node);
      ts.forEachChild(node, visit);
    };
    visit(source);
  }

  #call(source: ts.SourceFile, node: ts.CallExpression): void {
    const { expression } = node;
    if (!ts.isPropertyAccessExpression(expression) || !this.#isPorts(node) || !this.#isPromise(node) || isMutants(node)) return;
    const method = expression.name.text;
    const name = `${this.#fileOf(source)} ${functionAround(node)} ${receiverOf(expression.expression)}.${method}`;
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    this.calls.push({ name: `${name} #${count}`, method, place: this.#placeOf(source, expression.name) });
  }

  #await(source: ts.SourceFile, { expression }: ts.AwaitExpression): void {
    if (!this.#isKnown(expression)) this.otherAwaits.push(`${this.#placeOf(source, expression)}: ${expression.getText().slice(0, 80)}`);
  }

  #isKnown(node: ts.Expression): boolean {
    if (ts.isParenthesizedExpression(node)) return this.#isKnown(node.expression);
    if (ts.isConditionalExpression(node)) return this.#isKnown(node.whenTrue) && this.#isKnown(node.whenFalse);
    return ts.isCallExpression(node) && (this.#isPorts(node) || this.#isOurs(node) || isGathering(node));
  }

  #isPorts(node: ts.CallExpression): boolean {
    return this.#declaredIn(node, 'lib/ports/');
  }

  #isOurs(node: ts.CallExpression): boolean {
    return this.#declaredIn(node, 'lib/');
  }

  #declaredIn(node: ts.CallExpression, prefix: string): boolean {
    const declaration = this.#checker.getResolvedSignature(node)?.declaration;
    return declaration !== undefined && this.#fileOf(declaration.getSourceFile()).startsWith(prefix);
  }

  #isPromise(node: ts.Node): boolean {
    return this.#checker.getTypeAtLocation(node).getSymbol()?.name === 'Promise';
  }

  #placeOf(source: ts.SourceFile, node: ts.Node): string {
    const { line, character } = source.getLineAndCharacterOfPosition(node.getStart(source));
    return `${this.#fileOf(source)}:${line + 1}:${character + 1}`;
  }

  #fileOf({ fileName }: ts.SourceFile): string {
    return relative(this.#base, fileName).replaceAll('\\', '/');
  }
}

/** Runs only where a rule is switched off: the shipped package has `false` in its place. */
function isMutants(node: ts.Node): boolean {
  for (let at = node; at.parent !== undefined; at = at.parent) {
    const { parent } = at;
    if (ts.isIfStatement(parent) && parent.thenStatement === at && isFalse(parent.expression)) return true;
    if (ts.isConditionalExpression(parent) && parent.whenTrue === at && isFalse(parent.condition)) return true;
  }
  return false;
}

function isFalse(condition: ts.Expression): boolean {
  if (ts.isBinaryExpression(condition) && condition.operatorToken.kind === ts.SyntaxKind.AmpersandAmpersandToken)
    return isFalse(condition.left) || isFalse(condition.right);
  return ts.isCallExpression(condition) && condition.expression.getText() === 'mutated';
}

/** `Promise.all` over calls counts by its calls. */
function isGathering({ expression }: ts.CallExpression): boolean {
  return ts.isPropertyAccessExpression(expression) && expression.expression.getText() === 'Promise';
}

function receiverOf(node: ts.Expression): string {
  if (ts.isNonNullExpression(node) || ts.isParenthesizedExpression(node)) return receiverOf(node.expression);
  if (ts.isPropertyAccessExpression(node)) return node.name.text;
  if (ts.isElementAccessExpression(node)) return receiverOf(node.expression);
  return ts.isCallExpression(node) ? receiverOf(node.expression) : node.getText();
}

function functionAround(node: ts.Node): string {
  for (let at: ts.Node | undefined = node.parent; at !== undefined; at = at.parent) {
    if ((ts.isFunctionDeclaration(at) || ts.isMethodDeclaration(at)) && at.name !== undefined) return at.name.getText();
    if ((ts.isVariableDeclaration(at) || ts.isPropertyAssignment(at) || ts.isPropertyDeclaration(at)) && isFunction(at.initializer))
      return at.name.getText();
  }
  return 'module';
}

function isFunction(node: ts.Expression | undefined): boolean {
  return node !== undefined && (ts.isArrowFunction(node) || ts.isFunctionExpression(node));
}
