import { call, pathOf } from "../../api.ts";
import type { Act, ActField } from "../../parts/acts.ts";
import { Copied } from "../../parts/Copied.tsx";
import type { Bot, BotToken, Webhook } from "./shapes.ts";

const post = <T,>(path: string, body: object) => call<T>(path, { method: "POST", body });

export function makeBot(): Act<Bot> {
  return {
    title: "Make a bot",
    consequence: "An account that nobody can sign in to, and somebody who answers for it.",
    label: "Make the bot",
    fields: [
      { name: "username", label: "User name" },
      { name: "owner", label: "Who answers for it", hint: "A user id, such as @ana:example.org" },
      { name: "purpose", label: "What it is for", isOptional: true },
    ],
    run: ({ username = "", owner = "", purpose = "" }) =>
      post("/bots", {
        username: username.trim(),
        owner: owner.trim(),
        ...(purpose.trim() ? { purpose: purpose.trim() } : {}),
      }),
    says: ({ user_id }) => `Made ${user_id}.`,
  };
}

export function giveBot({ user_id, owner }: Bot): Act {
  const give = (to: string, reason: string) => post(pathOf`/bots/${user_id}/owner`, { owner: to, reason });
  return {
    title: `Who answers for ${user_id}`,
    label: "Save",
    asksReason: true,
    fields: [{ name: "owner", label: "User id", initial: owner }],
    run: ({ owner: to = "", reason = "" }) => give(to.trim(), reason),
    done: "Somebody else answers for it now.",
    undo: () => give(owner, "Taken back"),
  };
}

/** What is shown once and never again. */
function Secret({ text, label }: { text: string; label: string }) {
  return (
    <>
      <p>It is shown this once. Put it where the software reads its secrets.</p>
      <Copied label={label} text={text} />
    </>
  );
}

const overlap: ActField = {
  name: "overlap",
  label: "The one before",
  options: [
    { value: "86400", label: "Works for one more day", hint: "Time to put the new one in its place." },
    { value: "0", label: "Ends at once", hint: "Where somebody may have it who should not." },
  ],
};

export function makeBotToken({ user_id }: Bot): Act<{ access_token: string }> {
  return {
    title: `Make a token for ${user_id}`,
    consequence: "A request that none of its scopes covers is refused.",
    label: "Make the token",
    fields: [
      { name: "name", label: "What uses it" },
      {
        name: "scopes",
        label: "Scopes",
        hint: "With commas between: read, send, rooms, media, encryption, profile",
        initial: "send",
      },
      {
        name: "days",
        label: "Valid for how many days",
        kind: "number",
        isOptional: true,
        hint: "Empty: it does not expire.",
      },
    ],
    run: ({ name = "", scopes = "", days = "" }) =>
      post(pathOf`/bots/${user_id}/tokens`, {
        name: name.trim(),
        scopes,
        ...(days.trim() ? { expires_in_days: Number(days) } : {}),
      }),
    shows: ({ access_token }) => <Secret label="Token" text={access_token} />,
  };
}

export function rotateBotToken(userId: string, { token_id, name }: BotToken): Act<{ access_token: string }> {
  return {
    title: `Give ${name ?? token_id} a new secret?`,
    label: "Rotate",
    fields: [overlap],
    run: ({ overlap: seconds }) =>
      post(pathOf`/bots/${userId}/tokens/${token_id}/rotate`, { overlap_s: Number(seconds) }),
    shows: ({ access_token }) => <Secret label="Token" text={access_token} />,
  };
}

export function revokeBotToken(userId: string, { token_id, name }: BotToken): Act {
  return {
    title: `Revoke ${name ?? token_id}?`,
    consequence: "What uses it is refused at once, on every replica.",
    label: "Revoke",
    isDangerous: true,
    asksReason: true,
    run: ({ reason }) => post(pathOf`/bots/${userId}/tokens/${token_id}/revoke`, { reason }),
    done: `Revoked ${name ?? token_id}.`,
  };
}

export function makeWebhook(): Act<{ url: string }> {
  return {
    title: "Make a webhook",
    consequence:
      "An address at which other software posts into a room, as a bot. Encrypted rooms have none: the server would have to read along.",
    label: "Make the webhook",
    fields: [
      { name: "name", label: "What posts" },
      { name: "bot", label: "User id of the bot" },
      { name: "room_id", label: "Room id" },
    ],
    run: ({ name = "", bot = "", room_id = "" }) =>
      post("/webhooks", { name: name.trim(), bot: bot.trim(), room_id: room_id.trim() }),
    shows: ({ url }) => <Secret label="Address" text={url} />,
  };
}

export function rollWebhook({ webhook_id, name }: Webhook): Act<{ url: string }> {
  return {
    title: `Give ${name} a new address?`,
    label: "Roll",
    fields: [overlap],
    run: ({ overlap: seconds }) => post(pathOf`/webhooks/${webhook_id}/roll`, { overlap_s: Number(seconds) }),
    shows: ({ url }) => <Secret label="Address" text={url} />,
  };
}

export function switchWebhook({ webhook_id, name, enabled }: Webhook): Act {
  const put = (value: boolean, reason: string) =>
    call(pathOf`/webhooks/${webhook_id}`, { method: "PUT", body: { enabled: value, reason } });
  return {
    title: enabled ? `Switch ${name} off?` : `Switch ${name} on?`,
    consequence: enabled ? "What is posted is refused until it is on again." : "What is posted reaches the room again.",
    label: enabled ? "Switch off" : "Switch on",
    asksReason: true,
    run: ({ reason = "" }) => put(!enabled, reason),
    done: enabled ? `${name} is off.` : `${name} is on.`,
    undo: () => put(enabled, "Taken back"),
  };
}

export function deleteWebhook({ webhook_id, name }: Webhook): Act {
  return {
    title: `Remove ${name}?`,
    consequence: "Its address and its log of deliveries go for good. What it posted stays.",
    label: "Remove",
    isDangerous: true,
    asksReason: true,
    typed: name,
    run: ({ reason }) => post(pathOf`/webhooks/${webhook_id}/delete`, { reason }),
    done: `Removed ${name}.`,
  };
}
