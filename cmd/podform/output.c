/*
 * output.c - podform output: what scripts need of what is running.
 *
 * Names are ADDRESS.id, .name, .status, .data_center, .gpu, .per_hour,
 * .ssh.host, .ssh.port, .ssh.user for pods, ADDRESS.id, .name, .size,
 * .data_center for volumes, ADDRESS.name for runners and ADDRESS.local.host,
 * .local.port, .local.path, .url, .status for the tunnels that this machine
 * holds.  What is not known (a stopped pod has no port) is left out.
 */
#include "base/json.h"
#include "base/units.h"
#include "base/tunnel.h"
#include "commands.h"
#include "holder_client.h"
#include "picture.h"

struct named { struct str name, value; };
struct outputs { VEC_OF(struct named) list; };

static void
put(struct app *app, struct outputs *outputs, struct str address,
    const char *name, struct str value)
{
	if (value.len == 0)
		return;
	*ARENA_PUSH(&app->arena, &outputs->list) = (struct named){
		arena_printf(&app->arena, STR_FMT ".%s", STR_ARG(address),
		    name), value };
}

/* Dollars without a sign, as scripts take them. */
static struct str
dollars(struct app *app, int64_t microusd)
{
	struct strbuf out = {0};
	struct json_writer w = { .out = &out };
	struct str text;

	json_put_usd(&w, microusd);
	text = arena_str(&app->arena, strbuf_str(&out));
	strbuf_release(&out);
	return text;
}

static void
put_pod(struct app *app, struct outputs *outputs,
    const struct picture *picture, const struct lock_entry *entry)
{
	const struct cloud_pod *pod = picture_pod(picture, entry->id);
	struct str address = entry->address;
	enum paint paint;

	put(app, outputs, address, "id", entry->id);
	put(app, outputs, address, "status", picture_state(picture, entry,
	    &paint));
	if (pod == NULL)
		return;
	put(app, outputs, address, "name", pod->config.name);
	put(app, outputs, address, "data_center", pod->config.data_center);
	put(app, outputs, address, "gpu", pod->config.gpu);
	if (pod->cost_known)
		put(app, outputs, address, "per_hour", dollars(app,
		    pod->cost_per_hour));
	if (pod->ssh.port == 0)
		return;
	put(app, outputs, address, "ssh.host", pod->ssh.host);
	put(app, outputs, address, "ssh.port", arena_printf(&app->arena, "%u",
	    pod->ssh.port));
	put(app, outputs, address, "ssh.user", pod->ssh.user.len > 0 ?
	    pod->ssh.user : STR("root"));
}

static void
put_tunnel(struct app *app, struct outputs *outputs,
    const struct tunnel_status *tunnel)
{
	const struct tunnel_config *config = &tunnel->config;
	struct str address = config->address;

	put(app, outputs, address, "status", str_from(tunnel_state_name(
	    tunnel->state)));
	put(app, outputs, address, "url", tunnel_url(&app->arena, tunnel));
	if (str_starts(config->local_address, STR("/"))) {
		put(app, outputs, address, "local.path",
		    config->local_address);
		return;
	}
	put(app, outputs, address, "local.host", config->local_address);
	uint16_t port = config->direction == TUNNEL_REMOTE ||
	    tunnel->port == 0 ? config->local_port : tunnel->port;
	put(app, outputs, address, "local.port", arena_printf(&app->arena,
	    "%u", (unsigned)port));
}

/* Nobody to ask is no reason to say nothing of the pods. */
static void
put_tunnels(struct app *app, struct outputs *outputs)
{
	struct tunnel_status *tunnels;
	struct str why;
	size_t n;

	if (app->holder == NULL || !holder_list(app, &tunnels, &n, &why))
		return;
	for (size_t i = 0; i < n; i++)
		if (tunnels[i].state != TUNNEL_CLOSED)
			put_tunnel(app, outputs, &tunnels[i]);
}

static struct outputs
collect(struct app *app, const struct picture *picture)
{
	const struct lock *lock = picture->session.lock;
	struct outputs outputs = {0};

	for (size_t i = 0; i < lock->entries.n; i++) {
		const struct lock_entry *entry = &lock->entries.items[i];
		if (entry->deposed)
			continue;
		if (entry->kind == KIND_POD) {
			put_pod(app, &outputs, picture, entry);
			continue;
		}
		if (entry->kind == KIND_RUNNER) {
			put(app, &outputs, entry->address, "name",
			    entry->runner.name);
			continue;
		}
		put(app, &outputs, entry->address, "id", entry->id);
		put(app, &outputs, entry->address, "name",
		    entry->volume.name);
		put(app, &outputs, entry->address, "size", arena_printf(
		    &app->arena, "%lldGB", (long long)entry->volume.size_gb));
		put(app, &outputs, entry->address, "data_center",
		    entry->volume.data_center);
	}
	put_tunnels(app, &outputs);
	return outputs;
}

static int
print_one(struct app *app, const struct outputs *outputs, struct str name)
{
	struct str *known = ARENA_ARRAY(&app->arena, struct str,
	    outputs->list.n + 1);
	struct strbuf out = {0};
	struct str near;

	for (size_t i = 0; i < outputs->list.n; i++) {
		const struct named *output = &outputs->list.items[i];
		known[i] = output->name;
		if (!str_eq(output->name, name))
			continue;
		if (app_json(app))
			strbuf_add_json(&out, output->value);
		else if (app->options->raw)
			strbuf_add(&out, output->value);
		else
			strbuf_add_escaped(&out, output->value);
		if (!app->options->raw || app_json(app))
			strbuf_addc(&out, '\n');
		app_print(app, &out);
		return EXIT_OK;
	}
	near = str_nearest(name, known, outputs->list.n);
	app_fail(app, 0, "PF0854", "there is no output '" STR_FMT "'%s" STR_FMT
	    "%s", STR_ARG(name), near.len > 0 ? "; did you mean '" : "",
	    STR_ARG(near), near.len > 0 ? "'?" : "");
	diag_hint(&app->diags, "podform output lists what there is");
	return EXIT_ERROR;
}

static void
print_all(struct app *app, const struct outputs *outputs)
{
	struct strbuf out = {0};
	struct json_writer w = { .out = &out, .indent = 2 };

	if (app_json(app)) {
		json_begin(&w, '{');
		for (size_t i = 0; i < outputs->list.n; i++) {
			json_key_str(&w, outputs->list.items[i].name);
			json_put_str(&w, outputs->list.items[i].value);
		}
		json_end(&w, '}');
		strbuf_addc(&out, '\n');
	} else {
		for (size_t i = 0; i < outputs->list.n; i++) {
			strbuf_add_escaped(&out, outputs->list.items[i].name);
			strbuf_adds(&out, " = ");
			strbuf_add_escaped(&out,
			    outputs->list.items[i].value);
			strbuf_addc(&out, '\n');
		}
	}
	app_print(app, &out);
}

int
cmd_output(struct app *app)
{
	struct str name = app_operand(app, 0);
	struct picture picture;
	struct outputs outputs;
	int code = picture_take(&picture, app, "output");

	if (code != EXIT_OK)
		return code;
	outputs = collect(app, &picture);
	if (name.data != NULL)
		code = print_one(app, &outputs, name);
	else
		print_all(app, &outputs);
	session_close(&picture.session);
	return code;
}
