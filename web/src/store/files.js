/** A file that was chosen or dropped: a worksheet or a table. */

/** As much as fits into a message, with room for its escapes. */
const LARGEST_MESSAGE = 700_000;

/**
 * @param {import("./store.js").Store} store
 * @param {File} file
 * @returns {Promise<boolean>} whether it was opened
 */
export async function readFile(store, file) {
  const name = file.name;
  if (/\.toml$/i.test(name)) {
    return store.open({ do: "open", worksheet: await file.text(), name });
  }
  if (file.size <= LARGEST_MESSAGE || !store.connection.upload) {
    return store.open({ do: "open", csv: await file.text(), name });
  }
  try {
    store.show(await store.connection.upload(file));
    return true;
  } catch (error) {
    store.complain(error);
    return false;
  }
}
