import { Screen } from "../../frame/Screen.tsx";

export default function Overview() {
  return <Screen title="Overview">{null}</Screen>;
}
