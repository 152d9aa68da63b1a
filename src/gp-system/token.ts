import type { Ods } from '../base/ids.ts';

/** Who asks, as the provider reads it in the token. */
export type Consumer = {
  /** Address of the system that asks. */
  readonly url: string;
  readonly product: string;
  readonly version: string;
};

/**
 * The unsigned token of GP Connect (`alg: none`, trailing dot): the provider believes it because of the connection it comes over. It is
 * good for five minutes, so each attempt has its own. `requester` is the practice entitled to the record, which the provider compares
 * with PDS.
 */
export function consumerToken(of: { consumer: Consumer; audience: string; requester: Ods; now: Date }): string {
  const { consumer, audience, requester, now } = of;
  const iat = Math.floor(now.getTime() / 1000);
  const practitioner = 'gp2gp';
  return `${encoded({ alg: 'none', typ: 'JWT' })}.${encoded({
    iss: consumer.url,
    sub: practitioner,
    aud: audience,
    iat,
    exp: iat + 300,
    reason_for_request: 'migration',
    // conf/R with sensitive information; conf/N is answered by CONFLICTING_VALUES.
    requested_scope: 'patient/*.read conf/R',
    requesting_device: {
      resourceType: 'Device',
      id: '1',
      identifier: [{ system: consumer.url, value: consumer.product }],
      model: consumer.product,
      version: consumer.version,
    },
    requesting_organization: {
      resourceType: 'Organization',
      identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: requester }],
      name: requester,
    },
    // Nobody sits before a transfer: the user is the system.
    requesting_practitioner: {
      resourceType: 'Practitioner',
      id: practitioner,
      identifier: [
        { system: 'https://fhir.nhs.uk/Id/sds-user-id', value: 'UNK' },
        { system: 'https://fhir.nhs.uk/Id/sds-role-profile-id', value: 'UNK' },
        { system: consumer.url, value: practitioner },
      ],
      name: [{ family: 'GP2GP', given: ['System'] }],
    },
  })}.`;
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');
}
