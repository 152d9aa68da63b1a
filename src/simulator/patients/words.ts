/** Short lists that synthetic patients are made of. Concept ids are SNOMED CT (UK); check digits are tested. */
export type Term = readonly [code: string, display: string];

export const FAMILY = [
  'Ashdown',
  'Birtwhistle',
  'Calloway',
  'Dunmore',
  'Eastwick',
  'Farrant',
  'Garside',
  'Hollis',
  'Iveson',
  'Jessop',
  'Kirkby',
  'Larkin',
  'Mosley',
  'Norcross',
  'Oakden',
  'Penrose',
  'Quayle',
  'Rushton',
  'Selby',
  'Thackray',
  "O'Malley",
  'Underhill',
  'Varley',
  'Wharton',
  'Yardley',
  'Ó Briain',
  'Nwachukwu',
  'Szymański',
  'Rahman',
  'Patel-Green',
] as const;
export const GIVEN = {
  female: [
    'Amelia',
    'Beatrix',
    'Chloé',
    'Dorothy',
    'Esther',
    'Fatima',
    'Grace',
    'Hannah',
    'Imogen',
    'Joan',
    'Kirsty',
    'Leila',
    'Maud',
    'Nadia',
    'Olive',
  ],
  male: [
    'Albert',
    'Benedict',
    'Cedric',
    'Dylan',
    'Edwin',
    'Farid',
    'George',
    'Hugo',
    'Idris',
    'Joseph',
    'Kenneth',
    'Lorcan',
    'Malik',
    'Noah',
    'Oscar',
  ],
} as const;
export const STREETS = [
  'Mill Lane',
  'Station Road',
  'The Crescent',
  'Chapel Street',
  'Orchard Close',
  'Beech Avenue',
  'Moor View',
  'St. Anne’s Terrace',
] as const;
export const TOWNS = [
  ['Elmsworth', 'ZZ1'],
  ['Nether Hadley', 'ZZ2'],
  ['Port Arden', 'ZZ3'],
  ['Thornby', 'ZZ4'],
] as const;

export const PROBLEMS: readonly Term[] = [
  ['38341003', 'Hypertensive disorder'],
  ['195967001', 'Asthma'],
  ['44054006', 'Type 2 diabetes mellitus'],
  ['40930008', 'Hypothyroidism'],
  ['35489007', 'Depressive disorder'],
  ['396275006', 'Osteoarthritis'],
  ['43116000', 'Eczema'],
  ['37796009', 'Migraine'],
  ['90560007', 'Gout'],
  ['13645005', 'Chronic obstructive lung disease'],
  ['49436004', 'Atrial fibrillation'],
  ['235595009', 'Gastroesophageal reflux disease'],
  ['9014002', 'Psoriasis'],
  ['34713006', 'Vitamin D deficiency'],
];
export const COMPLAINTS: readonly Term[] = [
  ['54150009', 'Upper respiratory infection'],
  ['68566005', 'Urinary tract infectious disease'],
  ['279039007', 'Low back pain'],
  ['65363002', 'Otitis media'],
  ['36971009', 'Sinusitis'],
  ['90176007', 'Tonsillitis'],
  ['25064002', 'Headache'],
  ['49727002', 'Cough'],
  ['84229001', 'Fatigue'],
  ['21522001', 'Abdominal pain'],
  ['404640003', 'Dizziness'],
  ['271807003', 'Eruption of skin'],
  ['57676002', 'Joint pain'],
];
export const DRUG_ALLERGIES: readonly Term[] = [
  ['91936005', 'Allergy to penicillin'],
  ['293586001', 'Allergy to aspirin'],
  ['294505008', 'Allergy to amoxicillin'],
];
export const OTHER_ALLERGIES: readonly Term[] = [
  ['91935009', 'Allergy to peanut'],
  ['300916003', 'Allergy to latex'],
  ['91930004', 'Allergy to egg protein'],
];
export const VACCINATIONS: readonly (readonly [code: string, display: string, substance: string])[] = [
  ['86198006', 'Administration of vaccine product containing only Influenza virus antigen', 'Influenza vaccine'],
  ['12866006', 'Administration of vaccine product containing only Streptococcus pneumoniae antigen', 'Pneumococcal vaccine'],
  ['38598009', 'Administration of vaccine product containing only Measles and Mumps and Rubella virus antigens', 'MMR vaccine'],
  ['73152006', 'Administration of booster dose of tetanus vaccine', 'Tetanus vaccine'],
];
/** Name, unit, mean, deviation, digits after the point. */
export const MEASUREMENTS: readonly (readonly [Term, unit: string, mean: number, deviation: number, digits: number])[] = [
  [['27113001', 'Body weight'], 'kg', 78, 14, 1],
  [['50373000', 'Body height'], 'cm', 170, 9, 0],
  [['60621009', 'Body mass index'], 'kg/m2', 27, 4, 1],
  [['78564009', 'Pulse rate'], '/min', 74, 9, 0],
  [['386725007', 'Body temperature'], 'Cel', 36.8, 0.4, 1],
  [['431314004', 'Peripheral oxygen saturation'], '%', 97, 1, 0],
];
export const LIFESTYLE: readonly Term[] = [
  ['266919005', 'Never smoked tobacco'],
  ['8517006', 'Ex-smoker'],
  ['77176002', 'Smoker'],
];
/** A drug and how it is taken; `repeat` ones go on for years. Codes are given in order from our own item numbers. */
export const DRUGS: readonly {
  readonly name: string;
  readonly dose: string;
  readonly quantity: number;
  readonly unit: string;
  readonly repeat: boolean;
}[] = [
  { name: 'Ramipril 5mg capsules', dose: 'One To Be Taken Each Day', quantity: 28, unit: 'capsule', repeat: true },
  { name: 'Atorvastatin 20mg tablets', dose: 'One To Be Taken At Night', quantity: 28, unit: 'tablet', repeat: true },
  { name: 'Metformin 500mg tablets', dose: 'One To Be Taken Twice A Day With Meals', quantity: 56, unit: 'tablet', repeat: true },
  { name: 'Levothyroxine sodium 50microgram tablets', dose: 'One To Be Taken Each Morning', quantity: 28, unit: 'tablet', repeat: true },
  { name: 'Salbutamol 100micrograms/dose inhaler CFC free', dose: 'Inhale 2 Doses As Needed', quantity: 200, unit: 'dose', repeat: true },
  { name: 'Omeprazole 20mg gastro-resistant capsules', dose: 'One To Be Taken Each Day', quantity: 28, unit: 'capsule', repeat: true },
  { name: 'Amlodipine 5mg tablets', dose: 'One To Be Taken Each Day', quantity: 28, unit: 'tablet', repeat: true },
  { name: 'Sertraline 50mg tablets', dose: 'One To Be Taken Each Day', quantity: 28, unit: 'tablet', repeat: true },
  { name: 'Amoxicillin 500mg capsules', dose: 'One To Be Taken Three Times A Day', quantity: 21, unit: 'capsule', repeat: false },
  {
    name: 'Nitrofurantoin 100mg modified-release capsules',
    dose: 'One To Be Taken Twice A Day',
    quantity: 6,
    unit: 'capsule',
    repeat: false,
  },
  { name: 'Ibuprofen 400mg tablets', dose: 'One To Be Taken Three Times A Day After Food', quantity: 24, unit: 'tablet', repeat: false },
  { name: 'Prednisolone 5mg tablets', dose: 'Six To Be Taken Each Day For 5 Days', quantity: 30, unit: 'tablet', repeat: false },
  { name: 'Hydrocortisone 1% cream', dose: 'Apply Thinly Twice A Day', quantity: 30, unit: 'gram', repeat: false },
];
type Test = readonly [Term, unit: string, low: number, high: number, digits: number];
/** Groups of tests as laboratories report them. */
export const PANELS: readonly { readonly group: Term; readonly specimen: string; readonly tests: readonly Test[] }[] = [
  {
    group: ['1022441000000101', 'Full blood count'],
    specimen: 'Blood',
    tests: [
      [['1022431000000105', 'Haemoglobin estimation'], 'g/L', 130, 170, 0],
      [['1022541000000102', 'Total white cell count'], '10*9/L', 4, 11, 2],
      [['1022651000000100', 'Platelet count'], '10*9/L', 150, 410, 0],
      [['1022291000000105', 'Haematocrit'], 'L/L', 0.37, 0.5, 3],
    ],
  },
  {
    group: ['1020291000000106', 'Renal profile'],
    specimen: 'Serum',
    tests: [
      [['1000661000000107', 'Serum sodium level'], 'mmol/L', 133, 146, 0],
      [['1000651000000109', 'Serum potassium level'], 'mmol/L', 3.5, 5.3, 1],
      [['1000731000000107', 'Serum creatinine level'], 'umol/L', 59, 104, 0],
      [['1000951000000103', 'Serum urea level'], 'mmol/L', 2.5, 7.8, 1],
    ],
  },
  {
    group: ['1003141000000105', 'Liver function tests'],
    specimen: 'Serum',
    tests: [
      [['1018251000000107', 'Serum alanine aminotransferase level'], 'U/L', 5, 50, 0],
      [['1000621000000104', 'Serum alkaline phosphatase level'], 'U/L', 30, 130, 0],
      [['1000821000000103', 'Serum albumin level'], 'g/L', 35, 50, 0],
    ],
  },
];
export const SINGLE_TESTS: readonly Test[] = [
  [['1022791000000101', 'Serum TSH level'], 'mU/L', 0.27, 4.2, 2],
  [['1019431000000105', 'HbA1c level'], 'mmol/mol', 20, 41, 0],
  [['1001371000000100', 'Serum CRP level'], 'mg/L', 0, 5, 0],
];
export const SPECIALTIES = [
  'Cardiology',
  'Dermatology',
  'Ear, nose and throat',
  'Physiotherapy',
  'Ophthalmology',
  'Gastroenterology',
] as const;
export const RECALLS: readonly Term[] = [
  ['86198006', 'Influenza vaccination'],
  ['413757005', 'Medication review due'],
  ['171149006', 'Screening for malignant neoplasm of cervix'],
];
export const SENTENCES = [
  'Feels much better since the last visit.',
  'No red flags; safety-netted & advised to return if worse.',
  'Temp < 38, chest clear, ENT normal.',
  'Lives with partner, works full time; sleep poor.',
  'Discussed options – patient prefers to wait and see.',
  'BP at home averages 132/78 over 7 days.',
  'Patient\'s daughter "worried about memory", cognitive test booked.',
  'Café job, on feet all day. Pain 6/10.',
  'Medication reviewed, continue as before.',
  'Bloods requested: FBC, U&E, LFT.',
  'Seen with interpreter (Polish): rozumie zalecenia.',
  'Wound clean and dry; dressing changed.',
] as const;
export const VISITS: readonly (readonly [Term, title: string])[] = [
  [['25671000000102', 'Surgery Consultation Note'], 'GP Surgery'],
  [['24681000000104', 'Telephone Consultation'], 'Telephone call'],
  [['25651000000106', 'Home Visit Note'], 'Home visit'],
  [['24731000000108', 'Clinic Note'], 'Nurse clinic'],
  [['37351000000107', 'Administration Note'], 'Administration'],
  [['25741000000100', 'Third Party Consultation'], 'Out of hours'],
];
export const LETTERS: readonly (readonly [Term, contentType: string, extension: string, description: string])[] = [
  [['25611000000107', 'Referral Letter'], 'application/pdf', 'pdf', 'Referral letter'],
  [['25571000000103', 'Discharge Report'], 'application/pdf', 'pdf', 'Discharge summary'],
  [['24561000000109', 'A+E report'], 'image/tiff', 'tif', 'Scanned emergency department letter'],
  [['24591000000103', 'Other report'], 'image/tiff', 'tif', 'Scanned clinic letter (2 pages)'],
  [['24611000000106', 'Radiology Result'], 'image/jpeg', 'jpg', 'Radiology picture'],
  [['24591000000103', 'Other report'], 'text/rtf', 'rtf', 'Letter to patient'],
  [['24591000000103', 'Other report'], 'text/plain', 'txt', 'Out of hours note'],
  [['25611000000107', 'Referral Letter'], 'application/msword', 'doc', 'Typed letter'],
  [['24591000000103', 'Other report'], 'image/png', 'png', 'Photograph of a rash'],
];
