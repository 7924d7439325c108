// GraphiQL's documentation, or why there is none.

import { DOC_EXPLORER_PLUGIN } from "@graphiql/plugin-doc-explorer";
import { useSchemaStore, type GraphiQLPlugin } from "@graphiql/react";
import { useEffect } from "react";
import { key } from "./key";
import { schemaMissing } from "./schema";
import { useStore } from "./store";

const { content: Schema } = DOC_EXPLORER_PLUGIN;

export const documentationPlugin: GraphiQLPlugin = { ...DOC_EXPLORER_PLUGIN, content: Documentation };

function Documentation() {
  const missing = useStore(schemaMissing);
  if (missing === undefined) return <Schema />;
  return (
    <section aria-label="Documentation" className="weft-pane">
      <div className="graphiql-doc-explorer-title">Docs</div>
      <p>This server did not give its schema:</p>
      <p className="weft-refused">{missing}</p>
      <p>
        Without it there is no documentation here, and the editor completes and checks nothing. The file{" "}
        <code>schema.graphql</code> of Weft has the same descriptions.
      </p>
    </section>
  );
}

export function SchemaNotice() {
  const missing = useStore(schemaMissing);
  const used = useStore(key);
  const { introspect } = useSchemaStore();
  // With another key the server may be more talkative.
  useEffect(() => {
    if (schemaMissing.get() !== undefined) void introspect();
  }, [used, introspect]);
  return missing === undefined ? null : (
    <p role="alert" className="weft-notice">
      No documentation and no completion: this server did not give its schema. {missing}
    </p>
  );
}
