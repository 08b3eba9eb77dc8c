/* logs_inside.c - logs that are read on the pod: see logs.h */
#include "logs.h"
#include "ssh/task_log.h"
#include "ssh_world.h"

enum { LINE_BYTES_MAX = 64 << 10, STOP_MS = 1000,
	TOKEN_BASE = 1 };	/* counted down from UINT64_MAX */

/* ---------------------------------------------------------------- lines -- */

static void
end_line(struct log_stream *stream)
{
	logs_line_of(stream->logs, stream->source, stream->prefix,
	    (struct str){0}, strbuf_str(&stream->line));
	strbuf_reset(&stream->line);
}

/* One that never ends is cut. */
static void
on_output(void *ctx, int which, struct str bytes)
{
	struct log_stream *stream = ctx;

	while (which == 1 && bytes.len > 0) {
		size_t room = LINE_BYTES_MAX - stream->line.len;
		ptrdiff_t end = str_find(bytes, '\n');
		size_t n = end < 0 ? bytes.len : (size_t)end;
		bool whole = end >= 0 && n <= room;
		if (n > room)
			n = room;
		strbuf_add(&stream->line, str_sub(bytes, 0, n));
		bytes = str_sub(bytes, n + whole, bytes.len);
		if (whole || stream->line.len == LINE_BYTES_MAX)
			end_line(stream);
	}
}

/* ------------------------------------------------------------------ end -- */

static struct str
words_of(const struct log_stream *stream)
{
	return stream->runner != NULL ? stream->runner->address :
	    STR("the process");
}

static int
report(struct log_stream *stream, const struct ssh_answer *answer)
{
	struct app *app = stream->logs->app;
	struct str pod = stream->logs->pod->entry->address;

	if (answer->outcome != SSH_DONE) {
		app_fail(app, 0, "PF0867", STR_FMT " " STR_FMT, STR_ARG(pod),
		    STR_ARG(ssh_world_words(&app->arena, answer)));
		ssh_world_hint(app, answer->outcome);
		return EXIT_ERROR;
	}
	if (answer->status == 0)
		return EXIT_OK;
	if (answer->status == TASK_NO_LOG &&
	    stream->logs->source == SOURCE_ALL)
		return EXIT_OK;
	if (answer->status == TASK_NO_LOG)
		return app_fail(app, EXIT_ERROR, "PF0863", STR_FMT " has no "
		    "log of " STR_FMT, STR_ARG(pod),
		    STR_ARG(words_of(stream)));
	return app_fail(app, EXIT_ERROR, "PF0863", "the log of " STR_FMT
	    " cannot be read on " STR_FMT, STR_ARG(words_of(stream)),
	    STR_ARG(pod));
}

static void
on_end(void *ctx, const struct ssh_answer *answer)
{
	struct log_stream *stream = ctx;
	struct logs *logs = stream->logs;

	if (stream->line.len > 0)
		end_line(stream);
	stream->over = true;
	stream->code = logs->stopping ? EXIT_OK : report(stream, answer);
	if (logs->pod->pin == TARGET_FIRST_USE && answer->fingerprint.len > 0)
		inside_say_first(&logs->inside, logs->pod,
		    answer->fingerprint);
	ssh_world_wake(logs->app, UINT64_MAX - TOKEN_BASE);
}

static void
begin(struct log_stream *stream)
{
	static const struct ssh_exec_calls calls = { on_output, on_end, NULL };
	struct logs *logs = stream->logs;
	struct ssh *ssh = ssh_world_ssh(logs->app);
	const struct pod_spec *want = logs->pod->want;
	struct task_log log = { .follow = logs->follow,
		.lines = (unsigned)logs->tail };
	struct str command;

	if (stream->runner != NULL)
		log.runner = stream->runner->runner.name;
	else if (want != NULL)
		log.path = want->process_log;
	command = task_log_command(&logs->app->arena, &log);
	if (command.data == NULL) {
		stream->over = true;
		stream->code = app_fail(logs->app, EXIT_ERROR, "PF0863",
		    "no runner can be called '" STR_FMT "'",
		    STR_ARG(log.runner));
		return;
	}
	stream->number = ssh_exec(ssh, &logs->pod->target, command, &calls,
	    stream);
	ssh_exec_input_end(ssh, stream->number);
}

/* ----------------------------------------------------------------- find -- */

/* Is this one of the runners that are meant? */
static bool
is_meant(const struct logs *logs, const struct lock_entry *entry)
{
	struct lock *lock = logs->inside.session.lock;
	const struct lock_entry *named = lock_find(lock, app_operand(logs->app,
	    0));

	if (entry->kind != KIND_RUNNER || entry->deposed)
		return false;
	if (named != NULL && named->kind == KIND_RUNNER)
		return entry == named;
	return str_eq(entry->runner.pod, logs->pod->entry->address);
}

static void
add_stream(struct logs *logs, enum log_source source,
    const struct lock_entry *runner)
{
	logs->streams[logs->nstreams++] = (struct log_stream){
		.logs = logs, .source = source, .runner = runner };
}

static void
add_streams(struct logs *logs)
{
	const struct lock *lock = logs->inside.session.lock;
	struct arena *arena = &logs->app->arena;

	logs->streams = ARENA_ARRAY(arena, struct log_stream,
	    lock->entries.n + 1);
	if (logs_wants(logs, SOURCE_PROCESS))
		add_stream(logs, SOURCE_PROCESS, NULL);
	for (size_t i = 0; i < lock->entries.n &&
	    logs_wants(logs, SOURCE_RUNNER); i++)
		if (is_meant(logs, &lock->entries.items[i]))
			add_stream(logs, SOURCE_RUNNER,
			    &lock->entries.items[i]);
	if (logs->source != SOURCE_ALL && logs->nstreams < 2)
		return;
	for (size_t i = 0; i < logs->nstreams; i++)
		logs->streams[i].prefix = logs->streams[i].runner == NULL ?
		    STR("process: ") : arena_printf(arena, STR_FMT ": ",
		    STR_ARG(logs->streams[i].runner->address));
}

/* With --source all, one that cannot be entered is said and no more. */
static int
cannot_enter(struct logs *logs, struct diags *loud)
{
	struct app *app = logs->app;
	struct str why = app->diags.last != NULL ? app->diags.last->message :
	    STR("it cannot be logged in to");

	app->diags = *loud;
	diag_warning(&app->diags, "PF0863", NO_SPAN, "no log is read on the "
	    "pod: " STR_FMT, STR_ARG(why));
	logs->nstreams = 0;
	return EXIT_OK;
}

int
logs_inside_find(struct logs *logs)
{
	struct app *app = logs->app;
	bool all = logs->source == SOURCE_ALL;
	struct diags loud;
	int code;

	if (!all && logs->source != SOURCE_PROCESS &&
	    logs->source != SOURCE_RUNNER)
		return EXIT_OK;
	add_streams(logs);
	if (logs->nstreams == 0)
		return all ? EXIT_OK : app_fail(app, EXIT_ERROR, "PF0863",
		    STR_FMT " has no runner",
		    STR_ARG(logs->pod->entry->address));
	code = inside_look(&logs->inside);
	if (code != EXIT_OK)
		return code;
	loud = app->diags;
	if (all)
		app->diags = (struct diags){ .arena = &app->arena };
	code = inside_target(&logs->inside, logs->pod);
	if (code == EXIT_OK && !ssh_world_load_keys(app, logs->pod->want))
		code = EXIT_ERROR;
	if (all && code == EXIT_ERROR)
		return cannot_enter(logs, &loud);
	if (all)
		app->diags = loud;
	return code;
}

/* ------------------------------------------------------------ read, follow -- */

void
logs_inside_follow(struct logs *logs)
{
	for (size_t i = 0; i < logs->nstreams; i++)
		if (logs->streams[i].number == 0 && !logs->streams[i].over)
			begin(&logs->streams[i]);
}

bool
logs_inside_is_over(const struct logs *logs, int *code)
{
	bool over = logs->source == SOURCE_PROCESS ||
	    logs->source == SOURCE_RUNNER;

	for (size_t i = 0; i < logs->nstreams; i++) {
		over = over && logs->streams[i].over;
		if (logs->streams[i].over && *code == EXIT_OK)
			*code = logs->streams[i].code;
	}
	return over || *code != EXIT_OK;
}

static bool
all_over(const struct logs *logs)
{
	for (size_t i = 0; i < logs->nstreams; i++)
		if (logs->streams[i].number != 0 && !logs->streams[i].over)
			return false;
	return true;
}

static void
wait_until(struct logs *logs, int64_t until_ms)
{
	const struct world *world = logs->app->world;
	struct session *session = &logs->inside.session;
	struct world_event event;
	struct arena arena = {0};
	int interrupted = session->interrupted;

	while (!all_over(logs) && !logs->output.closed &&
	    session->interrupted == interrupted &&
	    (until_ms < 0 || session_mono(session) < until_ms)) {
		world->wait(world->ctx, &arena, until_ms, &event);
		if (event.type == WORLD_SIGNAL)
			session_signal(session, event.signal);
		arena_release(&arena);
	}
	arena_release(&arena);
}

/* The session is the same: one command stops them all. */
void
logs_inside_stop(struct logs *logs)
{
	struct ssh *ssh = logs->nstreams > 0 ? ssh_world_ssh(logs->app) : NULL;

	for (size_t i = 0; i < logs->nstreams; i++) {
		struct log_stream *stream = &logs->streams[i];
		if (stream->number != 0 && !stream->over &&
		    !logs->stopping)
			logs->stopping = ssh_exec_stop(ssh, stream->number,
			    "KILL");
	}
	if (logs->stopping)
		wait_until(logs, app_mono_ms(logs->app) + STOP_MS);
	for (size_t i = 0; i < logs->nstreams; i++) {
		if (logs->streams[i].number != 0 && !logs->streams[i].over)
			ssh_cancel(ssh, logs->streams[i].number);
		strbuf_release(&logs->streams[i].line);
	}
	logs->nstreams = 0;
}

int
logs_inside_read(struct logs *logs)
{
	struct session *session = &logs->inside.session;
	int code = EXIT_OK;

	for (size_t i = 0; i < logs->nstreams && code == EXIT_OK &&
	    !logs->output.closed; i++) {
		begin(&logs->streams[i]);
		wait_until(logs, -1);
		if (session->interrupted > 0)
			code = session_signal_code(session);
		else if (logs->streams[i].over)
			code = logs->streams[i].code;
	}
	logs_inside_stop(logs);
	return code;
}
