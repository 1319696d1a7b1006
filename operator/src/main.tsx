import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./frame/App.tsx";
import "../../web/src/ui/fonts.ts";
import "../../web/src/ui/tokens.css";
import "../../web/src/ui/base.css";
import "./frame/console.css";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root element");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
