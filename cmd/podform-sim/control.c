/* control.c - see control.h: routes, console, knobs. */
#include "control_parts.h"
#include "github.h"

#include <errno.h>
#include <string.h>

#include "base/units.h"
#include "model/json_out.h"

void
control_ok(struct control *control)
{
	control->reply->status = 200;
	control->reply->content_type = STR("application/json");
	control->reply->body = STR("{\"ok\":true}\n");
}

void
control_bad(struct control *control, int status, const char *format, ...)
{
	struct json_out out = {0};
	struct str text;
	va_list args;

	va_start(args, format);
	text = arena_vprintf(control->arena, format, args);
	va_end(args);
	json_out_open(&out, '{');
	json_out_member(&out, "error", text);
	json_out_close(&out, '}');
	control->reply->status = status;
	control->reply->content_type = STR("application/json");
	control->reply->body = json_out_take(&out, control->arena);
}

struct json_object *
control_get(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) ? value : NULL;
}

struct str
control_str(struct json_object *object, const char *key)
{
	struct json_object *value = control_get(object, key);

	if (json_object_get_type(value) != json_type_string)
		return (struct str){0};
	return (struct str){ json_object_get_string(value),
		(size_t)json_object_get_string_len(value) };
}

int64_t
control_int(struct json_object *object, const char *key, int64_t otherwise)
{
	struct json_object *value = control_get(object, key);

	return value == NULL ? otherwise : json_object_get_int64(value);
}

bool
control_bool(struct json_object *object, const char *key, bool otherwise)
{
	struct json_object *value = control_get(object, key);

	return value == NULL ? otherwise : json_object_get_boolean(value);
}

bool
control_usd(struct json_object *object, const char *key, int64_t *out)
{
	struct json_object *value = control_get(object, key);

	return value != NULL &&
	    parse_usd_number(str_from(json_object_get_string(value)), out);
}

static int64_t
now(const struct control *control)
{
	return sim_now(control->sim);
}

/* ------------------------------------------------------------- account -- */

static void
account(struct control *control)
{
	control->reply->status = 200;
	control->reply->content_type = STR("application/json");
	control->reply->body = sim_report(control->sim, control->arena);
	if (str_is(control->request->method, "POST") &&
	    !sim_write_account(control->sim))
		control_bad(control, 500, "cannot write the account: %s",
		    strerror(errno));
}

static void
quit(struct control *control)
{
	control->sim->quit = true;
	control_ok(control);
}

/* ------------------------------------------------------------- console -- */

/*
 * The living pod that is meant: by id, by name, or by the part of its name
 * before podform's mark ("trainer" for "trainer-pf0123...").
 */
static struct str
find_pod(const struct model *model, struct str wanted)
{
	for (size_t i = 0; i < model_pod_count(model); i++) {
		const struct model_pod *pod = model_pod_at(model, i);
		if (model_pod_billed(pod) && (str_eq(pod->id, wanted) ||
		    str_eq(pod->name, wanted)))
			return pod->id;
	}
	for (size_t i = 0; i < model_pod_count(model); i++) {
		const struct model_pod *pod = model_pod_at(model, i);
		struct str mark = str_sub(pod->name, wanted.len, 3);
		if (model_pod_billed(pod) && str_starts(pod->name, wanted) &&
		    str_is(mark, "-pf"))
			return pod->id;
	}
	return (struct str){0};
}

static bool
play(struct control *control, struct str id, struct str verb)
{
	struct model *model = control->sim->model;
	struct json_object *body = control->body;
	int64_t at = now(control);

	if (str_is(verb, "stop"))
		return model_console_stop(model, at, id);
	if (str_is(verb, "start"))
		return model_console_start(model, at, id);
	if (str_is(verb, "delete"))
		return model_console_delete(model, at, id);
	if (str_is(verb, "rename"))
		return model_console_rename(model, at, id,
		    control_str(body, "name"));
	if (str_is(verb, "lock"))
		return model_console_lock(model, at, id,
		    control_bool(body, "locked", true));
	if (str_is(verb, "env"))
		return model_console_edit_env(model, at, id,
		    control_str(body, "name"), control_str(body, "value"));
	if (str_is(verb, "edit"))
		return model_console_edit(model, at, id,
		    control_str(body, "image"), control_int(body, "disk", 0));
	if (str_is(verb, "lookalike"))
		return model_console_lookalike(model, at, id,
		    control_bool(body, "with_env", false)).data != NULL;
	return false;
}

static void
pods(struct control *control)
{
	struct str verb, name = str_cut(control->rest, '/', &verb);
	struct str id = find_pod(control->sim->model, name);

	if (id.data == NULL)
		control_bad(control, 404, "there is no living pod '" STR_FMT
		    "'", STR_ARG(name));
	else if (play(control, id, verb))
		control_ok(control);
	else
		control_bad(control, 409, "cannot do '" STR_FMT "' with pod '"
		    STR_FMT "'", STR_ARG(verb), STR_ARG(name));
}

static void
volumes(struct control *control)
{
	struct model *model = control->sim->model;
	struct str verb, id = str_cut(control->rest, '/', &verb);

	if (str_is(verb, "delete") &&
	    model_console_delete_volume(model, now(control), id))
		control_ok(control);
	else
		control_bad(control, 404, "there is no volume '" STR_FMT "'",
		    STR_ARG(id));
}

/* --------------------------------------------------------------- knobs -- */

static void
stock(struct control *control)
{
	struct json_object *body = control->body;
	struct str cloud = control_str(body, "cloud");
	int64_t count = control_int(body, "count", 0);
	bool known = true;

	if (!str_is(cloud, "COMMUNITY"))
		known &= model_set_stock(control->sim->model,
		    control_str(body, "gpu"),
		    control_str(body, "data_center"), false, count);
	if (!str_is(cloud, "SECURE"))
		known &= model_set_stock(control->sim->model,
		    control_str(body, "gpu"),
		    control_str(body, "data_center"), true, count);
	if (known)
		control_ok(control);
	else
		control_bad(control, 400, "unknown GPU or data center");
}

static void
capacity(struct control *control)
{
	if (model_set_capacity(control->sim->model,
	    control_str(control->body, "gpu"),
	    control_int(control->body, "count", -1)))
		control_ok(control);
	else
		control_bad(control, 400, "unknown GPU");
}

static void
price(struct control *control)
{
	struct str cloud = control_str(control->body, "cloud");
	int64_t usd;

	if (!control_usd(control->body, "price", &usd))
		control_bad(control, 400, "price is missing");
	else if (model_set_price(control->sim->model,
	    control_str(control->body, "gpu"), str_is(cloud, "COMMUNITY"),
	    usd))
		control_ok(control);
	else
		control_bad(control, 400, "unknown GPU");
}

static void
clock_knob(struct control *control)
{
	int64_t speed = control_int(control->body, "speed", 0);
	int64_t skip = control_int(control->body, "advance_ms", 0);

	if (speed < 0 || skip < 0) {
		control_bad(control, 400, "time does not run backwards");
		return;
	}
	/* What goes beyond has no date that anybody can write. */
	if (speed > SIM_SPEED_MAX || skip / HOUR_MS > 24 * 365 * 1000) {
		control_bad(control, 400, "time does not run that far");
		return;
	}
	if (speed > 0)
		sim_set_speed(control->sim, speed);
	sim_skip(control->sim, skip);
	model_advance(control->sim->model, now(control));
	control_ok(control);
}

static void
balance(struct control *control)
{
	int64_t usd;

	if (!control_usd(control->body, "balance", &usd)) {
		control_bad(control, 400, "balance is missing");
		return;
	}
	model_set_balance(control->sim->model, now(control), usd);
	control_ok(control);
}

static void
key(struct control *control)
{
	model_set_key_revoked(control->sim->model,
	    control_bool(control->body, "revoked", true));
	control_ok(control);
}

static void
pace(struct control *control)
{
	struct json_object *body = control->body;

	if (control_get(body, "latency_ms") != NULL)
		model_set_latency(control->sim->model,
		    control_int(body, "latency_ms", 0));
	if (control_get(body, "start_ms") != NULL)
		model_set_pace(control->sim->model,
		    control_int(body, "provision_ms", 0),
		    control_int(body, "start_ms", 0),
		    control_int(body, "ports_ms", 0));
	control_ok(control);
}

/* -------------------------------------------------------------- routes -- */

static const struct {
	const char *path;	/* after /control/ */
	bool more;		/* what follows belongs to the handler */
	void (*serve)(struct control *control);
} routes[] = {
	{ "account", false, account },
	{ "faults", false, control_faults },
	{ "script", false, control_script },
	{ "pods/", true, pods },
	{ "volumes/", true, volumes },
	{ "stock", false, stock },
	{ "capacity", false, capacity },
	{ "price", false, price },
	{ "clock", false, clock_knob },
	{ "balance", false, balance },
	{ "key", false, key },
	{ "pace", false, pace },
	{ "preload", false, control_preload_pods },
	{ "quit", false, quit },
	{ "github", true, control_github },
};

static struct json_object *
parse(struct str text)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *value;

	if (tokener == NULL)
		fail_out_of_memory();
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	value = json_tokener_parse_ex(tokener, text.data, (int)text.len);
	json_tokener_free(tokener);
	return value;
}

void
control_serve(struct sim *sim, struct arena *arena,
    const struct model_request *request, struct model_reply *reply)
{
	struct control control = {
		.sim = sim, .arena = arena, .request = request,
		.reply = reply,
	};
	struct str path = str_sub(request->path, strlen("/control/"),
	    request->path.len);

	*reply = (struct model_reply){0};
	if (request->body.len > 0 &&
	    (control.body = parse(request->body)) == NULL) {
		control_bad(&control, 400, "the body is not JSON");
		return;
	}
	for (size_t i = 0; i < COUNTOF(routes); i++) {
		struct str route = str_from(routes[i].path);
		if (routes[i].more ? !str_starts(path, route)
		    : !str_eq(path, route))
			continue;
		control.rest = str_sub(path, route.len, path.len);
		routes[i].serve(&control);
		json_object_put(control.body);
		return;
	}
	control_bad(&control, 404, "no such control '" STR_FMT "'",
	    STR_ARG(path));
	json_object_put(control.body);
}
