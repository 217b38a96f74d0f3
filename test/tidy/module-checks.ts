import { posix } from 'node:path';
import ts from 'typescript';
import { code } from './text-checks.ts';
import type { Check, TextFile } from './repository.ts';

const exportsMax = 5;
/** The public entries: `lib/index.ts` and, one folder deep, `lib/testing/index.ts`. */
const publicBarrel = /^lib\/(?:[a-z-]+\/)?index\.ts$/;

/** One owner of all keys on purpose. It may only fall. */
const exportsRatchet: Readonly<Record<string, number>> = { 'lib/model/object-keys.ts': 10 };

function declaredNames(statement: ts.Statement): readonly string[] {
  if (ts.isExportDeclaration(statement)) {
    const clause = statement.exportClause;
    return clause !== undefined && ts.isNamedExports(clause) ? clause.elements.map((element) => element.name.text) : ['*'];
  }
  if (ts.isExportAssignment(statement)) {
    return ['default'];
  }
  const exported =
    ts.canHaveModifiers(statement) && ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;
  if (!exported) {
    return [];
  }
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map((declaration) => declaration.name.getText());
  }
  return 'name' in statement ? [(statement.name as ts.Identifier).text] : [];
}

function exportedValues({ path, text }: TextFile): ReadonlySet<string> {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const values = source.statements.filter((statement) => !ts.isInterfaceDeclaration(statement) && !ts.isTypeAliasDeclaration(statement));
  return new Set(values.flatMap(declaredNames));
}

/** Distinct names: the overloads of a function are one, as are a value and the type of the same name. */
function exportedNames({ path, text }: TextFile): ReadonlySet<string> {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  return new Set(source.statements.flatMap(declaredNames));
}

/** Types are not counted: those of one record or message belong together, and cost nothing where they are not used. */
const fewExports: Check = (files) =>
  code(files)
    .filter(({ path }) => !publicBarrel.test(path))
    .map((file) => ({ path: file.path, count: exportedValues(file).size }))
    .filter(({ path, count }) => count > (exportsRatchet[path] ?? exportsMax))
    .map(({ path, count }) => `${path}: ${count} exports, at most ${exportsRatchet[path] ?? exportsMax}`);

const barrelsOnlyForUsers: Check = (files) =>
  code(files)
    .filter((file) => file.path.startsWith('lib/') && !publicBarrel.test(file.path) && exportedNames(file).has('*'))
    .map(({ path }) => `${path}: export by name; only public entries are barrels`);

/** Quoted relative paths of code: imports of every kind, and files handed to a worker or a child process. */
function mentionedFiles({ path, text }: TextFile): readonly string[] {
  return [...text.matchAll(/['"`](\.{1,2}\/[^'"`\s]+\.(?:ts|mjs|js))['"`]/g)].map((match) =>
    posix.join(posix.dirname(path), match[1] ?? ''),
  );
}

function publicEntries(files: readonly TextFile[]): readonly string[] {
  const manifest = files.find(({ path }) => path === 'package.json');
  const { exports = {} } = JSON.parse(manifest?.text ?? '{}') as {
    exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  };
  const targets = Object.values(exports).flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)));
  return targets.map((target) => posix.normalize(target));
}

const nothingDeadInLib: Check = (files) => {
  const byPath = new Map(code(files).map((file) => [file.path, file]));
  const waiting = [...publicEntries(files), ...[...byPath.keys()].filter((path) => /^(?:bin|functions|infra)\//.test(path))];
  const reached = new Set<string>();
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const file = byPath.get(path);
    if (file !== undefined && !reached.has(path)) {
      reached.add(path);
      waiting.push(...mentionedFiles(file));
    }
  }
  return [...byPath.keys()]
    .filter((path) => path.startsWith('lib/') && !reached.has(path))
    .map((path) => `${path}: neither the package's entries nor bin, functions or infra reach it`);
};

export const moduleChecks: Readonly<Record<string, Check>> = {
  [`no file has more than ${exportsMax} exports`]: fewExports,
  'only public entries are barrels': barrelsOnlyForUsers,
  'no file of lib is unreachable': nothingDeadInLib,
};
