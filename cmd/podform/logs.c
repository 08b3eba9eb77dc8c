/*
 * logs.c - podform logs ADDRESS: what a pod and the system around it said.
 *
 * The container's log and the system's come from the service, also of a pod
 * that has failed or stopped; what setup printed was kept on this machine by
 * the apply that ran it.  Those of the process and of runners are read on the
 * pod (logs_inside.c).
 */
#include "logs.h"

#include <errno.h>

#include "base/units.h"
#include "commands.h"
#include "ssh_world.h"

enum { TAIL = 100, TAIL_MAX = 5000, POLL_MS = 2 * SECOND_MS,
	KEPT_MAX = 16 << 20 };

static const char *const source_words[] = {
	[SOURCE_DEFAULT] = "", [SOURCE_CONTAINER] = "container",
	[SOURCE_SYSTEM] = "system", [SOURCE_SETUP] = "setup",
	[SOURCE_PROCESS] = "process", [SOURCE_RUNNER] = "runner",
	[SOURCE_ALL] = "",
};

bool
logs_wants(const struct logs *logs, enum log_source source)
{
	if (logs->source == SOURCE_DEFAULT)
		return source == SOURCE_CONTAINER || source == SOURCE_SYSTEM;
	return logs->source == SOURCE_ALL || logs->source == source;
}

/* ---------------------------------------------------------------- lines -- */

static void
json_line(struct json_writer *w, enum log_source source, struct str time,
    struct str text)
{
	json_begin(w, '{');
	json_member_str(w, "source", str_from(source_words[source]));
	json_member_str(w, "time", time);
	json_member_str(w, "line", text.data != NULL ? text : STR(""));
	json_end(w, '}');
}

/* With --follow each line is a document of its own. */
static void
put_json(struct logs *logs, enum log_source source, struct str time,
    struct str text)
{
	struct strbuf out = {0};
	struct json_writer w = { .out = &out };

	if (!logs->follow) {
		json_line(&logs->json, source, time, text);
		return;
	}
	json_line(&w, source, time, text);
	strbuf_addc(&out, '\n');
	app_print(logs->app, &out);
}

/* The container's own lines stand as they are, others say whose they are. */
static struct str
prefix_of(struct logs *logs, enum log_source source)
{
	bool single = source == SOURCE_CONTAINER ||
	    (logs->source != SOURCE_DEFAULT && logs->source != SOURCE_ALL);

	return single ? (struct str){0} : arena_printf(&logs->app->arena,
	    "%s: ", source_words[source]);
}

void
logs_line(struct logs *logs, enum log_source source, struct str time,
    struct str text)
{
	logs_line_of(logs, source, prefix_of(logs, source), time, text);
}

void
logs_line_of(struct logs *logs, enum log_source source, struct str prefix,
    struct str time, struct str text)
{
	if (str_ends(text, STR("\r")))
		text = str_sub(text, 0, text.len - 1);
	if (app_json(logs->app)) {
		put_json(logs, source, time, text);
		return;
	}
	logs->output.prefix = prefix;
	pod_output_line(&logs->output, text);
}

/* ------------------------------------------------------- of the service -- */

static int
ask_log(struct logs *logs, struct cloud_answer *answer)
{
	struct cloud_request request = { .op = CLOUD_GET_LOG,
		.id = logs->pod->entry->id,
		/* Both kinds count towards the service's number. */
		.tail = logs->source == SOURCE_DEFAULT ||
		    logs->source == SOURCE_ALL ? logs->tail : TAIL_MAX,
		.since = logs->since };
	int code = session_ask(&logs->inside.session, &request, answer);

	if (code == EXIT_OK && answer->reason == REASON_NOT_FOUND)
		return app_fail(logs->app, EXIT_ERROR, "PF0861",
		    "the service has no log of " STR_FMT " (" STR_FMT ")",
		    STR_ARG(logs->pod->entry->address),
		    STR_ARG(logs->pod->entry->id));
	return code;
}

static bool
is_same(const struct log_line *a, const struct log_line *b)
{
	return str_eq(a->time, b->time) && str_eq(a->text, b->text) &&
	    a->system == b->system;
}

/*
 * Asked for what came since a time, the service repeats the lines of that
 * instant: how many at the beginning are those that we had at the end.
 */
size_t
logs_repeated(const struct log_line *had, size_t nhad,
    const struct log_line *lines, size_t n)
{
	size_t most = nhad < n ? nhad : n;

	for (size_t k = most; k > 0; k--) {
		size_t same = 0;
		while (same < k &&
		    is_same(&had[nhad - k + same], &lines[same]))
			same++;
		if (same == k)
			return k;
	}
	return 0;
}

static bool
wants_line(const struct logs *logs, const struct log_line *line)
{
	return logs_wants(logs, line->system ? SOURCE_SYSTEM :
	    SOURCE_CONTAINER);
}

/* The last `tail` of the lines wanted; all of them when following. */
static void
show_lines(struct logs *logs, const struct log_line *lines, size_t n)
{
	size_t wanted = 0, skip;

	for (size_t i = 0; i < n; i++)
		wanted += wants_line(logs, &lines[i]);
	skip = logs->since.data == NULL && wanted > (size_t)logs->tail ?
	    wanted - (size_t)logs->tail : 0;
	for (size_t i = 0; i < n; i++) {
		if (!wants_line(logs, &lines[i]))
			continue;
		if (skip > 0)
			skip--;
		else
			logs_line(logs, lines[i].system ? SOURCE_SYSTEM :
			    SOURCE_CONTAINER, lines[i].time, lines[i].text);
	}
}

/* One look at the service's log; the lines shown last time are not again. */
static int
look(struct logs *logs)
{
	struct cloud_answer answer = {0};
	int code = ask_log(logs, &answer);
	size_t had;

	if (code != EXIT_OK)
		return code;
	had = logs_repeated(logs->had, logs->nhad, answer.lines,
	    answer.nlines);
	show_lines(logs, answer.lines + had, answer.nlines - had);
	if (answer.nlines == 0)
		return EXIT_OK;
	logs->had = answer.lines;
	logs->nhad = answer.nlines;
	if (answer.lines[answer.nlines - 1].time.data != NULL)
		logs->since = answer.lines[answer.nlines - 1].time;
	return EXIT_OK;
}

/* ------------------------------------------------------ of this machine -- */

static void
show_kept(struct logs *logs, struct str text)
{
	struct str rest = text, line;
	size_t lines = 0, skip;

	while (rest.len > 0) {
		str_cut(rest, '\n', &rest);
		lines++;
	}
	skip = lines > (size_t)logs->tail ? lines - (size_t)logs->tail : 0;
	for (rest = text; rest.len > 0;) {
		line = str_cut(rest, '\n', &rest);
		if (skip > 0)
			skip--;
		else
			logs_line(logs, SOURCE_SETUP, (struct str){0}, line);
	}
}

/* What setup printed, as apply kept it; from `kept` bytes on. */
static int
look_at_kept(struct logs *logs)
{
	struct app *app = logs->app;
	const char *path = arena_printf(&app->arena, ".podform/logs/" STR_FMT
	    "/setup.log", STR_ARG(logs->pod->entry->address)).data;
	struct str text;
	int error = fs_read_file(&app->fs, &app->arena, path, KEPT_MAX, false,
	    &text);

	if (error == -ENOENT && logs->source == SOURCE_SETUP &&
	    !logs->follow)
		return app_fail(app, EXIT_ERROR, "PF0863", "no setup of "
		    STR_FMT " was run from here", STR_ARG(
		    logs->pod->entry->address));
	if (error < 0 && error != -ENOENT) {
		diag_errno(&app->diags, "PF0863", NO_SPAN, error,
		    "cannot read %s", path);
		return EXIT_ERROR;
	}
	if (error >= 0 && text.len > logs->kept) {
		show_kept(logs, str_sub(text, logs->kept, text.len));
		logs->kept = text.len;
	}
	return EXIT_OK;
}

/* -------------------------------------------------------------- command -- */

/* --since: "10m" ago, or a time. */
static bool
read_since(struct logs *logs)
{
	struct app *app = logs->app;
	struct str text = app->options->since;
	int64_t ms;

	if (text.data == NULL)
		return true;
	if (parse_duration(text, &ms))
		logs->since = format_time(&app->arena, app_wall_ms(app) - ms);
	else if (parse_time(text, &ms))
		logs->since = format_time(&app->arena, ms);
	else
		app_fail(app, 0, "PF0803", "--since: '" STR_FMT "' is neither "
		    "a duration like 10m nor a time like "
		    "2026-06-01T12:00:00Z", STR_ARG(text));
	return logs->since.data != NULL;
}

static int
look_once(struct logs *logs)
{
	int code = EXIT_OK;

	if (logs_wants(logs, SOURCE_SETUP))
		code = look_at_kept(logs);
	if (code == EXIT_OK && (logs_wants(logs, SOURCE_CONTAINER) ||
	    logs_wants(logs, SOURCE_SYSTEM)))
		code = look(logs);
	return code;
}

static int
follow(struct logs *logs)
{
	struct session *session = &logs->inside.session;
	int code = EXIT_OK;

	while (code == EXIT_OK && !logs->output.closed) {
		int64_t until = session_mono(session) + POLL_MS;
		logs_inside_follow(logs);
		session_sleep(session, until);
		if (session->interrupted > 0)
			code = session_signal_code(session);
		else if (logs_inside_is_over(logs, &code))
			break;
		logs->tail = TAIL_MAX;
		if (code == EXIT_OK)
			code = look_once(logs);
	}
	logs_inside_stop(logs);
	return code;
}

static int
show(struct logs *logs)
{
	struct app *app = logs->app;
	struct strbuf out = {0};
	bool document = app_json(app) && !logs->follow;
	int code;

	logs->json = (struct json_writer){ .out = &out, .indent = 2 };
	if (document) {
		json_begin(&logs->json, '{');
		json_member_str(&logs->json, "format_version", STR("1.0"));
		json_member_str(&logs->json, "address",
		    logs->pod->entry->address);
		json_member_str(&logs->json, "id", logs->pod->entry->id);
		json_key(&logs->json, "lines");
		json_begin(&logs->json, '[');
	}
	io_world_take_signals(app->io);
	code = logs_inside_find(logs);
	if (code == EXIT_OK)
		code = look_once(logs);
	if (code == EXIT_OK && !logs->follow)
		code = logs_inside_read(logs);
	if (document && code == EXIT_OK) {
		json_end(&logs->json, ']');
		json_end(&logs->json, '}');
		strbuf_addc(&out, '\n');
		app_print(app, &out);
	}
	strbuf_release(&out);
	return code == EXIT_OK && logs->follow ? follow(logs) : code;
}

int
cmd_logs(struct app *app)
{
	struct logs logs = { .app = app,
		.source = (enum log_source)app->options->log_source,
		.follow = app->options->follow,
		.tail = app->options->tail > 0 ? app->options->tail : TAIL };
	int code;

	if (logs.tail > TAIL_MAX)
		logs.tail = TAIL_MAX;
	if (!read_since(&logs))
		return EXIT_USAGE;
	if (logs.since.data != NULL && (logs.source == SOURCE_SETUP ||
	    logs.source == SOURCE_PROCESS || logs.source == SOURCE_RUNNER))
		return app_fail(app, EXIT_USAGE, "PF0803", "--since: lines of "
		    "the %s log have no times", source_words[logs.source]);
	pod_output_init(&logs.output, app, 1, app->options->raw,
	    (struct str){0});
	code = inside_open(&logs.inside, app, "logs");
	if (code == EXIT_OK)
		code = inside_find(&logs.inside, app_operand(app, 0), false);
	if (code == EXIT_OK) {
		logs.pod = &logs.inside.pods[0];
		code = show(&logs);
	}
	inside_close(&logs.inside);
	ssh_world_free(app);
	return code;
}
