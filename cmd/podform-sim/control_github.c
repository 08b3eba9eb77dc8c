/* control_github.c - the control door's part for GitHub. */
#include "control_parts.h"
#include "github.h"

#include <string.h>

#include "model/json_out.h"

static int64_t
now(const struct control *control)
{
	return sim_now(control->sim);
}

static void
report(struct control *control)
{
	control->reply->status = 200;
	control->reply->content_type = STR("application/json");
	control->reply->body = hub_report(control->sim->hub, now(control),
	    control->arena);
}

static size_t
strings(struct control *control, const char *key, struct str **out)
{
	struct json_object *list = control_get(control->body, key);
	size_t n = json_object_is_type(list, json_type_array)
	    ? json_object_array_length(list) : 0;

	*out = ARENA_ARRAY(control->arena, struct str, n);
	for (size_t i = 0; i < n; i++)
		(*out)[i] = arena_str(control->arena, str_from(
		    json_object_get_string(json_object_array_get_idx(list,
		    i))));
	return n;
}

/* Queue a job: {labels, seconds, repository, name, run, fails}. */
static void
add_job(struct control *control)
{
	struct str repository = control_str(control->body, "repository");
	struct hub_want want = {
		.repository = repository.len > 0 ? repository
		    : STR("acme/model"),
		.name = control_str(control->body, "name"),
		.run = control_str(control->body, "run"),
		.duration_ms = control_int(control->body, "seconds", 1) *
		    1000,
		.fails = control_bool(control->body, "fails", false),
	};
	struct json_out out = {0};
	struct hub_job *job;
	struct str *labels;

	want.nlabels = strings(control, "labels", &labels);
	want.labels = labels;
	job = hub_add_job(control->sim->hub, now(control), &want);
	if (job == NULL) {
		control_bad(control, 404, "there is no repository '" STR_FMT
		    "'", STR_ARG(want.repository));
		return;
	}
	json_out_open(&out, '{');
	json_out_member_int(&out, "id", job->id);
	json_out_member_int(&out, "run_id", job->run_id);
	json_out_close(&out, '}');
	control->reply->status = 200;
	control->reply->content_type = STR("application/json");
	control->reply->body = json_out_take(&out, control->arena);
}

/* "create": {"fault": 0.1}: chances of the calls of one name. */
static bool
read_chances(struct control *control, struct hub_faults *faults,
    const char *name, struct json_object *chances)
{
	enum hub_call call = HUB_CALL_COUNT;
	enum hub_fault fault;

	if (strcmp(name, "*") != 0 && !hub_call_find(str_from(name), &call)) {
		control_bad(control, 400, "unknown call '%s'", name);
		return false;
	}
	json_object_object_foreach(chances, word, value) {
		uint16_t per_mille;
		if (!hub_fault_find(str_from(word), &fault) ||
		    !control_chance(value, &per_mille)) {
			control_bad(control, 400, "'%s' is not a fault with "
			    "a chance from 0 to 1", word);
			return false;
		}
		for (int i = 0; i < HUB_CALL_COUNT; i++)
			if (call == HUB_CALL_COUNT || i == (int)call)
				faults->per_mille[i][fault] = per_mille;
	}
	return true;
}

static bool
read_at_most(struct control *control, struct hub_faults *faults,
    struct json_object *counts)
{
	enum hub_fault fault;

	json_object_object_foreach(counts, word, count) {
		if (!hub_fault_find(str_from(word), &fault)) {
			control_bad(control, 400, "unknown fault '%s'", word);
			return false;
		}
		faults->at_most[fault] = json_object_get_int64(count);
	}
	return true;
}

static void
set_faults(struct control *control)
{
	struct hub_faults faults = {0};

	if (json_object_is_type(control->body, json_type_object)) {
		json_object_object_foreach(control->body, name, value) {
			if (!json_object_is_type(value, json_type_object)) {
				control_bad(control, 400, "'%s' is not "
				    "understood", name);
				return;
			}
			if (strcmp(name, "at_most") == 0 ?
			    !read_at_most(control, &faults, value) :
			    !read_chances(control, &faults, name, value))
				return;
		}
	} else if (control->body != NULL) {
		control_bad(control, 400, "faults are an object");
		return;
	}
	hub_set_faults(control->sim->hub, &faults);
	control_ok(control);
}

static void
set_script(struct control *control)
{
	struct json_object *body = control->body;
	struct hub_script script = {
		.nth = control_int(body, "nth", 1),
		.fault = HUB_FAULT_COUNT,
		.status = (int)control_int(body, "status", 0),
		.delay_ms = control_int(body, "delay_ms", 0),
		.body = control_str(body, "body"),
		.retry_after = control_str(body, "retry_after"),
	};

	if (str_is(control->request->method, "DELETE")) {
		hub_clear_scripts(control->sim->hub);
		control_ok(control);
		return;
	}
	if (!hub_call_find(control_str(body, "call"), &script.call) ||
	    (control_get(body, "fault") != NULL &&
	    !hub_fault_find(control_str(body, "fault"), &script.fault)) ||
	    !control_transport(control_str(body, "transport"),
	    &script.transport) || script.nth < 1) {
		control_bad(control, 400, "unknown call, fault or transport");
		return;
	}
	hub_add_script(control->sim->hub, &script);
	control_ok(control);
}

/* {"name": "acme/new", "private": true, "forbidden": false, "rename": ""} */
static void
set_repository(struct control *control)
{
	struct str name = control_str(control->body, "name");
	struct str rename = control_str(control->body, "rename");
	struct hub_scope *scope;

	if (str_find(name, '/') < 1) {
		control_bad(control, 400, "name must be OWNER/REPOSITORY");
		return;
	}
	scope = hub_repository(control->sim->hub, name,
	    control_bool(control->body, "private", true));
	scope->forbidden = control_bool(control->body, "forbidden", false);
	if (rename.len > 0)
		hub_rename(control->sim->hub, scope, rename);
	control_ok(control);
}

static void
set_version(struct control *control)
{
	hub_set_least_version(control->sim->hub,
	    control_str(control->body, "least"));
	control_ok(control);
}

/* People delete a runner, by its id or name, busy or not. */
static void
delete_runner(struct control *control)
{
	struct hub *hub = control->sim->hub;
	struct str verb, name;

	name = str_cut(str_sub(control->rest, strlen("runners/"),
	    control->rest.len), '/', &verb);
	for (size_t i = 0; i < hub_runner_count(hub); i++) {
		struct hub_runner *runner = hub_runner_at(hub, i);
		struct str id = arena_printf(control->arena, "%lld",
		    (long long)runner->id);
		if (runner->removed_ms >= 0 || !str_is(verb, "delete") ||
		    (!str_eq(runner->name, name) && !str_eq(id, name)))
			continue;
		hub_people_delete(hub, now(control), runner->id);
		control_ok(control);
		return;
	}
	control_bad(control, 404, "there is no runner '" STR_FMT "'",
	    STR_ARG(name));
}

void
control_github(struct control *control)
{
	static const struct {
		const char *path;
		void (*serve)(struct control *control);
	} routes[] = {
		{ "", report }, { "job", add_job }, { "faults", set_faults },
		{ "script", set_script }, { "repository", set_repository },
		{ "version", set_version },
	};
	struct str path = control->rest;

	if (path.len > 0 && path.data[0] == '/')
		path = str_sub(path, 1, path.len);
	control->rest = path;
	if (str_starts(path, STR("runners/"))) {
		delete_runner(control);
		return;
	}
	for (size_t i = 0; i < COUNTOF(routes); i++)
		if (str_is(path, routes[i].path)) {
			routes[i].serve(control);
			return;
		}
	control_bad(control, 404, "no such control 'github/" STR_FMT "'",
	    STR_ARG(path));
}
