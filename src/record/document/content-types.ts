/**
 * Document types that GP2GP systems take, with the file extension each is sent under. A type that is missing here is sent as a
 * placeholder. The list is that of the existing sending adaptor; matching is kinder than its: case and parameters do not count.
 */
const OFFICE = 'application/vnd.openxmlformats-officedocument.';

const TYPES_OF_EXTENSION: readonly (readonly [extension: string, ...types: string[]])[] = [
  ['.doc', 'application/msword'],
  ['.pdf', 'application/pdf'],
  ['.xml', 'application/xml', 'text/xml', 'application/x-hl7', 'application/hl7-v2', 'application/hl7-v2+xml'],
  ['.json', 'application/json'],
  ['.zip', 'application/zip', 'application/x-zip-compressed', 'application/x-compressed', 'multipart/x-zip'],
  ['.gz', 'application/x-gzip'],
  ['.rar', 'application/x-rar-compressed'],
  ['.ps', 'application/postscript'],
  ['.xhtml', 'application/xhtml+xml'],
  ['.dcm', 'application/dicom'],
  ['.edi', 'application/EDI-X12', 'application/EDIFACT', 'application/EDI-Consent'],
  ['.cdf', 'application/cdf', 'application/x-cdf', 'application/x-netcdf'],
  ['.msg', 'application/msoutlook'],
  ['.pgp', 'application/pgp', 'application/pgp-encrypted', 'application/pgp-keys', 'application/pgp-signature', 'application/x-pgp-plugin'],
  ['.p10', 'application/pkcs10', 'application/x-pkcs10'],
  ['.p12', 'application/pkcs-12', 'application/x-pkcs12'],
  ['.p7m', 'application/pkcs7-mime', 'application/x-pkcs7-mime'],
  ['.p7s', 'application/pkcs7-signature'],
  ['.p7a', 'application/x-pkcs7-signature'],
  ['.cer', 'application/pkix-cert', 'application/x-x509-ca-cert'],
  ['.rtf', 'text/rtf', 'application/x-rtf'],
  ['.asx', 'application/x-mplayer2'],
  ['.swf', 'application/x-shockwave-flash'],
  ['.avi', 'video/msvideo', 'video/x-msvideo', 'application/x-troff-msvideo'],
  ['.xls', 'application/vnd.ms-excel'],
  ['.xlam', 'application/vnd.ms-excel.addin.macroEnabled.12'],
  ['.xlsb', 'application/vnd.ms-excel.sheet.binary.macroEnabled.12'],
  ['.xlsm', 'application/vnd.ms-excel.sheet.macroEnabled.12'],
  ['.xltm', 'application/vnd.ms-excel.template.macroEnabled.12'],
  ['.pptm', 'application/vnd.ms-powerpoint.presentation.macroEnabled.12'],
  ['.ppsm', 'application/vnd.ms-powerpoint.slideshow.macroEnabled.12'],
  ['.potm', 'application/vnd.ms-powerpoint.template.macroEnabled.12'],
  ['.docm', 'application/vnd.ms-word.document.macroEnabled.12'],
  ['.dotm', 'application/vnd.ms-word.template.macroEnabled.12'],
  ['.potx', `${OFFICE}presentationml.template`],
  ['.ppsx', `${OFFICE}presentationml.slideshow`],
  ['.pptx', `${OFFICE}presentationml.presentation`],
  ['.xlsx', `${OFFICE}spreadsheetml.sheet`],
  ['.xltx', `${OFFICE}spreadsheetml.template`],
  ['.dotx', `${OFFICE}wordprocessingml.template`],
  ['.docx', `${OFFICE}wordprocessingml.document`],
  ['.rels', 'application/vnd.openxmlformats-package.relationships+xml'],
  ['.au', 'audio/basic', 'audio/x-au'],
  ['.mp3', 'audio/mpeg'],
  ['.wav', 'audio/wav', 'audio/x-wav', 'audio/wave', 'audio/x-pn-wav'],
  ['.aif', 'audio/x-aiff'],
  ['.rm', 'audio/vnd.rn-realaudio'],
  ['.m3u', 'audio/x-mpegurl'],
  ['.wma', 'audio/x-ms-wma'],
  ['.bmp', 'image/bmp', 'image/x-windows-bmp'],
  ['.jpg', 'image/jpeg'],
  ['.gif', 'image/gif'],
  ['.png', 'image/png'],
  ['.tiff', 'image/tiff'],
  ['.pct', 'image/x-pict'],
  ['.svg', 'image/svg+xml'],
  ['.html', 'text/html'],
  ['.txt', 'text/plain'],
  ['.rtx', 'text/richtext'],
  ['.csv', 'text/csv'],
  ['.css', 'text/css'],
  ['.mpeg', 'video/mpeg'],
  ['.asf', 'video/x-ms-asf'],
  ['.3g2', 'video/3gpp', 'video/3gpp2'],
  ['.wmv', 'video/x-ms-wmv'],
  ['.mov', 'video/quicktime'],
  ['.mp4', 'video/mp4'],
  ['.flv', 'video/x-flv'],
  ['.vob', 'video/x-ms-vob'],
  ['.pdb', 'chemical/x-pdb'],
  ['.sdf', 'chemical/x-mdl-sdfile'],
  ['.mol', 'chemical/x-mdl-molfile'],
];

const KNOWN: ReadonlyMap<string, { readonly type: string; readonly extension: string }> = new Map(
  TYPES_OF_EXTENSION.flatMap(([extension, ...types]) => types.map((type) => [type.toLowerCase(), { type, extension }] as const)),
);

/** How the list spells a type: without parameters, in its own case. A type that is not in the list only loses its parameters. */
export function normalisedType(type: string): string {
  const bare = (type.split(';')[0] ?? '').trim();
  return KNOWN.get(bare.toLowerCase())?.type ?? bare;
}

/** Whether GP2GP systems take documents of this type. */
export function isSupported(type: string): boolean {
  return KNOWN.has(normalisedType(type).toLowerCase());
}

/** `.pdf`; empty for a type that is not in the list, since a wrong extension is worse than none. */
export function extensionFor(type: string): string {
  return KNOWN.get(normalisedType(type).toLowerCase())?.extension ?? '';
}
