/* holder.c - see holder.h */
#include "lock/holder.h"

#include "base/json.h"

void
holder_put(struct strbuf *out, const struct mutex_holder *holder, bool released)
{
	struct json_writer w = { .out = out };

	json_begin(&w, '{');
	json_member_str(&w, "id", holder->id);
	json_member_str(&w, "operation", holder->operation);
	json_member_str(&w, "who", holder->who);
	json_member_int(&w, "pid", holder->pid);
	json_member_str(&w, "boot_id", holder->boot_id);
	json_member_str(&w, "run_url", holder->run_url);
	json_member_str(&w, "version", holder->version);
	json_member_str(&w, "created", holder->created);
	json_member_int(&w, "fence", holder->fence);
	json_member_bool(&w, "released", released);
	json_end(&w, '}');
	strbuf_addc(out, '\n');
}

bool
holder_get(struct arena *arena, struct str text, struct mutex_holder *holder,
    bool *released)
{
	struct json_reader r = { .arena = arena, .where = "mutex" };
	struct json_limits limits = { .bytes = HOLDER_BYTES_MAX };
	struct json_error error;
	struct json *doc = ARENA_NEW(arena, struct json);

	*holder = (struct mutex_holder){ 0 };
	*released = false;
	if (!json_parse(arena, text, limits, doc, &error))
		return false;
	struct json_value o = json_root(doc);
	json_read_str(&r, o, "id", OPTIONAL, &holder->id);
	json_read_str(&r, o, "operation", OPTIONAL, &holder->operation);
	json_read_str(&r, o, "who", OPTIONAL, &holder->who);
	json_read_int(&r, o, "pid", OPTIONAL, 0, INT64_MAX, &holder->pid);
	json_read_str(&r, o, "boot_id", OPTIONAL, &holder->boot_id);
	json_read_str(&r, o, "run_url", OPTIONAL, &holder->run_url);
	json_read_str(&r, o, "version", OPTIONAL, &holder->version);
	json_read_str(&r, o, "created", OPTIONAL, &holder->created);
	json_read_int(&r, o, "fence", OPTIONAL, 0, INT64_MAX, &holder->fence);
	json_read_bool(&r, o, "released", OPTIONAL, released);
	return json_is(o, JSON_OBJECT) && !r.failed;
}

/* "Info" is for people; Terraform prints it with the others. */
void
holder_put_info(struct strbuf *out, const struct mutex_holder *holder)
{
	struct json_writer w = { .out = out };

	json_begin(&w, '{');
	json_member_str(&w, "ID", holder->id);
	json_member_str(&w, "Operation", holder->operation);
	json_key(&w, "Info");
	json_put_str(&w, holder->run_url);
	json_member_str(&w, "Who", holder->who);
	json_member_str(&w, "Version", holder->version);
	json_member_str(&w, "Created", holder->created);
	json_key(&w, "Path");
	json_put_str(&w, STR("podform.lock"));
	json_end(&w, '}');
}

bool
holder_get_info(struct arena *arena, struct str text,
    struct mutex_holder *holder)
{
	struct json_reader r = { .arena = arena, .where = "lock" };
	struct json_limits limits = { .bytes = HOLDER_BYTES_MAX };
	struct json_error error;
	struct json *doc = ARENA_NEW(arena, struct json);

	*holder = (struct mutex_holder){ 0 };
	if (!json_parse(arena, text, limits, doc, &error))
		return false;
	struct json_value o = json_root(doc);
	json_read_str(&r, o, "ID", REQUIRED, &holder->id);
	json_read_str(&r, o, "Operation", NULLABLE, &holder->operation);
	json_read_str(&r, o, "Info", NULLABLE, &holder->run_url);
	json_read_str(&r, o, "Who", NULLABLE, &holder->who);
	json_read_str(&r, o, "Version", NULLABLE, &holder->version);
	json_read_str(&r, o, "Created", NULLABLE, &holder->created);
	return !r.failed;
}
