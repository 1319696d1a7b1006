/**
 * The answers of the access graph, worked out again and again from the list of events alone: slow, without any table, and without any
 * code of the graph. What the specification says of memberships, power, restricted rooms and history visibility, read once more.
 */
import type { Happened, History, SimulatedAccess, SimulatedExport, Subject } from "./history.ts";

export class Brute {
  readonly history: History;
  constructor(history: History) {
    this.history = history;
  }

  state(room: string, type: string, { key = "", before = Infinity } = {}): Happened | undefined {
    return this.history.events.findLast(
      (e) => e.room === room && e.type === type && e.stateKey === key && e.position < before,
    );
  }

  membership(user: string, room: string, before = Infinity): string | undefined {
    return this.state(room, "m.room.member", { key: user, before })?.content["membership"] as string | undefined;
  }

  /** When the person's membership became what it is, and of a member who had invited them. */
  since(user: string, room: string): { ts: number; invitedBy: string | null } {
    const changes = this.history.events.filter(
      (e) => e.room === room && e.type === "m.room.member" && e.stateKey === user,
    );
    const began = (end: number): number => {
      let i = end;
      while (changes[i - 1]?.content["membership"] === changes[end]?.content["membership"]) i--;
      return i;
    };
    const own = began(changes.length - 1);
    const before = changes[own - 1];
    const invited = before?.content["membership"] === "invite" ? changes[began(own - 1)] : undefined;
    return { ts: changes[own]?.ts ?? 0, invitedBy: invited?.sender ?? null };
  }

  joined(room: string): string[] {
    return this.history.people.filter((user) => this.membership(user, room) === "join");
  }

  power(user: string, room: string): number {
    const create = this.state(room, "m.room.create");
    const creators = [create?.sender, ...((create?.content["additional_creators"] as string[] | undefined) ?? [])];
    if (create?.content["room_version"] === "12" && creators.includes(user)) return Infinity;
    const levels = this.state(room, "m.room.power_levels")?.content;
    if (!levels) return create?.sender === user ? 100 : 0;
    const users = levels["users"] as Record<string, number>;
    return users[user] ?? (levels["users_default"] as number | undefined) ?? 0;
  }

  level(room: string, name: "invite" | "manage"): number {
    const levels = this.state(room, "m.room.power_levels")?.content ?? {};
    if (name === "invite") return (levels["invite"] as number | undefined) ?? 0;
    const events = (levels["events"] ?? {}) as Record<string, number>;
    return events["m.room.power_levels"] ?? (levels["state_default"] as number | undefined) ?? 50;
  }

  rule(room: string): string {
    return (this.state(room, "m.room.join_rules")?.content["join_rule"] as string | undefined) ?? "invite";
  }

  allowed(room: string): string[] {
    if (!this.rule(room).endsWith("restricted")) return [];
    const allow = this.state(room, "m.room.join_rules")?.content["allow"] as ({
      type: string;
      room_id?: string;
    } | null)[];
    return allow.flatMap((each) => (each?.type === "m.room_membership" && each.room_id ? [each.room_id] : []));
  }

  /** The rooms that the person is in or can get into; `without` is a room that lets nobody in any more. */
  enterable(user: string, without?: string): Set<string> {
    const inside = new Set<string>();
    for (let size = -1; size !== inside.size;) {
      size = inside.size;
      for (const room of this.history.rooms)
        if (this.entersNow(user, room, (via) => via !== without && inside.has(via))) inside.add(room);
    }
    return inside;
  }

  private entersNow(user: string, room: string, isOpened: (via: string) => boolean): boolean {
    const membership = this.membership(user, room);
    if (membership === "join") return true;
    if (membership === "ban") return false;
    const rule = this.rule(room);
    if (rule === "public") return true;
    if (rule === "private") return false;
    if (membership === "invite") return true;
    const vouches = this.joined(room).some((each) => this.power(each, room) >= this.level(room, "invite"));
    return vouches && this.allowed(room).some(isOpened);
  }

  readable(user: string): Set<string> {
    const open = this.history.rooms.filter((room) => this.visibility(room) === "world_readable");
    return new Set([...this.enterable(user), ...open]);
  }

  visibility(room: string, before = Infinity): string {
    const value = this.state(room, "m.room.history_visibility", { before })?.content["history_visibility"] as
      | string
      | undefined;
    return value === undefined || value === "nonsense" ? "shared" : value;
  }

  /** Whether the person, as things stand, is shown a message at this position. */
  sees(user: string, room: string, position: number): boolean {
    const visibility = this.visibility(room, position);
    const then = this.membership(user, room, position);
    if (visibility === "world_readable" || then === "join") return true;
    const changes = this.history.events.filter(
      (e) => e.room === room && e.type === "m.room.member" && e.stateKey === user,
    );
    const rejoins = changes.some((e) => {
      const before = this.membership(user, room, e.position);
      return e.position > position && e.content["membership"] === "join" && before !== "join";
    });
    if (visibility === "shared") return rejoins;
    if (visibility !== "invited" || then !== "invite") return false;
    // An invitation shows something if it is still open, or if they came in by it.
    const next = changes.find((e) => e.position > position && e.content["membership"] !== "invite");
    return next === undefined || next.content["membership"] === "join";
  }

  managers(room: string): string[] {
    return this.joined(room).filter((user) => this.power(user, room) >= this.level(room, "manage"));
  }

  /** The rooms that the person was in at any moment while the device was signed in. */
  exposed(user: string, from_ms: number, until_ms: number): Set<string> {
    const found = new Set<string>();
    for (const room of this.history.rooms) {
      const changes = this.history.events.filter(
        (e) => e.room === room && e.type === "m.room.member" && e.stateKey === user,
      );
      for (const [i, change] of changes.entries()) {
        const end = changes[i + 1]?.ts ?? Infinity;
        if (change.content["membership"] === "join" && change.ts <= until_ms && end >= from_ms) found.add(room);
      }
    }
    return found;
  }

  /** Whether the person had been a member of the room by then. */
  private wasIn(user: string, room: string, until_ms: number): boolean {
    return this.history.events.some(
      (e) =>
        e.room === room &&
        e.type === "m.room.member" &&
        e.stateKey === user &&
        e.content["membership"] === "join" &&
        e.ts <= until_ms,
    );
  }

  /** Whether an export, or access until then, has something of the person or the room. */
  private has(of: Subject, who: Subject, until_ms: number): boolean {
    if (who.user !== null) return of.user === who.user || (of.room !== null && this.wasIn(who.user, of.room, until_ms));
    return of.room === who.room || (of.user !== null && this.wasIn(of.user, who.room as string, until_ms));
  }

  exportsWith(who: Subject): SimulatedExport[] {
    return this.history.exports.filter((each) => this.has(each, who, each.ts));
  }

  accessesTo(who: Subject): SimulatedAccess[] {
    return this.history.accesses.filter((each) => this.has(each, who, each.ends));
  }

  /** What stands of events of one kind with one key, each as it was followed: what was redacted says nothing, and neither does what names no server. */
  private run(room: string, type: string, key: string): Happened[] {
    let run: Happened[] = [];
    for (const event of this.history.events.filter((e) => e.room === room)) {
      if (event.type === type && event.stateKey === key) run = event.content["via"] ? [...run, event] : [];
      else if (event.redacts !== undefined && event.redacts === run.at(-1)?.eventId) run = [];
    }
    return run;
  }

  /** Which spaces the room is in, by whose word, and who said so first and when. */
  spaces(room: string): string[] {
    return this.history.rooms.flatMap((space) => {
      const [child] = this.run(space, "m.space.child", room);
      const [parent] = this.run(room, "m.space.parent", space);
      const said = (by: string, event: Happened | undefined) =>
        event ? [`${space} ${by} ${event.sender} ${event.ts}`] : [];
      return [...said("child", child), ...said("parent", parent)];
    });
  }

  /** Who has power by name, how much, and who gave them just that and when. */
  powers(room: string): string[] {
    const create = this.state(room, "m.room.create") as Happened;
    const isNew = create.content["room_version"] === "12";
    const more = isNew ? ((create.content["additional_creators"] ?? []) as string[]) : [];
    const founders = new Set([create.sender, ...more]);
    const levels = this.history.events.filter((e) => e.room === room && e.type === "m.room.power_levels");
    const named = levels.at(-1)?.content["users"] as Record<string, number> | undefined;
    const byFounding =
      named && !isNew
        ? []
        : [...founders].map((user) => `${user} ${isNew ? Infinity : 100} ${create.sender} ${create.ts}`);
    const byName = Object.entries(named ?? {}).filter(([user]) => !isNew || !founders.has(user));
    return [
      ...byFounding,
      ...byName.map(([user, level]) => `${user} ${level} ${this.giver({ create, levels, user, level })}`),
    ];
  }

  private giver(of: { create: Happened; levels: Happened[]; user: string; level: number }): string {
    const { create, levels, user, level } = of;
    let first = levels.length - 1;
    const levelIn = (i: number) => (levels[i]?.content["users"] as Record<string, number> | undefined)?.[user];
    while (first > 0 && levelIn(first - 1) === level) first--;
    const isFounders = first === 0 && user === create.sender && level === 100;
    const { sender, ts } = isFounders ? create : (levels[first] as Happened);
    return `${sender} ${ts}`;
  }

  room(room: string) {
    const create = this.state(room, "m.room.create")?.content ?? {};
    const tombstone = this.state(room, "m.room.tombstone");
    const isRedacted = this.history.events.some(
      ({ redacts }) => redacts !== undefined && redacts === tombstone?.eventId,
    );
    const encrypted = this.history.events.find((e) => e.room === room && e.type === "m.room.encryption");
    return {
      isSpace: create["type"] === "m.space",
      encrypted_ms: encrypted?.ts ?? null,
      predecessor: (create["predecessor"] as { room_id: string } | undefined)?.room_id ?? null,
      replacement: tombstone && !isRedacted ? (tombstone.content["replacement_room"] as string) : null,
    };
  }

  vouchedBy(user: string, room: string): string | null {
    const changes = this.history.events.filter(
      (e) => e.room === room && e.type === "m.room.member" && e.stateKey === user,
    );
    const own = changes.at(-1)?.content["membership"];
    const first = changes.findLastIndex(({ content }) => content["membership"] !== own) + 1;
    return own === "join"
      ? ((changes[first]?.content["join_authorised_via_users_server"] as string | undefined) ?? null)
      : null;
  }
}
