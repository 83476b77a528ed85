/** Data files: each is a script that registers one compressed JSON document, because a page that
 * is opened from disk can load nothing but scripts. */

/** @type {Map<string, Promise<any>>} */
const fileDocuments = new Map();
/** @type {Map<string, (document: Promise<any>) => void>} */
const filesWaitedFor = new Map();

/** Unpacks a literal of two bytes a unit; a unit that no literal may hold follows a mark, with
 * its highest bit turned.
 * @param {number} size in bytes @param {string} text */
const unpacked = async (size, text) => {
  const turned = (_, unit) => String.fromCharCode(unit.charCodeAt(0) ^ 0x8000);
  const literal = text.replace(/\ue000(.)/g, turned);
  const units = Uint16Array.from({ length: literal.length }, (_, at) => literal.charCodeAt(at));
  const bytes = new Uint8Array(units.buffer, 0, size);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
};

/** Registers the document of the data file that is running; each calls this as `analytics.add`.
 * @param {number} size @param {string} text */
const addFile = (size, text) => {
  const { root } = document.body.dataset, src = document.currentScript.getAttribute("src");
  const name = src.slice(`${root}data/`.length).replace(/\.js(\?.*)?$/, "").split("/")
    .map(decodeURIComponent).join("/");
  const unpacking = unpacked(size, text);
  filesWaitedFor.get(name)?.(unpacking);
  fileDocuments.set(name, unpacking);
};
Object.assign(globalThis, { analytics: { add: addFile } });

/** The document of a data file. A file that the page did not bring is fetched by a script
 * element.
 * @param {string} name such as "site" or "2026-10/<entity>"
 * @param {string} query of its address
 * @returns {Promise<any>} rejects where the file is missing */
export const load = (name, query = "") => {
  const known = fileDocuments.get(name);
  if (known) return known;
  const wanted = new Promise((resolve, reject) => {
    filesWaitedFor.set(name, resolve);
    const path = name.split("/").map(encodeURIComponent).join("/");
    const src = `${document.body.dataset.root}data/${path}.js${query}`;
    const brought = document.querySelector(`script[src="${src}"]`); // it has yet to run
    const script = brought ?? Object.assign(document.createElement("script"), { src });
    script.addEventListener("error", () => {
      fileDocuments.delete(name);
      script.remove(); // else it would be waited for when the file is wanted again
      reject(new Error(`data/${name}.js is missing`));
    });
    if (!brought) document.head.append(script);
  });
  fileDocuments.set(name, wanted);
  return wanted;
};
/** The document of a data file as it is now. @param {string} name @returns {Promise<any>} */
export const loadAnew = (name) => {
  fileDocuments.delete(name);
  return load(name, `?${Date.now()}`); // no copy that the browser keeps
};
