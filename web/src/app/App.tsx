import { Button } from "../ui/Button.tsx";
import { Field } from "../ui/Field.tsx";
import { Notice } from "../ui/Notice.tsx";

export function App() {
  return (
    <main>
      <Field label="Name" hint="A hint" />
      <Button variant="primary">Save</Button>
      <Notice title="Hello">World</Notice>
    </main>
  );
}
