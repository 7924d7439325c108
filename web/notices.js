// The notices that have to go along with the packages in the built files.

import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

// What may be built in. A package under another licence stops the build until somebody has looked at it.
const WELCOME = new Set(["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"]);

// Packages that say MIT and come without its text: the package by the same makers whose text counts for them.
const SAME_MAKERS = {
  "@graphiql/plugin-doc-explorer": "graphiql",
  "@graphiql/plugin-history": "graphiql",
  "react-compiler-runtime": "react",
  "react-remove-scroll-bar": "react-remove-scroll",
  "toggle-selection": "copy-to-clipboard",
};

/** The text for all packages that one of these files belongs to. Throws where a licence is not welcome or has no text. */
export async function notices(root, inputs) {
  const folders = [...new Set(inputs.map(folderOf).filter(Boolean))].sort();
  const byText = new Map();
  for (const folder of folders) {
    const { title, text } = await noticeOf(root, join(root, folder));
    byText.set(text, new Set([...(byText.get(text) ?? []), title]));
  }
  const parts = [...byText].map(([text, titles]) => `${[...titles].sort().join("\n")}\n\n${text}`);
  return `The explorer contains these packages, each under its own licence.\n\n${parts.join(`\n\n${"-".repeat(80)}\n\n`)}\n`;
}

function folderOf(input) {
  const found = input.match(/^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//);
  return found?.[1];
}

async function noticeOf(root, folder) {
  const { name, version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  if (!WELCOME.has(license)) throw new Error(`${name} ${version} is under ${license}: see whether it may be built in.`);
  const source = name in SAME_MAKERS ? join(root, "node_modules", SAME_MAKERS[name]) : folder;
  const file = (await readdir(source)).sort().find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${name} ${version} comes without the text of its licence.`);
  const text = (await readFile(join(source, file), "utf8")).replace(/\r\n/g, "\n").trim();
  return { title: `${name} ${version} (${license})`, text };
}
