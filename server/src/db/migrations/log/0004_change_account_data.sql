-- compatible since: 0003
-- Replaces account data only where it still is what the writer has read: replicas that change parts of it at the same time, such
-- as tags, lose none of the changes. p_read is null where there was none. Gives the position, or null where it was something else.
create function log.change_account_data(p_user text, p_room text, p_type text, p_read text, p_content text) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_position bigint;
begin
  -- Who changes account data waits here for whoever is before them, and reads afterwards.
  select position + 1 into v_position from log.head for update;
  if (select content from log.account_data where user_id = p_user and room_id = p_room and type = p_type) is distinct from p_read then
    return null;
  end if;
  insert into log.entries (position, kind, room_id, user_id, type, body)
  values (v_position, 'account_data', nullif(p_room, ''), p_user, p_type, p_content);
  update log.head set position = v_position;
  perform log.project_account_data(v_position - 1);
  return v_position;
end $$;
