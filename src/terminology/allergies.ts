/** Below what an allergy is one to a drug, or one at all: the roots of findings and of substances and products. */

export const DRUG_ALLERGIES: readonly string[] = [
  '419511003', // Propensity to adverse reactions to drug
  '416098002', // Allergy to drug
  '59037007', // Intolerance to drug
  '373873005', // Pharmaceutical / biologic product
  '410942007', // Drug or medicament
];

/** What is below these and below none of the drugs' is an allergy to something else. */
export const OTHER_ALLERGIES: readonly string[] = [
  '420134006', // Propensity to adverse reactions
  '419199007', // Allergy to substance
  '105590001', // Substance
];
