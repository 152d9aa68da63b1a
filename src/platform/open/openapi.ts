/** The description of the read API, made of the same schemas that questions are checked with and answers are typed by. */
import { z } from 'zod';
import {
  CodeAsked,
  DegradesAsked,
  LevelAsked,
  MetricsAsked,
  Nothing,
  OneMetricsAsked,
  OrganisationsAsked,
  OutcomesAsked,
  ShapeAsked,
} from './questions.ts';
import { SHAPES, type ShapeName } from './shapes.ts';

export const API = '/api/v1';
/** Of the interface, not of the program: what is added counts the second number up. */
const VERSION = '1.0.0';

export type Operation = {
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly about: string;
  readonly inPath: z.ZodObject | null;
  readonly query: z.ZodObject;
  /** `null`: a JSON document that has no shape of its own. */
  readonly answer: ShapeName | null;
  /** For the documentation page. */
  readonly example: string;
};

export const OPERATIONS: readonly Operation[] = [
  {
    path: '/months',
    id: 'months',
    summary: 'Months that are open',
    about: 'Figures of a month are opened about the 15th of the next.',
    inPath: null,
    query: Nothing,
    answer: 'months',
    example: '/months',
  },
  {
    path: '/organisations',
    id: 'organisations',
    summary: 'Organisations',
    about: 'Practices, sub ICB locations, integrated care boards and regions in the order of their codes.',
    inPath: null,
    query: OrganisationsAsked,
    answer: 'organisation-list',
    example: '/organisations?kind=icb&active=true',
  },
  {
    path: '/organisations/{code}',
    id: 'organisation',
    summary: 'One organisation',
    about: 'By its ODS code, in capitals or not.',
    inPath: CodeAsked,
    query: Nothing,
    answer: 'organisation',
    example: '/organisations/{code}',
  },
  {
    path: '/organisations/{code}/metrics',
    id: 'organisationMetrics',
    summary: 'The months of one organisation',
    about: 'All open months unless told otherwise, oldest first.',
    inPath: CodeAsked,
    query: OneMetricsAsked,
    answer: 'metric-list',
    example: '/organisations/{code}/metrics?definitions=national',
  },
  {
    path: '/metrics/{level}',
    id: 'metrics',
    summary: 'The months of all practices, areas or of England',
    about: 'The newest open month unless told otherwise, by code, then by month. Active places without transfers have zeroes.',
    inPath: LevelAsked,
    query: MetricsAsked,
    answer: 'metric-list',
    example: '/metrics/practices?limit=10',
  },
  {
    path: '/outcomes',
    id: 'outcomes',
    summary: 'Outcomes per supplier pathway',
    about: 'How the transfers of England ended, by the systems of both practices, reason and error.',
    inPath: null,
    query: OutcomesAsked,
    answer: 'outcome-list',
    example: '/outcomes?limit=10',
  },
  {
    path: '/degrades',
    id: 'degrades',
    summary: 'Degrades',
    about:
      'What could not be taken over as it was, by system, kind, reason and code. Codes of fewer than 5 degrades of a month stand together.',
    inPath: null,
    query: DegradesAsked,
    answer: 'degrade-list',
    example: '/degrades?limit=10',
  },
  {
    path: '/datasets',
    id: 'datasets',
    summary: 'Files with everything',
    about: 'Addresses of CSV and Parquet files: each month, and all of them.',
    inPath: null,
    query: Nothing,
    answer: 'dataset-list',
    example: '/datasets',
  },
  {
    path: '/schemas/{name}',
    id: 'schema',
    summary: 'JSON schema of a shape',
    about: `One of ${Object.keys(SHAPES).join(', ')}, with .json behind it.`,
    inPath: ShapeAsked,
    query: Nothing,
    answer: null,
    example: '/schemas/metric.json',
  },
  {
    path: '/openapi.json',
    id: 'openapi',
    summary: 'This description',
    about: 'OpenAPI 3.1.',
    inPath: null,
    query: Nothing,
    answer: null,
    example: '/openapi.json',
  },
];

export function schemaOf(name: ShapeName): unknown {
  return { ...z.toJSONSchema(SHAPES[name]), $id: `${API}/schemas/${name}.json`, title: name };
}

/** `synthetic`: the figures are invented, and the description says so. */
export function openApi(synthetic = false): unknown {
  const schemas = Object.fromEntries(
    (Object.keys(SHAPES) as ShapeName[]).map((name) => {
      const { $schema: _dialect, ...schema } = z.toJSONSchema(SHAPES[name]);
      return [name, schema];
    }),
  );
  return {
    openapi: '3.1.0',
    info: {
      title: 'GP Registrations Data',
      version: VERSION,
      description: `${synthetic ? 'Invented data: no practice, transfer or figure here is real. ' : ''}Figures of GP2GP transfers of England. Reading is free, without a key, from any web page. Answers carry an ETag: a question with If-None-Match costs nothing while nothing is new. Nothing here says anything about a patient or a single transfer.`,
      license: { name: 'Open Government Licence v3.0', url: 'https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/' },
    },
    servers: [{ url: API }],
    paths: Object.fromEntries(OPERATIONS.map((operation) => [operation.path, { get: described(operation) }])),
    components: { schemas },
  };
}

function described({ id, summary, about, inPath, query, answer }: Operation): unknown {
  const problem = { $ref: '#/components/schemas/problem' };
  const refused = (description: string) => ({ description, content: { 'application/problem+json': { schema: problem } } });
  return {
    operationId: id,
    summary,
    description: about,
    parameters: [...(inPath ? parametersOf(inPath, 'path') : []), ...parametersOf(query, 'query')],
    responses: {
      200: {
        description: summary,
        headers: {
          ETag: { schema: { type: 'string' }, description: 'For If-None-Match' },
          ...(answer?.endsWith('-list') && { Link: { schema: { type: 'string' }, description: 'The next page, rel="next"' } }),
        },
        content: { 'application/json': { schema: answer ? { $ref: `#/components/schemas/${answer}` } : { type: 'object' } } },
      },
      304: { description: 'Nothing is new since the ETag that was given' },
      400: refused('A parameter is not what it must be; "field" names it'),
      404: refused('There is no such organisation, month or shape'),
    },
  };
}

export type Parameter = {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required: boolean;
  readonly description: string;
  readonly schema: unknown;
};

export function parametersOf(shape: z.ZodObject, where: 'path' | 'query'): Parameter[] {
  const { properties = {}, required = [] } = z.toJSONSchema(shape, { io: 'input' });
  return Object.entries(properties).map(([name, known]) => {
    const { description = '', ...schema } = known as { description?: string };
    return { name, in: where, required: required.includes(name), description, schema };
  });
}
