/** The places of consultations as Locations, one for each name. */
import type { Location } from '../../fhir/types.ts';
import { at, child, textOf, type XmlElement } from '../../xml/element.ts';
import type { Uuid } from '../types.ts';
import { UNKNOWN } from './terms.ts';
import { addressToFhir, telecomToFhir } from './to-fhir.ts';

/** `of` gives `Location/…` for a composition; `named` the numbers of the compositions that name a place. */
export type Places = {
  readonly resources: readonly Location[];
  readonly named: ReadonlyMap<Location, readonly number[]>;
  of(composition: XmlElement): string | undefined;
};

export function placesToFhir(compositions: readonly XmlElement[], losingPractice: string, newId: () => Uuid): Places {
  const byName = new Map<string, Location>();
  const named = new Map<Location, number[]>();
  for (const [number, composition] of compositions.entries()) {
    const name = nameOf(composition);
    if (name === undefined) continue;
    const known = byName.get(name);
    if (known) {
      named.get(known)?.push(number);
      continue;
    }
    const place = at(composition, 'location', 'locatedEntity', 'locatedPlace');
    const id = newId().toUpperCase();
    const phone = telecomToFhir(child(place, 'telecom'));
    const address = addressToFhir(child(place, 'addr'));
    const made: Location = {
      resourceType: 'Location',
      id,
      meta: { profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/CareConnect-GPC-Location-1'] },
      identifier: [{ system: `https://PSSAdaptor/${losingPractice}`, value: id }],
      status: 'active',
      name,
      ...(phone && { telecom: [phone] }),
      ...(address && { address }),
    };
    byName.set(name, made);
    named.set(made, [number]);
  }
  return {
    resources: [...byName.values()].sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1)),
    named,
    of: (composition) => {
      const found = byName.get(nameOf(composition) ?? '');
      return found && `Location/${found.id}`;
    },
  };
}

function nameOf(composition: XmlElement): string | undefined {
  const location = child(composition, 'location');
  return location && (textOf(at(location, 'locatedEntity', 'locatedPlace', 'name')) || UNKNOWN);
}
