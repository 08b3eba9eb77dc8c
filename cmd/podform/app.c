/* app.c - see app.h */
#include "app.h"
#include "store_config.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/json.h"
#include "commands.h"
#include "github_key.h"
#include "holder_client.h"
#include "io/io_clock.h"
#include "ssh_world.h"

struct str
app_variable(const char *name)
{
	return str_from(getenv(name));
}

static struct str
get_variable(void *ctx, const char *name)
{
	(void)ctx;
	return app_variable(name);
}

/* ---------------------------------------------------------------- output -- */

int
app_write(int fd, struct str text)
{
	while (text.len > 0) {
		struct pollfd ready = { .fd = fd, .events = POLLOUT };
		ssize_t n = write(fd, text.data, text.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			/* Somebody else made our terminal non-blocking. */
			poll(&ready, 1, -1);
			continue;
		}
		if (n <= 0)
			return n == 0 ? EIO : errno;
		text = str_sub(text, (size_t)n, text.len);
	}
	return 0;
}

void
app_print(struct app *app, struct strbuf *out)
{
	int error = app_write(STDOUT_FILENO, strbuf_str(out));

	app->printed |= out->len > 0;
	if (error != 0 && error != EPIPE && error != EBADF)
		app->out_error = error;
	strbuf_release(out);
}

void
app_tell(struct app *app, struct strbuf *out)
{
	struct strbuf document = {0};
	struct json_writer w = { .out = &document, .indent = 2 };

	if (!app_json(app)) {
		app_print(app, out);
		return;
	}
	if (app->diags.list.n == 0) {
		json_begin(&w, '{');
		json_member_str(&w, "format_version", STR("1.0"));
		json_member_str(&w, "message", str_trim(strbuf_str(out)));
		json_end(&w, '}');
		strbuf_addc(&document, '\n');
		app_print(app, &document);
	}
	strbuf_release(out);
}

void
app_say(struct app *app, struct strbuf *out)
{
	(void)app;
	app_write(STDERR_FILENO, strbuf_str(out));
	strbuf_release(out);
}

struct str
app_operand(const struct app *app, size_t i)
{
	return i < app->args.operands.n ? app->args.operands.items[i] :
	    (struct str){0};
}

bool
app_json(const struct app *app)
{
	return app->options->json || app->options->format == FORMAT_JSON;
}

bool
app_markdown(const struct app *app)
{
	return app->options->format == FORMAT_MARKDOWN && !app->options->json;
}

bool
app_format_is_built(struct app *app)
{
	if (app->options->format == FORMAT_TEXT || app_json(app))
		return true;
	app_fail(app, 0, "PF0805", "--format %s is not built yet",
	    app->options->format == FORMAT_DOT ? "dot" : "markdown");
	return false;
}

int64_t
app_wall_ms(const struct app *app)
{
	return app->clock.wall_ms(app->clock.ctx);
}

int64_t
app_mono_ms(const struct app *app)
{
	return app->clock.mono_ms(app->clock.ctx);
}

int
app_fail(struct app *app, int code, const char *diag_code,
    const char *format, ...)
{
	va_list args;
	struct str message;

	va_start(args, format);
	message = arena_vprintf(&app->arena, format, args);
	va_end(args);
	diag_error(&app->diags, diag_code, NO_SPAN, STR_FMT,
	    STR_ARG(message));
	return code;
}

/* ----------------------------------------------------------------- start -- */

static struct style_facts
stream_facts(const struct app *app, int fd)
{
	struct style_facts facts = {
		.mode = (enum color_mode)app->options->color,
		.terminal = isatty(fd) == 1,
		.input_terminal = isatty(STDIN_FILENO) == 1,
		.no_color = app_variable("NO_COLOR"),
		.clicolor_force = app_variable("CLICOLOR_FORCE"),
		.force_color = app_variable("FORCE_COLOR"),
		.term = app_variable("TERM"),
		.columns = app_variable("COLUMNS"),
		.ci = app_variable("CI"),
	};
	struct winsize size;

	if (facts.terminal && ioctl(fd, TIOCGWINSZ, &size) == 0)
		facts.terminal_width = size.ws_col;
	return facts;
}

static bool
change_directory(struct app *app)
{
	struct str dir = app->options->chdir;

	if (dir.data == NULL)
		return true;
	if (chdir(arena_cstr(&app->arena, dir)) == 0)
		return true;
	diag_errno(&app->diags, "PF0806", NO_SPAN, errno,
	    "cannot work in '" STR_FMT "'", STR_ARG(dir));
	return false;
}

bool
app_init(struct app *app, int argc, char *const *argv)
{
	struct args_environment environment = { .get = get_variable };
	bool ok;

	*app = (struct app){ .fs = io_fs(), .clock = io_clock(),
		.chance = io_chance(), .log_fd = -1 };
	app->sources.arena = &app->arena;
	app->diags.arena = &app->arena;
	app->diags.sources = &app->sources;
	app->options = &app->args.options;
	ok = args_parse(&app->arena, argc, argv, &environment, &app->args,
	    &app->diags);
	app->out_facts = stream_facts(app, STDOUT_FILENO);
	app->err_facts = stream_facts(app, STDERR_FILENO);
	app->out_style = style_choose(&app->out_facts);
	app->err_style = style_choose(&app->err_facts);
	return ok && change_directory(app);
}

void
app_release(struct app *app)
{
	holder_client_free(app->holder);
	ssh_world_free(app);
	github_key_release(app);
	io_world_free(app->io);
	secret_release(&app->key);
	if (app->store != NULL)
		store_config_release(app->store);
	if (app->log_fd >= 0)
		close(app->log_fd);
	arena_release(&app->arena);
}

/* ------------------------------------------------------------------ spec -- */

enum { STDIN_MAX = 16 << 20 };

static bool
read_stdin(struct app *app, struct str *text)
{
	struct strbuf buf = { .ceiling = STDIN_MAX };
	char block[8192];
	ssize_t n;

	while ((n = read(STDIN_FILENO, block, sizeof(block))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		strbuf_add(&buf, (struct str){ block, (size_t)n });
	}
	if (n < 0 || buf.failed) {
		app_fail(app, 0, "PF0807", buf.failed ?
		    "standard input is larger than 16 MiB" :
		    "cannot read standard input");
		strbuf_release(&buf);
		return false;
	}
	*text = arena_str(&app->arena, strbuf_str(&buf));
	if (text->data == NULL)
		*text = STR("");
	strbuf_release(&buf);
	return true;
}

static bool
has_stdin(const struct app *app)
{
	for (size_t i = 0; i < app->options->spec.list.n; i++)
		if (str_is(app->options->spec.list.items[i], "-"))
			return true;
	return false;
}

const struct spec *
app_load_spec(struct app *app, bool optional, bool *missing)
{
	struct spec_options options = {
		.fs = &app->fs,
		.paths = app->options->spec.list.items,
		.npaths = app->options->spec.list.n,
		.variables = app->options->variables.list.items,
		.nvariables = app->options->variables.list.n,
		.environment = get_variable,
	};
	struct fs_info info;

	assert(missing != NULL || !optional);
	if (missing != NULL)
		*missing = false;
	if (optional && options.npaths == 0 && app->fs.stat(app->fs.ctx,
	    "specs", true, &info) == -ENOENT) {
		*missing = true;
		return NULL;
	}
	if (has_stdin(app) && !app->stdin_used) {
		app->stdin_used = true;
		if (!read_stdin(app, &options.stdin_text))
			return NULL;
	}
	return spec_load(&app->arena, &options, &app->sources, &app->diags);
}

const struct policy *
app_load_policy(struct app *app, bool *failed)
{
	struct spec_options options = { .fs = &app->fs,
		.environment = get_variable };
	const struct policy *policy = NULL;

	*failed = false;
	if (app->options->policy.data != NULL) {
		policy = spec_load_policy(&app->arena, &options,
		    app->options->policy, &app->sources, &app->diags);
		*failed = policy == NULL;
	}
	return policy;
}
