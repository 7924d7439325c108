// Ids that one example answers with, and the next one needs.

import examples from "weft:examples";
import { session } from "./storage";

const STORED = "weft.remembered";
const PLACEHOLDER = /"<([\w.]+)>"/g;

const wanted = new Set(examples.flatMap(({ variables }) => [...variables.matchAll(PLACEHOLDER)].map(([, path]) => path!)));

export function remember(data: unknown): void {
  const values = remembered();
  for (const path of wanted) {
    const value = path.split(".").reduce<unknown>((part, name) => (part as Record<string, unknown> | undefined | null)?.[name], data);
    if (typeof value === "string") values[path] = value;
  }
  session.setItem(STORED, JSON.stringify(values));
}

/** The variables with what was answered in place of the placeholders; those that nothing is known for stay, and tell where to look. */
export function filled(variables: string): string {
  const values = remembered();
  return variables.replaceAll(PLACEHOLDER, (placeholder, path: string) => JSON.stringify(values[path]) ?? placeholder);
}

function remembered(): Record<string, string> {
  return JSON.parse(session.getItem(STORED) ?? "{}") as Record<string, string>;
}
