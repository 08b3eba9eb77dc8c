/*
 * tunnel.c - `podform tunnel`: list, open and close what the holder holds.
 *
 * list and close need neither spec nor key; open takes the tunnel from the
 * spec, its pod from the lock, and asks the service once where that is.
 */
#include "base/units.h"
#include "commands.h"
#include "holder_client.h"
#include "inside.h"
#include "tunnel_show.h"

enum { OPEN_TIMEOUT_MS = 60 * SECOND_MS };

static int
no_holder_answer(struct app *app, struct str why)
{
	return app_fail(app, EXIT_ERROR, "PF0881", "tunnels are not known: "
	    STR_FMT, STR_ARG(why));
}

static void
print(struct app *app, const struct tunnel_status *tunnels, size_t n)
{
	struct strbuf out = {0};
	struct json_writer w = { .out = &out, .indent = 2 };

	if (app_json(app)) {
		json_begin(&w, '{');
		json_member_str(&w, "format_version", STR("1.0"));
		json_key(&w, "tunnels");
		tunnel_show_json(app, &w, tunnels, n);
		json_end(&w, '}');
		strbuf_addc(&out, '\n');
	} else {
		tunnel_show_text(app, &out, tunnels, n);
		if (n == 0)
			strbuf_adds(&out, "no tunnel is held here\n");
	}
	app_print(app, &out);
}

static int
list(struct app *app)
{
	struct tunnel_status *tunnels;
	struct str why;
	size_t n;
	int code;

	if (app->args.operands.n > 1)
		return app_fail(app, EXIT_USAGE, "PF0803", "podform tunnel "
		    "list: '" STR_FMT "' is one argument too many",
		    STR_ARG(app_operand(app, 1)));
	code = app_connect(app, false);
	if (code != EXIT_OK)
		return code;
	if (!holder_list(app, &tunnels, &n, &why))
		return no_holder_answer(app, why);
	print(app, tunnels, n);
	return EXIT_OK;
}

/* ------------------------------------------------------------------ close -- */

static int
close_one(struct app *app, struct str address)
{
	struct holder_request request = { .verb = HOLDER_CLOSE,
		.config.address = address };
	struct holder_answer answer;
	struct tunnel_status *tunnels;
	struct strbuf out = {0};
	struct str why;
	bool held = false;
	size_t n;

	if (!holder_list(app, &tunnels, &n, &why))
		return no_holder_answer(app, why);
	for (size_t i = 0; i < n; i++)
		held |= str_eq(tunnels[i].config.address, address);
	if (held && !holder_ask(app, &request, &answer, &why))
		return no_holder_answer(app, why);
	strbuf_add_escaped(&out, address);
	strbuf_adds(&out, held ? " is closed\n" :
	    n == 0 ? " was not open\n" :
	    " was not open; podform tunnel list shows what is\n");
	app_tell(app, &out);
	return EXIT_OK;
}

static int
close_all(struct app *app)
{
	struct strbuf out = {0};
	struct str why;

	if (!holder_end(app, &why))
		return no_holder_answer(app, why);
	strbuf_adds(&out, "no tunnel is held any more\n");
	app_tell(app, &out);
	return EXIT_OK;
}

/* `web` stands for tunnel.web. */
static struct str
full_address(struct app *app, struct str address)
{
	return str_starts(address, STR("tunnel.")) ? address :
	    arena_printf(&app->arena, "tunnel." STR_FMT, STR_ARG(address));
}

static int
close_some(struct app *app)
{
	struct str address = app_operand(app, 1);
	int code = app_connect(app, false);

	if (code != EXIT_OK)
		return code;
	if (app->options->all && address.len == 0)
		return close_all(app);
	if (address.len == 0 || app->options->all)
		return app_fail(app, EXIT_USAGE, "PF0804", "tunnel down "
		    "needs either an address or --all");
	return close_one(app, full_address(app, address));
}

/* ------------------------------------------------------------------- open -- */

static struct holder_request
request_of(const struct resource *resource, const struct inside_pod *pod)
{
	const struct tunnel_spec *spec = resource->tunnel;
	struct holder_request request = {
		.verb = HOLDER_OPEN, .timeout_ms = OPEN_TIMEOUT_MS,
		.config = {
			.address = resource->address,
			.local_address = spec->local_address,
			.local_port = (uint16_t)spec->local_port,
			.remote_host = spec->remote_host,
			.remote_port = (uint16_t)spec->remote_port,
			.check = spec->check, .pod = pod->entry->address,
			.pod_id = pod->entry->id },
		.ssh = pod->live->ssh, .start = pod->live->started_at,
	};

	if (pod->want != NULL) {
		request.config.user = pod->want->ssh_user;
		request.config.key = pod->want->ssh_key_path;
	}
	tunnel_direction_parse(spec->direction, &request.config.direction);
	if (pod->target.npins > 0)
		request.pin = pod->target.pins[0];
	return request;
}

static int
open_one(struct inside *inside, const struct resource *resource)
{
	struct app *app = inside->app;
	struct holder_request request;
	struct holder_answer answer;
	struct inside_pod *pod;
	struct str why;
	int code;

	inside->npods = 0;
	code = inside_find(inside, resource->address, false);
	if (code == EXIT_OK)
		code = inside_look(inside);
	if (code != EXIT_OK)
		return code;
	pod = &inside->pods[0];
	code = inside_target(inside, pod);
	if (code != EXIT_OK)
		return code;
	request = request_of(resource, pod);
	if (holder_ask(app, &request, &answer, &why)) {
		print(app, answer.tunnels, answer.ntunnels);
		return EXIT_OK;
	}
	diag_error(&app->diags, "PF0882", resource->span, STR_FMT
	    " is not up: " STR_FMT, STR_ARG(resource->address),
	    STR_ARG(why));
	if (!answer.conflict)
		diag_hint(&app->diags, "it goes on trying: podform "
		    "tunnel list shows it, podform tunnel down ends it");
	return EXIT_ERROR;
}

static int
open_some(struct app *app)
{
	struct str address = app_operand(app, 1);
	const struct resource *resource;
	struct inside inside;
	int code;

	if (address.len == 0)
		return app_fail(app, EXIT_USAGE, "PF0804",
		    "tunnel up needs the address of a tunnel");
	address = full_address(app, address);
	code = inside_open(&inside, app, "tunnel");
	if (code == EXIT_OK) {
		resource = inside.spec == NULL ? NULL :
		    spec_find(inside.spec, address);
		code = resource != NULL ? open_one(&inside, resource) :
		    app_fail(app, EXIT_ERROR, "PF0882", "there is no "
		    STR_FMT " in the spec", STR_ARG(address));
	}
	inside_close(&inside);
	return code;
}

int
cmd_tunnel(struct app *app)
{
	static const struct {
		const char *word;
		int (*run)(struct app *app);
	} verbs[] = {
		{ "list", list }, { "open", open_some }, { "up", open_some },
		{ "close", close_some }, { "down", close_some },
		{ "hold", cmd_tunnel_hold },
	};
	struct str word = app_operand(app, 0);

	if (word.len == 0)
		return list(app);
	for (size_t i = 0; i < COUNTOF(verbs); i++)
		if (str_is(word, verbs[i].word))
			return verbs[i].run(app);
	return app_fail(app, EXIT_USAGE, "PF0804", "tunnel list, up ADDRESS "
	    "or down ADDRESS: '" STR_FMT "' is none of them",
	    STR_ARG(word));
}
