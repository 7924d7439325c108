// The page: a bar for the key above GraphiQL, and two panes of its own beside the documentation and the history.

import "./explorer.css";
import { PluginContextProvider, type GraphiQLPlugin } from "@graphiql/react";
import { GraphiQL } from "graphiql";
import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { Amendments } from "./amendments";
import { documentationPlugin, SchemaNotice } from "./documentation";
import { examplesPlugin } from "./examples";
import { fetcher } from "./fetcher";
import { kept } from "./kept";
import { KeyBar } from "./keybar";
import { messagesPlugin } from "./messages";
import { INTROSPECTION } from "./schema";

const WELCOME = `# Give an API key above, then press Ctrl-Enter.
# The pane Examples has operations to begin with.
{
  viewer {
    workspace
    role
  }
}
`;

const OWN = [examplesPlugin, messagesPlugin];
// The history is not among them: it cannot be shown before GraphiQL is drawn.
const SHOWN_AT_FIRST = [documentationPlugin, ...OWN];
const SHOWN = "shownPane";

// Links may carry a query to look at: ?share=…&variables=… fill the editors. Nothing runs by itself.
const linked = new URLSearchParams(location.search);
const shown = SHOWN_AT_FIRST.find(({ title }) => title === (kept.getItem(SHOWN) ?? examplesPlugin.title));
const optional = {
  ...(linked.has("share") && { query: linked.get("share")! }),
  ...(linked.has("variables") && { variables: linked.get("variables")! }),
  ...(shown && { visiblePlugin: shown }),
};

function keepShown(plugin: GraphiQLPlugin | null): void {
  kept.setItem(SHOWN, plugin?.title ?? "");
}

function Explorer() {
  const [prepared, setPrepared] = useState(false);
  useEffect(() => setPrepared(true), []);
  return (
    <>
      <KeyBar />
      <SchemaNotice />
      {/* GraphiQL opens with the pane that is shown already when it is drawn first. */}
      <PluginContextProvider plugins={SHOWN_AT_FIRST} {...(shown && { visiblePlugin: shown })}>
        {prepared && (
          <GraphiQL
            fetcher={fetcher}
            storage={kept}
            introspectionQueryName={INTROSPECTION}
            referencePlugin={documentationPlugin}
            plugins={OWN}
            onTogglePluginVisibility={keepShown}
            defaultQuery={WELCOME}
            isHeadersEditorEnabled
            shouldPersistHeaders={false}
            defaultEditorToolsVisibility
            {...optional}
          >
            <Amendments />
          </GraphiQL>
        )}
      </PluginContextProvider>
    </>
  );
}

createRoot(document.getElementById("explorer")!).render(<Explorer />);
