import { useAvatar } from "../../app/useMedia.ts";
import type { Person } from "../../models/timeline/item.ts";
import { Avatar, type AvatarProps } from "../../ui/Avatar.tsx";

/** The picture of a person or room, loaded with the session's rights. */
export function Face({
  person,
  size,
  className,
}: {
  person: Person;
  size: AvatarProps["size"];
  className?: string | undefined;
}) {
  const src = useAvatar(person.avatarMxc, size * 2);
  return <Avatar id={person.id} name={person.name} src={src} size={size} className={className} />;
}
