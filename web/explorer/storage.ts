// What the browser keeps for a page. Where it is told to keep nothing, values last as long as the page.

export interface Values {
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
  removeItem(name: string): void;
  names(): string[];
}

export const session = valuesOf("sessionStorage");
export const local = valuesOf("localStorage");

function valuesOf(kind: "localStorage" | "sessionStorage"): Values {
  try {
    const storage = window[kind];
    return {
      getItem: (name) => storage.getItem(name),
      setItem: (name, value) => storage.setItem(name, value),
      removeItem: (name) => storage.removeItem(name),
      names: () => Object.keys(storage),
    };
  } catch {
    return inMemory();
  }
}

function inMemory(): Values {
  const values = new Map<string, string>();
  return {
    getItem: (name) => values.get(name) ?? null,
    setItem: (name, value) => void values.set(name, value),
    removeItem: (name) => void values.delete(name),
    names: () => [...values.keys()],
  };
}
