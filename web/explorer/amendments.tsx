// What GraphiQL does not do by itself: wrap long lines, keep the active tab in sight, and take the Ctrl K that it promises.

import { isMacOs, useEditorContext } from "@graphiql/react";
import { useEffect } from "react";

export function Amendments() {
  const { activeTabIndex, queryEditor, tabs } = useEditorContext({ nonNull: true });
  useEffect(() => queryEditor?.setOption("lineWrapping", true), [queryEditor]);

  // The title comes later than the tab, and makes it wider.
  const title = tabs[activeTabIndex]?.title;
  useEffect(() => {
    document.querySelector(".graphiql-tab-active")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [activeTabIndex, title]);

  useEffect(() => {
    addEventListener("keydown", searchDocumentation);
    return () => removeEventListener("keydown", searchDocumentation);
  }, []);
  return null;
}

/** GraphiQL writes "Ctrl K" into the box, and listens for the command key of a Mac alone. */
function searchDocumentation(event: KeyboardEvent): void {
  if (isMacOs || !event.ctrlKey || event.key !== "k") return;
  const box = document.querySelector<HTMLInputElement>(".graphiql-doc-explorer-search-input input");
  if (!box) return;
  event.preventDefault(); // browsers search the web with it
  box.focus();
}
