// Builds the explorer: one script, one style sheet, the page, its icon, and the notices of what is in them.
//
// The same sources and the same lock file give the same bytes, on every machine: a test builds again and compares. So nothing
// here depends on the time, on the order of a directory, or on where the folder lies.

import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { notices } from "./notices.js";

const HERE = dirname(fileURLToPath(import.meta.url));
const SOURCES = join(HERE, "explorer");
const TARGET = process.argv[2] ?? join(HERE, "../src/weft/graphql/static");
const COPIED = ["explorer.html", "favicon.svg"];

// GraphiQL brings 350 kB of fonts in its style sheet. Those of the system do.
const withoutFonts = {
  name: "without-fonts",
  setup({ onLoad }) {
    onLoad({ filter: /graphiql[\\/]dist[\\/]style\.css$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace(/@font-face\s*\{[^}]*\}/g, ""),
      loader: "css",
    }));
  },
};

// Each file of `operations` is an example: its first comment the title, the others what it is about. Variables stand beside it.
const examples = {
  name: "examples",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^weft:examples$/ }, ({ path }) => ({ path, namespace: "examples" }));
    onLoad({ filter: /.*/, namespace: "examples" }, async () => ({
      contents: JSON.stringify(await readExamples(join(SOURCES, "operations"))),
      loader: "json",
    }));
  },
};

async function readExamples(folder) {
  const files = (await readdir(folder)).sort();
  return Promise.all(
    files
      .filter((file) => file.endsWith(".graphql"))
      .map(async (file) => {
        const query = await readFile(join(folder, file), "utf8");
        const [title, ...about] = query.match(/^#.*$/gm).map((line) => line.slice(1).trim());
        const beside = file.replace(/graphql$/, "json");
        const variables = files.includes(beside) ? await readFile(join(folder, beside), "utf8") : "";
        return { title, about: about.join(" "), query, variables };
      }),
  );
}

const result = await build({
  absWorkingDir: HERE,
  entryPoints: { explorer: "explorer/main.tsx" },
  outdir: "built",
  write: false,
  metafile: true,
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  banner: { js: "/* The licences of what is in here: third-party.txt */" },
  define: { "process.env.NODE_ENV": '"production"' },
  plugins: [withoutFonts, examples],
  logLevel: "warning",
});

const files = Object.fromEntries(
  result.outputFiles.map(({ path, text }) => [relative(join(HERE, "built"), path), text]),
);
for (const name of COPIED) files[name] = await readFile(join(SOURCES, name), "utf8");
files["third-party.txt"] = await notices(HERE, Object.keys(result.metafile.inputs));

await rm(TARGET, { recursive: true, force: true });
await mkdir(TARGET, { recursive: true });
for (const [name, text] of Object.entries(files)) {
  await writeFile(join(TARGET, name), text);
  console.log(`${String(Buffer.byteLength(text)).padStart(9)}  ${name}`);
}
