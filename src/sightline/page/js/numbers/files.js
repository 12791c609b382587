// What there is to download, a row a format: pure.

/**
 * @typedef {{path: string, format: string | null, bytes: number, use: string, link: string}} File
 * @typedef {{format: string, use: string, files: string[], link: string}} Format
 */

/**
 * Formats that were published, then what every result has, then what people added, then what is made when it is asked for.
 * @param {{files: File[], formats: Format[]}} results
 * @param {string} job_id
 * @returns {{name: string, use: string, size: number | null, link: string}[]} size null: it is made when it is asked for
 */
export function filesOf({ files, formats }, job_id) {
  const sizeOf = (/** @type {string} */ format) => files.filter((file) => file.format === format).reduce((n, file) => n + file.bytes, 0);
  const row = (/** @type {Format} */ { format, use, files: own, link }) => ({ name: format, use: own.length > 1 ? `${use}; ${own.length} files as a ZIP` : use, size: own.length ? sizeOf(format) : null, link });
  const own = files.filter((file) => file.format === null).map(({ path, use, bytes, link }) => ({ name: path, use, size: bytes, link }));
  const base = `/api/v1/jobs/${job_id}`;
  const added = [
    { name: "verdicts.json", use: "the audit: every event, what was said of it, counts raw and verified", size: null, link: `${base}/verdicts` },
    { name: "geometry.json", use: "lines and zones, as the command line reads them", size: null, link: `${base}/geometry` },
  ];
  return [...formats.filter((format) => format.files.length).map(row), ...own, ...added, ...formats.filter((format) => !format.files.length).map(row)];
}
