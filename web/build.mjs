// Builds src/ into one ES module and one style sheet, the same bytes each time.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import subsetFont from "subset-font";

const web = dirname(fileURLToPath(import.meta.url));
const target = join(web, "..", "src", "chalkgrad", "studio", "static");

/** Every file that decides what the bundle is, as paths from web/, by code point. */
function sources() {
  const inside = readdirSync(join(web, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(web, join(entry.parentPath, entry.name)).split(sep).join("/"));
  return [...inside, "build.mjs", "package.json", "package-lock.json"].sort();
}

/** sha256 over "path NUL bytes NUL" of each source. */
function fingerprint() {
  const hash = createHash("sha256");
  for (const path of sources()) {
    hash
      .update(path)
      .update("\0")
      .update(readFileSync(join(web, path)))
      .update("\0");
  }
  return hash.digest("hex");
}

/** The faces that derivations are set in. A formula that needs another one is shown as its text. */
const FACES = [
  "Main-Regular",
  "Main-Italic",
  "Math-Italic",
  "Size1-Regular",
  "Size2-Regular",
  "Size3-Regular",
  "Size4-Regular",
];

/** The letters of formulas: their faces have many more. Those of brackets (Size) are kept whole. */
const LETTERS =
  Array.from({ length: 95 }, (_, place) => String.fromCodePoint(32 + place)).join("") +
  "ΑΒΓΔΘΛΞΠΣΥΦΨΩαβγδεζηθικλμνξοπρστυφχψωϵϑϕϱςħıȷ\u00a0±×÷·•¬−∂∇∞√∑∏∫∈∉∋∀∃∅≈≠≤≥≡∼≅∝⊙⊕⊗⊖⊘⊤⊥∘∙⋅⋯…⋮⋱" +
  "→←↔⇒⇐⇔↦↑↓′″‖∣∥⟨⟩⌊⌋⌈⌉≪≫∪∩⊂⊃⊆⊇∧∨∗⋆†‡ˆ˜ˉ˘¨˙´`ˇ\u20d7";

/** KaTeX with those faces only, of each the format that every browser reads, and the metrics of no others. */
const katexFaces = {
  name: "katex-faces",
  setup({ onLoad }) {
    onLoad({ filter: /katex[\\/]dist[\\/]katex\.css$/ }, ({ path }) => {
      const contents = readFileSync(path, "utf8").replace(/@font-face\s*{[^}]*}\s*/g, (face) =>
        FACES.some((name) => face.includes(`KaTeX_${name}.woff2`))
          ? face.replace(/(url\([^)]*woff2\) format\("woff2"\))[^;]*/, "$1")
          : "",
      );
      return { contents, loader: "css" };
    });
    onLoad({ filter: /KaTeX_(Main|Math)-\w+\.woff2$/ }, async ({ path }) => {
      const contents = await subsetFont(readFileSync(path), LETTERS, { targetFormat: "woff2" });
      return { contents, loader: "dataurl" };
    });
    onLoad({ filter: /katex[\\/]dist[\\/]katex\.mjs$/ }, ({ path }) => {
      const contents = readFileSync(path, "utf8").replace(
        /^  "(\w+-\w+)": \{\n(?:    .*\n)+  \},?\n/gm,
        (metrics, name) => (FACES.includes(name) ? metrics : ""),
      );
      return { contents, loader: "js" };
    });
  },
};

/**
 * The licences of what is in the bundle, as one comment: a saved page carries the bundle, and so these.
 * @param {string[]} inputs
 */
function licences(inputs) {
  const packages = inputs.flatMap(
    (path) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1] ?? [],
  );
  const texts = [...new Set(packages)].sort().map((name) => {
    const folder = join(web, "node_modules", name);
    const file = readdirSync(folder).find((entry) => /^licen[sc]e/i.test(entry));
    if (file === undefined) {
      throw new Error(`${name} has no licence beside it`);
    }
    const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return `${name} ${version}\n\n${readFileSync(join(folder, file), "utf8").trim()}`;
  });
  return `/*! This file contains:\n\n${texts.join("\n\n----\n\n")}\n*/\n`;
}

const banner = `/*! chalkgrad studio, sources sha256:${fingerprint()} */`;
const common = {
  bundle: true,
  minify: true,
  write: false,
  charset: "utf8",
  legalComments: "none", // they stand at the end, whole
  metafile: true,
  absWorkingDir: web,
  logLevel: "warning",
  target: ["es2022"],
  alias: { "d3-transition": "./src/picture/no-transition.js" },
  plugins: [katexFaces],
};
const results = await Promise.all([
  build({
    ...common,
    entryPoints: ["src/main.js"],
    format: "esm",
    jsx: "automatic",
    jsxImportSource: "preact",
    banner: { js: banner },
  }),
  build({
    ...common,
    entryPoints: ["src/styles/studio.css"],
    banner: { css: banner },
    loader: { ".woff2": "dataurl" },
  }),
]);
mkdirSync(target, { recursive: true });
let total = 0;
for (const [result, name] of [
  [results[0], "studio.js"],
  [results[1], "studio.css"],
]) {
  const text = result.outputFiles[0].text + licences(Object.keys(result.metafile.inputs));
  const bytes = Buffer.from(text);
  if (text.includes("</script")) {
    throw new Error(`${name} contains </script and could not stand in a page`);
  }
  const zipped = gzipSync(bytes, { level: 9 }).length;
  total += zipped;
  writeFileSync(join(target, name), bytes);
  console.log(`${name}: ${bytes.length} bytes, ${zipped} gzipped`);
}
console.log(`together ${total} gzipped`);
if (total > 250_000) {
  throw new Error("the bundle is larger than 250 KB gzipped");
}
