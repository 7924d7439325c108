// How `graphql-codegen` makes TypeScript of Weft's schema: copy it, with the path of the schema, or the URL of an API that
// shows its schema, in `schema`.
//
//     npm install -D graphql typescript @graphql-codegen/cli @graphql-codegen/client-preset @graphql-codegen/typescript \
//       @graphql-codegen/typescript-operations
//     npx graphql-codegen --config codegen.ts
import type { CodegenConfig } from "@graphql-codegen/cli";

const types = {
  strictScalars: true,
  useTypeImports: true,
  enumsAsTypes: true,
  scalars: {
    BigInt: "number", // exact up to 2^53
    DateTime: "string", // RFC 3339, in UTC
    Decimal: "string", // exact: for a library of decimals
    Duration: "string", // ISO 8601, such as PT10S
    JSON: "unknown", // whatever a workflow made: look before you use it
  },
};

const config: CodegenConfig = {
  schema: "./schema.graphql",
  documents: ["src/**/*.ts", "src/**/*.graphql"],
  generates: {
    // Typed documents for Apollo, urql and whatever else takes a TypedDocumentNode: `graphql("query …")`.
    "./src/gql/": {
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config: types,
    },
    // Plain types, of the whole schema and of the operations.
    "./src/schema.ts": { plugins: ["typescript"], config: types },
    "./src/operations.ts": { plugins: ["typescript-operations"], config: types },
  },
};

export default config;
