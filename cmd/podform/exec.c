/*
 * exec.c - podform exec ADDRESS... -- CMD: a command on one pod or on many.
 *
 * One word is a line for the shell there, as ssh has it; several are one
 * command with its arguments, each handed on as it is.  On several pods all
 * run at once, and each line of output says whose it is.
 *
 * The exit status is the command's own: of several the highest, of one that
 * a signal ended 128 and its number.  Where podform has failed, and not the
 * command, it is 1 and an error is shown.
 *
 * Interrupted, it has the command interrupted, too, and waits for its end.
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "commands.h"
#include "inside.h"
#include "pod_input.h"
#include "pod_output.h"
#include "ssh_world.h"

enum {
	JSON_OUTPUT_MAX = 1 << 20,	/* of each stream of a pod */
	STOP_MS = 17 * 1000,	/* what ssh_exec_stop() takes, and a bit */
	KILL_MS = 1000,
};

struct exec_pod {
	struct exec *exec;
	struct inside_pod *pod;
	uint64_t number;
	struct pod_output out[2];	/* standard output, standard error */
	struct strbuf kept[2];		/* with --json */
	bool over;
	int status;			/* 0..255; -1: it has none */
	struct str failed;		/* why podform failed; absent */
	struct str refused;		/* why it was not begun, which has been
					   reported; absent */
	enum ssh_outcome outcome;
};

struct exec {
	struct app *app;
	struct inside inside;
	struct str command;
	struct exec_pod *pods;
	size_t npods, nover;
	struct ssh *ssh;
	struct pod_input *input;
	uint64_t token;
};

/* -------------------------------------------------------------- command -- */

/* A word that the shell there leaves alone. */
static void
add_quoted(struct strbuf *out, struct str word)
{
	strbuf_addc(out, '\'');
	for (size_t i = 0; i < word.len; i++) {
		if (word.data[i] == '\'')
			strbuf_adds(out, "'\\''");
		else
			strbuf_addc(out, word.data[i]);
	}
	strbuf_addc(out, '\'');
}

static struct str
command_of(struct app *app)
{
	const struct args *args = &app->args;
	size_t first = args->before_dashes, n = args->operands.n;
	struct strbuf out = {0};
	struct str text;

	if (n - first == 1)
		return args->operands.items[first];
	for (size_t i = first; i < n; i++) {
		if (i > first)
			strbuf_addc(&out, ' ');
		add_quoted(&out, args->operands.items[i]);
	}
	text = arena_str(&app->arena, strbuf_str(&out));
	strbuf_release(&out);
	return text;
}

static bool
check_usage(struct app *app)
{
	const struct args *args = &app->args;

	if (!args->dashes || args->before_dashes == args->operands.n) {
		app_fail(app, 0, "PF0803", "podform exec needs a command "
		    "behind --");
		diag_hint(&app->diags, "podform exec trainer -- nvidia-smi");
		return false;
	}
	if (args->before_dashes == 0 && !app->options->all) {
		app_fail(app, 0, "PF0803", "podform exec needs an address, "
		    "or --all");
		return false;
	}
	return true;
}

/* ------------------------------------------------------------ callbacks -- */

static void
on_output(void *ctx, int stream, struct str bytes)
{
	struct exec_pod *pod = ctx;
	size_t which = stream == 2;
	struct strbuf *kept = &pod->kept[which];

	if (!app_json(pod->exec->app)) {
		pod_output_add(&pod->out[which], bytes);
		if (pod->out[which].closed)
			ssh_world_wake(pod->exec->app, pod->exec->token);
		return;
	}
	strbuf_add(kept, str_sub(bytes, 0, JSON_OUTPUT_MAX - kept->len));
}

/* 128 and the number of a signal that SSH names without "SIG"; 255 for one
 * that nobody knows. */
static int
signal_status(struct str name)
{
	static const struct { const char *name; int number; } signals[] = {
		{ "ABRT", SIGABRT }, { "ALRM", SIGALRM }, { "FPE", SIGFPE },
		{ "HUP", SIGHUP }, { "ILL", SIGILL }, { "INT", SIGINT },
		{ "KILL", SIGKILL }, { "PIPE", SIGPIPE },
		{ "QUIT", SIGQUIT }, { "SEGV", SIGSEGV },
		{ "TERM", SIGTERM }, { "USR1", SIGUSR1 },
		{ "USR2", SIGUSR2 }, { "BUS", SIGBUS },
	};

	if (str_starts(name, STR("SIG")))
		name = str_sub(name, 3, name.len);
	for (size_t i = 0; i < COUNTOF(signals); i++)
		if (str_is(name, signals[i].name))
			return 128 + signals[i].number;
	return 255;
}

static void
on_end(void *ctx, const struct ssh_answer *answer)
{
	struct exec_pod *pod = ctx;
	struct exec *exec = pod->exec;
	struct arena *arena = &exec->app->arena;

	for (size_t i = 0; i < 2; i++)
		pod_output_end(&pod->out[i]);
	pod->status = -1;
	pod->outcome = answer->outcome;
	if (answer->outcome != SSH_DONE)
		pod->failed = arena_str(arena, ssh_world_words(arena,
		    answer));
	else if (answer->status >= 0)
		pod->status = answer->status;	/* 0 to 255 */
	else if (answer->reason.len > 0)
		pod->status = signal_status(answer->reason);
	else
		pod->failed = STR("ended without an exit status");
	if (pod->pod->pin == TARGET_FIRST_USE && answer->fingerprint.len > 0)
		inside_say_first(&exec->inside, pod->pod,
		    answer->fingerprint);
	pod->over = true;
	exec->nover++;
	if (exec->input != NULL)
		pod_input_stop(exec->input);
	ssh_world_wake(exec->app, exec->token);
}

static void
on_writable(void *ctx)
{
	struct exec_pod *pod = ctx;

	if (pod->exec->input != NULL)
		pod_input_more(pod->exec->input);
}

/* ------------------------------------------------------------------ run -- */

static void
start(struct exec *exec, struct exec_pod *pod)
{
	static const struct ssh_exec_calls calls = { on_output, on_end,
		on_writable };
	struct app *app = exec->app;
	bool feed = exec->npods == 1 && (app->options->interactive ||
	    isatty(STDIN_FILENO) != 1);

	pod->number = ssh_exec(exec->ssh, &pod->pod->target, exec->command,
	    &calls, pod);
	if (feed)
		exec->input = pod_input_new(app, exec->ssh, pod->number);
	else
		ssh_exec_input_end(exec->ssh, pod->number);
}

/* Nobody reads what it writes any more: as a pipe would, end it. */
static bool
is_closed(const struct exec *exec)
{
	for (size_t i = 0; i < exec->npods; i++)
		if (!exec->pods[i].over && exec->pods[i].out[0].closed)
			return true;
	return false;
}

/* Ask what runs on the pods to end, and begin nothing new; false: nothing
 * runs anywhere. */
static bool
stop_all(struct exec *exec, const char *signal)
{
	bool any = false;

	for (size_t i = 0; i < exec->npods; i++) {
		struct exec_pod *pod = &exec->pods[i];
		if (pod->number == 0 || pod->over)
			continue;
		if (ssh_exec_stop(exec->ssh, pod->number, signal)) {
			any = true;
			continue;
		}
		ssh_cancel(exec->ssh, pod->number);
		pod->over = true;
		pod->status = EXIT_OK;
		exec->nover++;
	}
	return any;
}

static void
cancel_all(struct exec *exec)
{
	for (size_t i = 0; i < exec->npods; i++)
		if (exec->pods[i].number != 0 && !exec->pods[i].over)
			ssh_cancel(exec->ssh, exec->pods[i].number);
}

static void
say_stopping(struct exec *exec)
{
	struct strbuf out = {0};

	if (exec->app->options->quiet)
		return;
	strbuf_addf(&out, "podform: asked the command%s to end; once more "
	    "kills %s at once\n", exec->npods > 1 ? "s" : "",
	    exec->npods > 1 ? "them" : "it");
	app_say(exec->app, &out);
}

/* Until when we stay, now that the commands are to end. */
static int64_t
stop(struct exec *exec, const struct world_event *event)
{
	int64_t now = app_mono_ms(exec->app);
	bool again = exec->inside.session.interrupted > 1;

	if (event == NULL)
		return stop_all(exec, "PIPE") ? now + KILL_MS : now;
	if (again)
		return stop_all(exec, "KILL") ? now + KILL_MS : now;
	if (!stop_all(exec, event->signal == SIGINT ? "INT" :
	    event->signal == SIGHUP ? "HUP" : "TERM"))
		return now;
	say_stopping(exec);
	return now + STOP_MS;
}

static int
wait_for_all(struct exec *exec)
{
	struct session *session = &exec->inside.session;
	const struct world *world = exec->app->world;
	struct world_event event;
	struct arena arena = {0};
	int64_t until = -1;
	int code = EXIT_OK;

	while (exec->nover < exec->npods &&
	    (until < 0 || app_mono_ms(exec->app) < until)) {
		world->wait(world->ctx, &arena, until, &event);
		if (event.type == WORLD_SIGNAL) {
			session_signal(session, event.signal);
			code = session_signal_code(session);
			until = stop(exec, &event);
		} else if (until < 0 && is_closed(exec)) {
			until = stop(exec, NULL);
		}
		arena_release(&arena);
	}
	arena_release(&arena);
	cancel_all(exec);
	return code;
}

/* --------------------------------------------------------------- result -- */

static void
json_results(struct exec *exec)
{
	static const char *const names[] = { "stdout", "stderr" };
	struct strbuf out = {0};
	struct json_writer w = { .out = &out, .indent = 2 };

	json_begin(&w, '{');
	json_member_str(&w, "format_version", STR("1.0"));
	json_key(&w, "pods");
	json_begin(&w, '[');
	for (size_t i = 0; i < exec->npods; i++) {
		const struct exec_pod *pod = &exec->pods[i];
		json_begin(&w, '{');
		json_member_str(&w, "address", pod->pod->entry->address);
		json_member_str(&w, "id", pod->pod->entry->id);
		json_key(&w, "exit_status");
		if (pod->status >= 0)
			json_put_int(&w, pod->status);
		else
			json_put_null(&w);
		json_member_str(&w, "error", pod->failed.data != NULL ?
		    pod->failed : pod->refused);
		for (size_t k = 0; k < 2; k++) {
			json_key(&w, names[k]);
			json_put_str(&w, strbuf_str(&pod->kept[k]));
		}
		json_member_bool(&w, "truncated",
		    pod->kept[0].len >= JSON_OUTPUT_MAX ||
		    pod->kept[1].len >= JSON_OUTPUT_MAX);
		json_end(&w, '}');
	}
	json_end(&w, ']');
	json_end(&w, '}');
	strbuf_addc(&out, '\n');
	app_print(exec->app, &out);
	exec->app->json_done = true;
}

static int
result(struct exec *exec)
{
	int highest = EXIT_OK;

	for (size_t i = 0; i < exec->npods; i++) {
		const struct exec_pod *pod = &exec->pods[i];
		int code = pod->status >= 0 ? pod->status : EXIT_ERROR;
		if (pod->failed.data != NULL)
			app_fail(exec->app, 0, "PF0867", STR_FMT " " STR_FMT,
			    STR_ARG(pod->pod->entry->address),
			    STR_ARG(pod->failed));
		if (pod->failed.data != NULL)
			ssh_world_hint(exec->app, pod->outcome);
		if (code > highest && (pod->over || pod->failed.data != NULL))
			highest = code;
	}
	if (app_json(exec->app))
		json_results(exec);
	return highest;
}

/* -------------------------------------------------------------- command -- */

static int
find_pods(struct exec *exec)
{
	struct app *app = exec->app;
	size_t n = app->args.before_dashes;
	int code = EXIT_OK;

	if (n == 0)
		code = inside_find(&exec->inside, (struct str){0}, true);
	for (size_t i = 0; i < n && code == EXIT_OK; i++)
		code = inside_find(&exec->inside, app_operand(app, i),
		    app->options->all);
	if (code != EXIT_OK)
		return code;
	/* The worker loads its libraries while the service is asked. */
	exec->ssh = ssh_world_ssh(app);
	ssh_warm_up(exec->ssh);
	return inside_look(&exec->inside);
}

/* One that cannot be logged in to keeps no other from its command. */
static int
prepare(struct exec *exec)
{
	struct app *app = exec->app;
	struct inside *inside = &exec->inside;
	bool several = inside->npods > 1;

	exec->npods = inside->npods;
	exec->pods = ARENA_ARRAY(&app->arena, struct exec_pod, exec->npods);
	for (size_t i = 0; i < exec->npods; i++) {
		struct exec_pod *pod = &exec->pods[i];
		struct str prefix = several ? arena_printf(&app->arena,
		    STR_FMT ": ", STR_ARG(inside->pods[i].entry->address)) :
		    (struct str){0};
		int code = inside_target(inside, &inside->pods[i]);
		if (code == EXIT_OK &&
		    !ssh_world_load_keys(app, inside->pods[i].want))
			code = EXIT_ERROR;
		*pod = (struct exec_pod){ .exec = exec,
			.pod = &inside->pods[i], .status = -1,
			.over = code != EXIT_OK };
		if (pod->over && app->diags.last != NULL)
			pod->refused = app->diags.last->message;
		exec->nover += pod->over;
		for (int k = 0; k < 2; k++)
			pod_output_init(&pod->out[k], app, k + 1,
			    app->options->raw, prefix);
		if (code != EXIT_OK && (!several ||
		    inside->session.interrupted > 0))
			return code;
	}
	return EXIT_OK;
}

static int
run(struct exec *exec)
{
	int code = find_pods(exec);

	if (code == EXIT_OK)
		code = prepare(exec);
	if (code != EXIT_OK)
		return code;
	io_world_take_signals(exec->app->io);
	for (size_t i = 0; i < exec->npods; i++)
		if (!exec->pods[i].over)
			start(exec, &exec->pods[i]);
	code = wait_for_all(exec);
	return code == EXIT_OK ? result(exec) : code;
}

int
cmd_exec(struct app *app)
{
	/* Beyond what the engine's sessions will ever number. */
	struct exec exec = { .app = app, .token = UINT64_MAX };
	int code;

	if (!check_usage(app))
		return EXIT_USAGE;
	exec.command = command_of(app);
	code = inside_open(&exec.inside, app, "exec");
	if (code == EXIT_OK)
		code = run(&exec);
	for (size_t i = 0; i < exec.npods; i++)
		for (size_t k = 0; k < 2; k++)
			strbuf_release(&exec.pods[i].kept[k]);
	inside_close(&exec.inside);
	ssh_world_free(app);
	pod_input_free(exec.input);
	return code;
}
