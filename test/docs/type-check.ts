import { dirname, join } from 'node:path';
import ts from 'typescript';
import { repositoryRoot } from '../tidy/repository.ts';
import type { CodeBlock } from './markdown.ts';

/** All blocks in one program, each a module of its own beside its page, so that `sluice` is found as it is by a job file here. Complaints name page and line. */
export function typeCheck(blocks: readonly CodeBlock[]): readonly string[] {
  const options = compilerOptions();
  const byFile = new Map(blocks.map((block, index) => [join(repositoryRoot, dirname(block.page), `block-${index}.ts`), block]));
  // What a page calls `./job.ts` is the job of the README.
  const jobBeside = join(repositoryRoot, 'docs', 'job.ts');
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (path) => path === jobBeside || byFile.has(path) || fileExists.call(host, path);
  host.readFile = (path) =>
    byFile.get(path)?.text ?? readFile.call(host, path === jobBeside ? join(repositoryRoot, 'examples/readme/job.ts') : path);
  const program = ts.createProgram([...byFile.keys()], options, host);
  return [...byFile].flatMap(([path, block]) => {
    const source = program.getSourceFile(path)!;
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(({ start = 0, messageText }) => {
      const line = block.line + source.getLineAndCharacterOfPosition(start).line;
      return `${block.page}:${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
  });
}

/** Those of the project. */
function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(repositoryRoot, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, { ...ts.sys, readDirectory: () => [] }, repositoryRoot);
  const { tsBuildInfoFile: _, ...others } = options;
  return { ...others, incremental: false };
}
