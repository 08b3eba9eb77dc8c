/* plan_json_parts.c - see plan_json_parts.h */
#include "ui/plan_json_parts.h"

#include <string.h>

#include "base/units.h"
#include "ui/words.h"

/* What of an attribute is asked for. */
enum side { BEFORE, AFTER, AFTER_UNKNOWN, BEFORE_SENSITIVE, AFTER_SENSITIVE };

/*
 * A value that may be written: of one that holds a secret only text with
 * references, as the spec and the lock have it, never what a pod reports.
 */
static struct str
safe_value(const struct plan_attr *attr, struct str value)
{
	if (value.data != NULL && attr->sensitive &&
	    str_search(value, STR("${secret.")) < 0)
		return STR("\"(secret)\"");
	return value;
}

/* The JSON text of one side of an attribute; absent: no member. */
static struct str
side_value(const struct plan_attr *attr, enum side side)
{
	struct str none = {0};

	switch (side) {
	case BEFORE:
		return safe_value(attr, attr->before);
	case AFTER:
		return attr->unknown ? none : safe_value(attr, attr->after);
	case AFTER_UNKNOWN:
		return attr->unknown ? STR("true") : none;
	case BEFORE_SENSITIVE:
		return attr->sensitive && attr->before.data != NULL ?
		    STR("true") : none;
	case AFTER_SENSITIVE:
		return attr->sensitive && attr->after.data != NULL ?
		    STR("true") : none;
	}
	return none;
}

/* "gpu.type" is type in gpu; a name without a dot stands for itself.  Only
 * the first dot divides: names of variables may hold more. */
static struct str
group_of(struct str path, struct str *member)
{
	struct str group = str_cut(path, '.', member);

	if (member->len == 0)
		*member = (struct str){0};
	return group;
}

static void
put_group(struct json_writer *w, const struct plan_attr *attrs, size_t n,
    struct str group, enum side side)
{
	struct str member;

	json_key_str(w, group);
	json_begin(w, '{');
	for (size_t i = 0; i < n; i++) {
		struct str value = side_value(&attrs[i], side);
		if (value.data == NULL ||
		    !str_eq(group_of(attrs[i].path, &member), group) ||
		    member.data == NULL)
			continue;
		json_key_str(w, member);
		json_put_raw(w, value);
	}
	json_end(w, '}');
}

/* Was this group begun by an attribute before the one at `at`? */
static bool
group_is_done(const struct plan_attr *attrs, size_t at, struct str group,
    enum side side)
{
	struct str member;

	for (size_t i = 0; i < at; i++)
		if (side_value(&attrs[i], side).data != NULL &&
		    str_eq(group_of(attrs[i].path, &member), group))
			return true;
	return false;
}

static void
put_side(struct json_writer *w, const char *key,
    const struct plan_attr *attrs, size_t n, enum side side)
{
	struct str member;

	json_key(w, key);
	json_begin(w, '{');
	for (size_t i = 0; i < n; i++) {
		struct str value = side_value(&attrs[i], side);
		struct str group = group_of(attrs[i].path, &member);
		if (value.data == NULL ||
		    group_is_done(attrs, i, group, side))
			continue;
		if (member.data != NULL) {
			put_group(w, attrs, n, group, side);
			continue;
		}
		json_key_str(w, group);
		json_put_raw(w, value);
	}
	json_end(w, '}');
}

/* null where there is no such thing, as Terraform has it. */
static void
put_or_null(struct json_writer *w, const char *key, bool exists,
    const struct plan_attr *attrs, size_t n, enum side side)
{
	if (exists) {
		put_side(w, key, attrs, n, side);
		return;
	}
	json_key(w, key);
	json_put_null(w);
}

static void
put_replace_paths(struct json_writer *w, const struct plan_attr *attrs,
    size_t n)
{
	struct str member;

	json_key(w, "replace_paths");
	json_begin_inline(w, '[');
	for (size_t i = 0; i < n; i++) {
		if (!attrs[i].forces_replacement)
			continue;
		json_begin(w, '[');
		json_put_str(w, group_of(attrs[i].path, &member));
		if (member.data != NULL)
			json_put_str(w, member);
		json_end(w, ']');
	}
	json_end(w, ']');
}

static void
put_attribute(struct json_writer *w, const struct plan_attr *attr)
{
	struct str before = side_value(attr, BEFORE);
	struct str after = side_value(attr, AFTER);

	json_begin_inline(w, '{');
	json_member_str(w, "path", attr->path);
	if (before.data != NULL) {
		json_key(w, "before");
		json_put_raw(w, before);
	}
	if (after.data != NULL) {
		json_key(w, "after");
		json_put_raw(w, after);
	}
	if (attr->unknown)
		json_member_bool(w, "unknown", true);
	if (attr->sensitive)
		json_member_bool(w, "sensitive", true);
	if (attr->forces_replacement)
		json_member_bool(w, "forces_replacement", true);
	if (attr->effect == EFFECT_RESTART)
		json_member_bool(w, "restarts", true);
	if (attr->edit || attr->drift)
		json_member_str(w, "cause", attr->edit && attr->drift ?
		    STR("edit+drift") : attr->edit ? STR("edit") :
		    STR("drift"));
	json_end(w, '}');
}

void
plan_json_put_diff(struct json_writer *w, const char *actions,
    const struct plan_attr *attrs, size_t n)
{
	json_key(w, "change");
	json_begin(w, '{');
	json_key(w, "actions");
	json_put_raw(w, str_from(actions));
	put_or_null(w, "before", strcmp(actions, "[\"create\"]") != 0, attrs,
	    n, BEFORE);
	put_or_null(w, "after", strcmp(actions, "[\"delete\"]") != 0, attrs,
	    n, AFTER);
	put_side(w, "after_unknown", attrs, n, AFTER_UNKNOWN);
	put_side(w, "before_sensitive", attrs, n, BEFORE_SENSITIVE);
	put_side(w, "after_sensitive", attrs, n, AFTER_SENSITIVE);
	put_replace_paths(w, attrs, n);
	json_end(w, '}');
	json_key(w, "attributes");
	json_begin(w, '[');
	for (size_t i = 0; i < n; i++)
		put_attribute(w, &attrs[i]);
	json_end(w, ']');
}

static void
put_list(struct json_writer *w, const char *key, const struct str *items,
    size_t n)
{
	json_key(w, key);
	json_begin_inline(w, '[');
	for (size_t i = 0; i < n; i++)
		json_put_str(w, items[i]);
	json_end(w, ']');
}

static void
put_options(struct json_writer *w, const struct plan_binding *binding)
{
	json_key(w, "options");
	json_begin(w, '{');
	json_member_bool(w, "refresh", binding->refresh);
	put_list(w, "targets", binding->targets, binding->ntargets);
	put_list(w, "excludes", binding->excludes, binding->nexcludes);
	put_list(w, "replaces", binding->replaces, binding->nreplaces);
	put_list(w, "spec", binding->spec_paths, binding->nspec_paths);
	json_key(w, "variables");
	json_begin(w, '{');
	for (size_t i = 0; i < binding->nvariables; i++) {
		json_key_str(w, binding->variables[i].name);
		json_put_str(w, binding->variables[i].value);
	}
	json_end(w, '}');
	json_end(w, '}');
}

void
plan_json_put_binding(struct json_writer *w,
    const struct plan_binding *binding)
{
	struct arena arena = {0};

	json_member_str(w, "podform_version", binding->version);
	json_member_str(w, "project", binding->project);
	json_member_str(w, "plan_id", binding->plan_id);
	json_member_str(w, "lineage", binding->lineage);
	json_member_int(w, "serial", binding->serial);
	json_member_str(w, "account", binding->account);
	json_member_str(w, "spec_digest", binding->spec_digest);
	json_member_str(w, "live_digest", binding->live_digest);
	json_member_str(w, "plan_digest", binding->plan_digest);
	json_member_str(w, "created", format_time(&arena,
	    binding->created_ms));
	if (binding->expires_ms > 0)
		json_member_str(w, "expires", format_time(&arena,
		    binding->expires_ms));
	json_member_str(w, "mode", str_from(words_mode(binding->mode)));
	put_options(w, binding);
	arena_release(&arena);
}
