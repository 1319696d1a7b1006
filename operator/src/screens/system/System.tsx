import { useParams } from "@tanstack/react-router";
import type { ComponentType } from "react";
import { Screen } from "../../frame/Screen.tsx";
import { Tabs } from "../../parts/Tabs.tsx";
import { JobsTable } from "../jobs/JobsTable.tsx";
import { BackupsTab } from "./Backups.tsx";
import { Configuration } from "./Configuration.tsx";
import { Doctor } from "./Doctor.tsx";
import { Failures } from "./Failures.tsx";
import { Now } from "./Now.tsx";
import { Versions } from "./Versions.tsx";

interface Part {
  label: string;
  View: ComponentType;
  /** A table that takes the height that is left. */
  fills?: boolean;
}

const parts: Readonly<Record<string, Part>> = {
  now: { label: "Now", View: Now },
  jobs: { label: "Jobs", View: JobsTable, fills: true },
  failures: { label: "Failed messages", View: Failures, fills: true },
  doctor: { label: "Doctor", View: Doctor },
  backups: { label: "Backups", View: BackupsTab },
  configuration: { label: "Configuration", View: Configuration },
  versions: { label: "Versions and licences", View: Versions },
};

export default function System() {
  const { tab = "now" } = useParams({ strict: false });
  const { View = Now, fills = false } = parts[tab] ?? {};
  return (
    <Screen title="Jobs and system" fills={fills}>
      <Tabs
        label="Jobs and system"
        current={tab}
        tabs={Object.entries(parts).map(([name, { label }]) => ({
          name,
          to: name === "now" ? "/system" : `/system/${name}`,
          label,
        }))}
      />
      <View />
    </Screen>
  );
}
