/* plan_file.c - files and binding; see plan_file.h */
#include "ui/plan_file.h"

#include <errno.h>

#include "base/units.h"
#include "ui/plan_file_parts.h"
#include "ui/plan_seal.h"
#include "ui/words.h"

static bool
check_version(struct json_value root, struct json_reader *reader,
    struct str path, struct diags *diags)
{
	struct str version, minor;
	int64_t major;

	if (!json_is(root, JSON_OBJECT) ||
	    !json_is(json_get(root, "format_version"), JSON_STRING)) {
		diag_error(diags, "PF0701", NO_SPAN, "'" STR_FMT "' is not a "
		    "saved plan", STR_ARG(path));
		diag_hint(diags, "podform plan --out FILE writes one");
		return false;
	}
	json_read_str(reader, root, "format_version", REQUIRED, &version);
	if (!parse_int(str_cut(version, '.', &minor), 0, 1000000, &major) ||
	    major != PLAN_FORMAT_MAJOR) {
		diag_error(diags, "PF0702", NO_SPAN, "plan '" STR_FMT "' has "
		    "format " STR_FMT ", and this podform reads " PLAN_FORMAT,
		    STR_ARG(path), STR_ARG(version));
		return false;
	}
	return true;
}

static void
read_list(struct json_reader *reader, struct json_value object,
    const char *key, struct str **items, size_t *n)
{
	struct json_value list;
	struct json_iter it;

	*n = 0;
	if (!json_read_array(reader, object, key, OPTIONAL, &list))
		return;
	*items = ARENA_ARRAY(reader->arena, struct str, json_count(list) + 1);
	it = json_iter(list);
	while (json_next(&it))
		if (json_value_str(reader, it.value, &(*items)[*n]))
			++*n;
}

static void
read_variables(struct json_reader *reader, struct json_value object,
    struct plan_binding *out)
{
	struct json_value variables;
	struct json_iter it;

	if (!json_read_object(reader, object, "variables", OPTIONAL,
	    &variables))
		return;
	out->variables = ARENA_ARRAY(reader->arena, struct variable,
	    json_count(variables) + 1);
	it = json_iter(variables);
	while (json_next(&it)) {
		struct variable *v = &out->variables[out->nvariables++];
		v->name = json_iter_key(reader->arena, &it);
		json_value_str(reader, it.value, &v->value);
	}
}

static void
read_time(struct json_reader *reader, struct json_value object,
    const char *key, enum json_need need, int64_t *wall_ms)
{
	struct str text;

	if (json_read_str(reader, object, key, need, &text) &&
	    !parse_time(text, wall_ms))
		json_fail(reader, key, "time");
}

static void
read_mode(struct json_reader *reader, struct json_value root,
    enum plan_mode *mode)
{
	struct str word;

	if (!json_read_str(reader, root, "mode", REQUIRED, &word))
		return;
	for (int i = PLAN_NORMAL; i <= PLAN_REFRESH_ONLY; i++)
		if (str_is(word, words_mode((enum plan_mode)i))) {
			*mode = (enum plan_mode)i;
			return;
		}
	json_fail(reader, "mode", "normal, destroy or refresh-only");
}

static void
read_binding(struct json_reader *reader, struct json_value root,
    struct plan_binding *out)
{
	struct json_value options;

	json_read_str(reader, root, "podform_version", OPTIONAL,
	    &out->version);
	json_read_str(reader, root, "project", OPTIONAL, &out->project);
	json_read_str(reader, root, "plan_id", OPTIONAL, &out->plan_id);
	json_read_str(reader, root, "lineage", OPTIONAL, &out->lineage);
	json_read_int(reader, root, "serial", REQUIRED, 0, INT64_MAX,
	    &out->serial);
	json_read_str(reader, root, "account", NULLABLE, &out->account);
	json_read_str(reader, root, "spec_digest", OPTIONAL,
	    &out->spec_digest);
	json_read_str(reader, root, "live_digest", OPTIONAL,
	    &out->live_digest);
	json_read_str(reader, root, "plan_digest", OPTIONAL,
	    &out->plan_digest);
	read_time(reader, root, "created", REQUIRED, &out->created_ms);
	read_time(reader, root, "expires", OPTIONAL, &out->expires_ms);
	read_mode(reader, root, &out->mode);
	if (!json_read_object(reader, root, "options", OPTIONAL, &options))
		return;
	json_read_bool(reader, options, "refresh", OPTIONAL, &out->refresh);
	read_list(reader, options, "targets", &out->targets, &out->ntargets);
	read_list(reader, options, "excludes", &out->excludes,
	    &out->nexcludes);
	read_list(reader, options, "replaces", &out->replaces,
	    &out->nreplaces);
	read_list(reader, options, "spec", &out->spec_paths,
	    &out->nspec_paths);
	read_variables(reader, options, out);
}

bool
plan_file_parse(struct arena *arena, struct str text, struct str path,
    struct plan_file *out, struct diags *diags)
{
	struct json_limits limits = { .bytes = PLAN_FILE_BYTES_MAX };
	struct json *doc = ARENA_NEW(arena, struct json);
	struct json_reader reader = { .arena = arena, .where = "plan" };
	struct json_error error;
	struct json_value root;

	*out = (struct plan_file){ .text = text };
	if (!json_parse(arena, text, limits, doc, &error)) {
		diag_error(diags, "PF0701", NO_SPAN, "'" STR_FMT "' is not a "
		    "saved plan: %s at byte %zu", STR_ARG(path), error.reason,
		    error.offset);
		diag_hint(diags, "podform plan --out FILE writes one");
		return false;
	}
	root = json_root(doc);
	if (!check_version(root, &reader, path, diags))
		return false;
	read_binding(&reader, root, &out->binding);
	out->sources = ARENA_NEW(arena, struct sources);
	out->sources->arena = arena;
	out->plan = ARENA_NEW(arena, struct plan);
	plan_file_read_plan(&reader, root, out);
	if (reader.failed) {
		diag_error(diags, "PF0701", NO_SPAN, "'" STR_FMT "' is not a "
		    "plan that can be read: " STR_FMT, STR_ARG(path),
		    STR_ARG(reader.why));
		return false;
	}
	out->plan->mode = out->binding.mode;
	struct str seal = {0};
	out->sealed = json_read_str(&reader, root, PLAN_SEAL, NULLABLE,
	    &seal);
	out->whole = out->sealed && str_eq(seal, plan_seal(arena, root));
	return true;
}

bool
plan_file_check(const struct plan_file *file, struct str path,
    struct diags *diags)
{
	if (file->whole)
		return true;
	if (file->sealed)
		diag_error(diags, "PF0705", NO_SPAN, "plan '" STR_FMT "' was "
		    "changed after podform wrote it: its content does not "
		    "match its content_digest", STR_ARG(path));
	else
		diag_error(diags, "PF0705", NO_SPAN, "plan '" STR_FMT "' has "
		    "no content_digest: it was changed, or is of an older "
		    "podform", STR_ARG(path));
	diag_hint(diags, "make a new one: podform plan --out FILE");
	return false;
}

bool
plan_file_read(struct arena *arena, const struct fs *fs, const char *path,
    struct plan_file *out, struct diags *diags)
{
	struct str text;
	int rc = fs_read_file(fs, arena, path, PLAN_FILE_BYTES_MAX, true,
	    &text);

	if (rc == -EINVAL || rc == -ENXIO) {
		diag_error(diags, "PF0703", NO_SPAN,
		    "cannot read plan '%s': it is no regular file", path);
		return false;
	}
	if (rc < 0) {
		diag_errno(diags, "PF0703", NO_SPAN, -rc,
		    "cannot read plan '%s'", path);
		return false;
	}
	return plan_file_parse(arena, text, str_from(path), out, diags);
}

bool
plan_file_write(const struct fs *fs, const struct chance *chance,
    const char *path, struct str text, struct diags *diags)
{
	int rc = fs_replace_file(fs, chance, path, text);

	if (rc < 0)
		diag_errno(diags, "PF0704", NO_SPAN, -rc,
		    "cannot write plan '%s'", path);
	return rc == 0;
}
