/** XSD validation against a folder of schemas, by libxml2. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import {
  ParseOption,
  XmlBufferInputProvider,
  XmlDocument,
  XmlLibError,
  XsdValidator,
  xmlCleanupInputProvider,
  xmlRegisterInputProvider,
} from 'libxml2-wasm';
import { Fault, reasonOf } from '../base/errors.ts';

export type SchemaFinding = { readonly message: string; readonly line: number };

/** A made-up place: what is not in the folder given cannot be read, whatever a schema includes. */
const PLACE = '/schemas/';

/**
 * Validates a document against `<interaction>.xsd` in the folder or one below. Schemas may include others of the folder's
 * tree, or of folders beside it (`../dt/datatypes.xsd`), and nothing else. Throws `input.schema` where there is no usable schema.
 */
export async function validateAgainst(folder: string, interaction: string, xml: Uint8Array): Promise<SchemaFinding[]> {
  const file = await findSchema(folder, `${interaction}.xsd`);
  const tree = dirname(dirname(file));
  const schemas = await schemasBelow(tree);
  const main = schemas.get(nameOf(tree, file));
  if (!main) throw new Fault('input.schema', `${file} cannot be read`);
  const provider = new XmlBufferInputProvider(Object.fromEntries(schemas));
  xmlRegisterInputProvider(provider);
  try {
    using validator = compile(main, nameOf(tree, file));
    using document = XmlDocument.fromBuffer(xml, { option: ParseOption.XML_PARSE_NONET | ParseOption.XML_PARSE_BIG_LINES });
    validator.validate(document);
    return [];
  } catch (thrown) {
    if (!(thrown instanceof XmlLibError)) throw thrown;
    return thrown.details.map(({ message, line }) => ({ message: message.replaceAll('{urn:hl7-org:v3}', '').trim(), line }));
  } finally {
    xmlCleanupInputProvider();
  }
}

function compile(schema: Uint8Array, url: string): XsdValidator {
  using document = XmlDocument.fromBuffer(schema, { url });
  try {
    return XsdValidator.fromDoc(document);
  } catch (thrown) {
    throw new Fault('input.schema', `the schema ${url.slice(PLACE.length)} does not compile: ${reasonOf(thrown)}`, { cause: thrown });
  }
}

async function findSchema(folder: string, name: string): Promise<string> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((thrown: unknown) => {
    throw new Fault('input.schema', `the folder of schemas cannot be read: ${reasonOf(thrown)}`, { cause: thrown });
  });
  const below = entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
  for (const place of [folder, ...below]) {
    const file = resolve(place, name);
    if (
      await stat(file).then(
        (found) => found.isFile(),
        () => false,
      )
    )
      return file;
  }
  throw new Fault('input.schema', `${folder} has no ${name}`, { remedy: 'give the folder in which the schema of this interaction lies' });
}

/** Every schema of the tree by the name under which includes find it. */
async function schemasBelow(tree: string): Promise<Map<string, Uint8Array>> {
  const schemas = new Map<string, Uint8Array>();
  const folders = (await readdir(tree, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  for (const { name: folder } of folders)
    for (const name of await readdir(join(tree, folder)))
      if (name.endsWith('.xsd')) schemas.set(nameOf(tree, join(tree, folder, name)), await readFile(join(tree, folder, name)));
  return schemas;
}

function nameOf(tree: string, file: string): string {
  return PLACE + relative(tree, file).split(sep).join('/');
}
