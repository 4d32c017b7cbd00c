// The API by its entry points: `exports` of package.json, from the sources that they are built of.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);

/** Sources of the entry points by the names under which they are imported. */
export function entryPoints(root) {
  const { name, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const typed = Object.entries(exports).filter(([, entry]) => entry.types);
  return typed.map(([path, { types }]) => [join(name, path), types.replace('./dist/', '').replace(/\.d\.ts$/, '.ts')]);
}

export async function writeApi(root, pages) {
  const typedoc = await import('typedoc');
  const { Application, Converter } = typedoc;
  const entries = entryPoints(root);
  const out = join(pages, 'api');
  mkdirSync(out, { recursive: true });
  const app = await Application.bootstrapWithPlugins({
    entryPoints: entries.map(([, source]) => join(root, source)),
    tsconfig: join(root, 'tsconfig.json'),
    plugin: [require.resolve('typedoc-plugin-markdown')],
    out,
    name: 'API',
    readme: 'none',
    entryFileName: 'index',
    outputFileStrategy: 'members',
    membersWithOwnFile: ['Class', 'Interface'],
    excludePrivate: true,
    disableSources: true,
    // The sources are checked by the project's own compiler.
    skipErrorChecking: true,
    logLevel: 'Error',
    hidePageHeader: true,
    useCodeBlocks: true,
    parametersFormat: 'table',
    interfacePropertiesFormat: 'table',
    classPropertiesFormat: 'table',
    propertyMembersFormat: 'table',
    typeDeclarationFormat: 'table',
    indexFormat: 'table',
    expandObjects: false,
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context) => {
    for (const module of context.project.children ?? []) {
      const own = entries.find(([, source]) => source.replace(/(\/index)?\.ts$/, '') === module.name);
      if (own) module.name = own[0];
    }
    keepNames(context, typedoc);
  });
  const project = await app.convert();
  if (!project) throw new Error('TypeDoc could not read the sources');
  await app.generateOutputs(project);
}

/**
 * A type that the source calls by a name is shown by that name: what zod makes of a schema would be written out wherever an experiment is taken, a hundred rows each time.
 */
function keepNames(context, { ReferenceType, ReflectionKind, UnknownType }) {
  const { project } = context;
  const aliases = new Map(project.getReflectionsByKind(ReflectionKind.TypeAlias).map((alias) => [alias.name, alias]));
  for (const reflection of Object.values(project.reflections)) {
    if (reflection.type?.type !== 'reflection') continue;
    const owner = reflection.kindOf(ReflectionKind.SomeSignature) ? reflection.parent : reflection;
    const written = context.getSymbolFromReflection(owner)?.declarations?.[0]?.type?.getText();
    if (!written || !/^\w+$/.test(written)) continue;
    const alias = aliases.get(written);
    project.removeTypeReflections(reflection.type);
    reflection.type = alias ? ReferenceType.createResolvedReference(written, alias, project) : new UnknownType(written);
  }
}
