/*
 * cp.c - podform cp SRC DST: files and directories, to a pod or from it.
 *
 * The end on the pod is ADDRESS:PATH; a PATH that does not begin with a slash
 * begins in the home of the user there.  As with scp, a name with a slash
 * before its first colon is one of this machine.  What arrives is compared
 * with what was sent, by size and digest.
 */
#include <unistd.h>

#include "base/json.h"
#include "commands.h"
#include "inside.h"
#include "ssh_world.h"
#include "ui/cells.h"

enum { SHOW_MS = 200 };

struct cp {
	struct app *app;
	struct inside inside;
	struct str address, remote, local;
	bool to_pod;
	uint64_t number, token;
	bool over, ok, drawn;
	int64_t drawn_ms;
	struct str failed, left_out;
	enum ssh_outcome outcome;
};

/* ------------------------------------------------------------- operands -- */

/* ADDRESS:PATH, or false: a path of this machine. */
static bool
split(struct str text, struct str *address, struct str *path)
{
	ptrdiff_t colon = str_find(text, ':');

	if (colon <= 0 || str_find(str_sub(text, 0, (size_t)colon),
	    '/') >= 0)
		return false;
	*address = str_sub(text, 0, (size_t)colon);
	*path = str_sub(text, (size_t)colon + 1, text.len);
	if (path->len == 0)
		*path = STR(".");
	return true;
}

static bool
read_operands(struct cp *cp)
{
	struct app *app = cp->app;
	struct str source = app_operand(app, 0), target = app_operand(app, 1);
	struct str ignored;
	bool from = split(source, &cp->address, &cp->remote);
	bool to = split(target, from ? &ignored : &cp->address,
	    from ? &ignored : &cp->remote);

	cp->to_pod = to;
	cp->local = to ? source : target;
	if (from != to && cp->local.len > 0)
		return true;
	if (from) {
		app_fail(app, 0, "PF0803", "podform cp copies to a pod or "
		    "from it, not between two");
		diag_hint(&app->diags, "copy to a file here, and that to the "
		    "other one");
	} else {
		app_fail(app, 0, "PF0803", "neither '" STR_FMT "' nor '"
		    STR_FMT "' names a pod", STR_ARG(source),
		    STR_ARG(target));
		diag_hint(&app->diags, "podform cp ./train.py "
		    "trainer:/workspace/");
	}
	return false;
}

/* ------------------------------------------------------------- progress -- */

static void
add_size(struct strbuf *out, uint64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	size_t unit = 0;
	uint64_t rest = 0;

	while (bytes >= 1000 && unit + 1 < COUNTOF(units)) {
		rest = bytes % 1000;
		bytes /= 1000;
		unit++;
	}
	strbuf_addf(out, "%u", (unsigned)bytes);
	if (unit > 0)
		strbuf_addf(out, ".%u", (unsigned)(rest / 100));
	strbuf_addf(out, " %s", units[unit]);
}

/* One line that is drawn again; the end takes it away. */
static void
draw(struct cp *cp, struct str path, uint64_t bytes, uint64_t total)
{
	struct strbuf out = {0}, line = {0};

	add_size(&line, bytes);
	if (total > 0) {
		strbuf_adds(&line, " of ");
		add_size(&line, total);
		strbuf_addf(&line, " (%u%%)", (unsigned)(bytes >= total ?
		    100 : bytes / (total / 100 + 1)));
	}
	strbuf_adds(&line, "  ");
	strbuf_add_escaped(&line, path);
	strbuf_adds(&out, "\r\033[K");
	cells_cut(&out, strbuf_str(&line),
	    (size_t)cp->app->err_style.width - 1);
	strbuf_release(&line);
	app_say(cp->app, &out);
	cp->drawn = true;
}

static void
undraw(struct cp *cp)
{
	struct strbuf out = {0};

	if (!cp->drawn)
		return;
	strbuf_adds(&out, "\r\033[K");
	app_say(cp->app, &out);
	cp->drawn = false;
}

static void
on_progress(void *ctx, struct str path, uint64_t bytes, uint64_t total)
{
	struct cp *cp = ctx;
	int64_t now = app_mono_ms(cp->app);

	if (!cp->app->err_style.live || cp->app->options->quiet ||
	    (cp->drawn_ms > 0 && now - cp->drawn_ms < SHOW_MS))
		return;
	cp->drawn_ms = now;
	draw(cp, path, bytes, total);
}

static void
on_end(void *ctx, const struct ssh_answer *answer)
{
	struct cp *cp = ctx;
	struct arena *arena = &cp->app->arena;
	struct inside_pod *pod = &cp->inside.pods[0];

	undraw(cp);
	cp->over = true;
	cp->outcome = answer->outcome;
	cp->ok = answer->outcome == SSH_DONE && answer->status == 0;
	if (!cp->ok && (answer->outcome == SSH_DONE ||
	    answer->outcome == SSH_LOCAL))
		cp->failed = arena_str(arena, answer->reason);
	else if (!cp->ok)
		cp->failed = arena_printf(arena, "it " STR_FMT, STR_ARG(
		    ssh_world_words(arena, answer)));
	if (answer->output.len > 0)
		cp->left_out = arena_str(arena, answer->output);
	if (pod->pin == TARGET_FIRST_USE && answer->fingerprint.len > 0)
		inside_say_first(&cp->inside, pod, answer->fingerprint);
	ssh_world_wake(cp->app, cp->token);
}

/* --------------------------------------------------------------- result -- */

static void
say_left_out(struct cp *cp)
{
	struct str rest = cp->left_out;
	struct strbuf out = {0};

	while (rest.len > 0) {
		strbuf_adds(&out, "podform: ");
		strbuf_add_escaped(&out, str_cut(rest, '\n', &rest));
		strbuf_addc(&out, '\n');
	}
	app_say(cp->app, &out);
}

static void
json_result(struct cp *cp)
{
	struct strbuf out = {0};
	struct json_writer w = { .out = &out, .indent = 2 };
	struct str rest = cp->left_out, line, head = STR("left out: ");

	json_begin(&w, '{');
	json_member_str(&w, "format_version", STR("1.0"));
	json_member_str(&w, "message", arena_printf(&cp->app->arena,
	    "Copied %s " STR_FMT "; sizes and digests agree.",
	    cp->to_pod ? "to" : "from",
	    STR_ARG(cp->inside.pods[0].entry->address)));
	json_key(&w, "left_out");
	json_begin(&w, '[');
	while (rest.len > 0) {
		line = str_cut(rest, '\n', &rest);
		json_put_str(&w, str_starts(line, head) ?
		    str_sub(line, head.len, line.len) : line);
	}
	json_end(&w, ']');
	json_end(&w, '}');
	strbuf_addc(&out, '\n');
	app_print(cp->app, &out);
	cp->app->json_done = true;
}

static int
result(struct cp *cp)
{
	struct app *app = cp->app;
	struct strbuf out = {0};

	if (!cp->ok) {
		app_fail(app, 0, "PF0868", "cannot copy %s " STR_FMT ": "
		    STR_FMT, cp->to_pod ? "to" : "from",
		    STR_ARG(cp->inside.pods[0].entry->address),
		    STR_ARG(cp->failed));
		ssh_world_hint(app, cp->outcome);
		return EXIT_ERROR;
	}
	if (app_json(app)) {
		json_result(cp);
		return EXIT_OK;
	}
	say_left_out(cp);
	if (app->options->quiet)
		return EXIT_OK;
	strbuf_addf(&out, "Copied %s ", cp->to_pod ? "to" : "from");
	strbuf_add_escaped(&out, cp->inside.pods[0].entry->address);
	strbuf_adds(&out, "; sizes and digests agree.\n");
	app_say(app, &out);
	return EXIT_OK;
}

/* -------------------------------------------------------------- command -- */

static void
start(struct cp *cp)
{
	static const struct ssh_copy_calls calls = { on_progress, on_end };
	struct ssh *ssh = ssh_world_ssh(cp->app);
	const struct ssh_target *target = &cp->inside.pods[0].target;

	cp->number = cp->to_pod ?
	    ssh_copy_to(ssh, target, cp->local, cp->remote, &calls, cp) :
	    ssh_copy_from(ssh, target, cp->remote, cp->local, &calls, cp);
}

/* Until it is over; interrupted, until what is half there has gone. */
static int
wait_for_it(struct cp *cp)
{
	struct session *session = &cp->inside.session;
	const struct world *world = cp->app->world;
	struct ssh *ssh = ssh_world_ssh(cp->app);
	struct world_event event;
	struct arena arena = {0};
	int code = EXIT_OK;

	while (!cp->over && session->interrupted < 2) {
		world->wait(world->ctx, &arena, -1, &event);
		if (event.type == WORLD_SIGNAL) {
			session_signal(session, event.signal);
			code = session_signal_code(session);
			if (!ssh_copy_stop(ssh, cp->number))
				break;
		}
		arena_release(&arena);
	}
	arena_release(&arena);
	if (!cp->over)
		ssh_cancel(ssh, cp->number);
	return code;
}

static int
run(struct cp *cp)
{
	int code;

	io_world_take_signals(cp->app->io);
	start(cp);
	code = wait_for_it(cp);
	undraw(cp);
	if (code == EXIT_OK)
		return result(cp);
	if (cp->over && !cp->app->options->quiet) {
		struct strbuf out = {0};
		strbuf_adds(&out, "podform: interrupted; nothing that is half "
		    "there is left\n");
		app_say(cp->app, &out);
	}
	return code;
}

int
cmd_cp(struct app *app)
{
	struct cp cp = { .app = app, .token = UINT64_MAX };
	int code;

	if (!read_operands(&cp))
		return EXIT_USAGE;
	code = inside_open(&cp.inside, app, "cp");
	if (code == EXIT_OK)
		code = inside_find(&cp.inside, cp.address, false);
	if (code == EXIT_OK)
		code = inside_look(&cp.inside);
	if (code == EXIT_OK)
		code = inside_target(&cp.inside, &cp.inside.pods[0]);
	if (code == EXIT_OK && !ssh_world_load_keys(app,
	    cp.inside.pods[0].want))
		code = EXIT_ERROR;
	if (code == EXIT_OK)
		code = run(&cp);
	inside_close(&cp.inside);
	ssh_world_free(app);
	return code;
}
