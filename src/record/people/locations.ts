/** The places of consultations as Locations, one for each name. */
import type { Location } from '../../fhir/types.ts';
import { at, child, textOf, type XmlElement } from '../../xml/element.ts';
import type { Uuid } from '../types.ts';
import { UNKNOWN } from './terms.ts';
import { addressToFhir, telecomToFhir } from './to-fhir.ts';

/** `of` gives `Location/…` for a composition. */
export type Places = { readonly resources: readonly Location[]; of(composition: XmlElement): string | undefined };

export function placesToFhir(compositions: readonly XmlElement[], losingPractice: string, newId: () => Uuid): Places {
  const byName = new Map<string, Location>();
  for (const composition of compositions) {
    const name = nameOf(composition);
    if (name === undefined || byName.has(name)) continue;
    const place = at(composition, 'location', 'locatedEntity', 'locatedPlace');
    const id = newId().toUpperCase();
    const phone = telecomToFhir(child(place, 'telecom'));
    const address = addressToFhir(child(place, 'addr'));
    byName.set(name, {
      resourceType: 'Location',
      id,
      meta: { profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/CareConnect-GPC-Location-1'] },
      identifier: [{ system: `https://PSSAdaptor/${losingPractice}`, value: id }],
      status: 'active',
      name,
      ...(phone && { telecom: [phone] }),
      ...(address && { address }),
    });
  }
  return {
    resources: [...byName.values()].sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1)),
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
