import type { FastifyRequest } from 'fastify';
import { GP2GP_SERVICE, SIGNAL_SERVICE } from '../ebxml/envelope.ts';

/** What a request's SOAPAction says: `<service>/<action>`. */
export type SoapAction = { readonly service: string; readonly action: string };

/** Quoted or not, with one `urn:` too many or not; `null` where there is none. */
export function soapActionOf(request: Pick<FastifyRequest, 'headers'>): SoapAction | null {
  const value = request.headers['soapaction'];
  if (typeof value !== 'string') return null;
  const text = value
    .trim()
    .replace(/^"(.*)"$/, '$1')
    .replace(/^urn:urn:/, 'urn:');
  if (text === '') return null;
  const slash = text.lastIndexOf('/');
  return slash < 0 ? { service: text, action: '' } : { service: text.slice(0, slash), action: text.slice(slash + 1) };
}

/** Of a service that is neither GP2GP nor ebXML's own signals. */
export function isForeign({ service }: SoapAction): boolean {
  return service !== GP2GP_SERVICE && service !== SIGNAL_SERVICE;
}
