/*
 * program.c - podform as people start it: words, and what it prints.
 *
 * These are the commands of cmd/podform, all but main(): the linker puts
 * what is here (__wrap_*) between them and the outside.  Files, time, chance
 * and the network are the simulation's; standard output and standard error
 * are kept for the checks.
 */
#include "stored.h"
#include "tale.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/podform/app.h"
#include "cmd/podform/commands.h"
#include "cmd/podform/holder_client.h"
#include "cmd/podform/ssh_world.h"
#include "github/github_world.h"
#include "ui/diag_json.h"

enum { WORDS_MAX = 24 };

struct process {
	struct app app;
	struct tale *tale;
	const struct plan *plan;
	const struct run_summary *summary;
	bool empty, applies;
	char *words[WORDS_MAX];
	size_t nwords;
	struct process *outer;		/* paused */
};

static struct process *current;

static struct sim *
now_in(void)
{
	return current->tale->sim;
}

/* --------------------------------------------------------- the outside --- */

/* NOLINTBEGIN(bugprone-reserved-identifier): names that ld asks for. */
struct fs __wrap_io_fs(void);
struct clock __wrap_io_clock(void);
struct chance __wrap_io_chance(void);
ssize_t __real_write(int fd, const void *bytes, size_t n);
ssize_t __wrap_write(int fd, const void *bytes, size_t n);
char *__real_getenv(const char *name);
char *__wrap_getenv(const char *name);
int __real_isatty(int fd);
int __wrap_isatty(int fd);
int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);
int __real_faccessat(int at, const char *path, int mode, int flags);
int __wrap_faccessat(int at, const char *path, int mode, int flags);
int __wrap_app_connect(struct app *app, bool need_key);
int __wrap_app_new_session(struct app *app, struct session *session,
    const struct spec *spec, const char *operation);
int __wrap_app_open_session(struct app *app, struct session *session,
    const struct spec *spec, const char *operation);
int __wrap_app_open_writer(struct app *app, struct session *session,
    const struct spec *spec, const char *operation);
void __wrap_io_world_take_signals(struct io_world *io);
bool __wrap_ssh_world_load_keys(struct app *app, const struct pod_spec *want);
bool __wrap_ssh_world_check_keys(struct app *app,
    const struct pod_spec *want);
struct ssh_keys *__wrap_ssh_world_keys(struct app *app);
bool __wrap_ssh_keys_make(struct ssh_keys *keys, struct str *why);
struct str __wrap_ssh_keys_public(struct ssh_keys *keys, struct arena *arena,
    struct str home);
bool __wrap_holder_list(struct app *app, struct tunnel_status **tunnels,
    size_t *n, struct str *why);
int __real_session_plan(struct session *session,
    const struct session_plan_options *options, const struct plan **plan);
int __wrap_session_plan(struct session *session,
    const struct session_plan_options *options, const struct plan **plan);
int __real_session_plan_to_apply(struct session *session,
    const struct session_plan_options *options, int64_t settle_ms,
    const struct plan **plan);
int __wrap_session_plan_to_apply(struct session *session,
    const struct session_plan_options *options, int64_t settle_ms,
    const struct plan **plan);
int __real_session_apply(struct session *session, const struct plan *plan,
    const struct run_options *options, const struct run_summary **summary);
int __wrap_session_apply(struct session *session, const struct plan *plan,
    const struct run_options *options, const struct run_summary **summary);

struct fs
__wrap_io_fs(void)
{
	return now_in()->world.fs;
}

struct clock
__wrap_io_clock(void)
{
	return now_in()->world.clock;
}

struct chance
__wrap_io_chance(void)
{
	return now_in()->world.chance;
}

ssize_t
__wrap_write(int fd, const void *bytes, size_t n)
{
	if (current == NULL || (fd != STDOUT_FILENO && fd != STDERR_FILENO))
		return __real_write(fd, bytes, n);
	strbuf_add(fd == STDOUT_FILENO ? &now_in()->out : &now_in()->err,
	    (struct str){ bytes, n });
	return (ssize_t)n;
}

char *
__wrap_getenv(const char *name)
{
	return current == NULL ? __real_getenv(name) : NULL;
}

int
__wrap_isatty(int fd)
{
	return current == NULL ? __real_isatty(fd) : 0;
}

int
__wrap_access(const char *path, int mode)
{
	struct fs fs;
	struct fs_info info;

	if (current == NULL)
		return __real_access(path, mode);
	fs = now_in()->world.fs;
	return fs.stat(fs.ctx, path, true, &info) == 0 ? 0 : -1;
}

/* A directory that files are made in. */
int
__wrap_faccessat(int at, const char *path, int mode, int flags)
{
	return current == NULL ? __real_faccessat(at, path, mode, flags) : 0;
}

int
__wrap_app_connect(struct app *app, bool need_key)
{
	(void)need_key;
	if (app->world != NULL)
		return EXIT_OK;
	app->key = secret_new(str_from(now_in()->cloud_key));
	app->world = github_world_seam(current->tale->github);
	return EXIT_OK;
}

int
__wrap_app_new_session(struct app *app, struct session *session,
    const struct spec *spec, const char *operation)
{
	struct session_config config =
	    tale_session_config(now_in(), operation);

	config.world = app->world;
	config.key = &app->key;
	config.lineage = app->lineage;
	config.lock_timeout_ms = stored_is_on(now_in()) ? STORED_WAIT_MS :
	    app->options->lock_timeout_ms;
	config.note = app->note;
	config.note_ctx = app->note_ctx;
	session_open(session, &app->arena, &config, spec, &app->diags);
	app->session = session;
	return EXIT_OK;
}

int
__wrap_app_open_session(struct app *app, struct session *session,
    const struct spec *spec, const char *operation)
{
	__wrap_app_new_session(app, session, spec, operation);
	return session_load(session);
}

int
__wrap_app_open_writer(struct app *app, struct session *session,
    const struct spec *spec, const char *operation)
{
	int code;

	__wrap_app_new_session(app, session, spec, operation);
	code = session_take_mutex(session);
	return code == EXIT_OK ? session_load(session) : code;
}

void
__wrap_io_world_take_signals(struct io_world *io)
{
	(void)io;
}

bool
__wrap_ssh_world_load_keys(struct app *app, const struct pod_spec *want)
{
	(void)app;
	(void)want;
	return true;
}

bool
__wrap_ssh_world_check_keys(struct app *app, const struct pod_spec *want)
{
	(void)app;
	(void)want;
	return true;
}

struct ssh_keys *
__wrap_ssh_world_keys(struct app *app)
{
	(void)app;
	return NULL;
}

bool
__wrap_ssh_keys_make(struct ssh_keys *keys, struct str *why)
{
	(void)keys;
	(void)why;
	return true;
}

/* A pod that gets no keys of ours prints none of its own either. */
struct str
__wrap_ssh_keys_public(struct ssh_keys *keys, struct arena *arena,
    struct str home)
{
	(void)keys;
	(void)arena;
	(void)home;
	return now_in()->guests->log_shows_keys
	    ? STR("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKL"
		  "sabgH5C9okWi0dh2l9GKJl podform")
	    : STR("");
}

bool
__wrap_holder_list(struct app *app, struct tunnel_status **tunnels,
    size_t *n, struct str *why)
{
	(void)app;
	(void)why;
	*tunnels = NULL;
	*n = 0;
	return true;
}

/* ------------------------------------------------------------ the plan --- */

static void
note_plan(const struct session *session, const struct plan *plan)
{
	current->plan = plan;
	current->empty = tale_is_empty(session, plan);
	tale_note_plan(now_in(), plan);
}

/* All that people were shown of it: "op address id", and below it each
 * attribute as it was and will be. */
static void
plan_lines(struct strbuf *out, const struct plan *plan)
{
	for (size_t i = 0; i < plan->changes.n; i++) {
		const struct plan_change *change = &plan->changes.items[i];
		strbuf_addf(out, "%d " STR_FMT " " STR_FMT "\n",
		    (int)change->op, STR_ARG(change->address),
		    STR_ARG(change->have != NULL ? change->have->id
						 : (struct str){0}));
		for (size_t j = 0; j < change->attrs.n; j++) {
			const struct plan_attr *attr =
			    &change->attrs.items[j];
			strbuf_addf(out, "  " STR_FMT ": " STR_FMT " -> "
			    STR_FMT "\n", STR_ARG(attr->path),
			    STR_ARG(attr->before), STR_ARG(attr->after));
		}
	}
}

static void
note_saved(struct sim *sim, const struct plan *plan)
{
	struct strbuf does = {0};

	plan_lines(&does, plan);
	lives_applies(sim, strbuf_str(&does));
	strbuf_release(&does);
}

static struct session_plan_options
with_listeners(const struct session_plan_options *options)
{
	struct session_plan_options own = *options;

	own.plan.may_listen = now_in()->world.may_listen;
	own.plan.may_listen_ctx = now_in()->world.ctx;
	return own;
}

int
__wrap_session_plan(struct session *session,
    const struct session_plan_options *options, const struct plan **plan)
{
	struct session_plan_options own;
	int code;

	if (current == NULL)
		return __real_session_plan(session, options, plan);
	own = with_listeners(options);
	code = __real_session_plan(session, &own, plan);
	if (code == EXIT_OK)
		note_plan(session, *plan);
	return code;
}

int
__wrap_session_plan_to_apply(struct session *session,
    const struct session_plan_options *options, int64_t settle_ms,
    const struct plan **plan)
{
	struct session_plan_options own;
	int code;

	if (current == NULL)
		return __real_session_plan_to_apply(session, options,
		    settle_ms, plan);
	own = with_listeners(options);
	code = __real_session_plan_to_apply(session, &own, settle_ms, plan);
	if (code == EXIT_OK)
		note_plan(session, *plan);
	return code;
}

int
__wrap_session_apply(struct session *session, const struct plan *plan,
    const struct run_options *options, const struct run_summary **summary)
{
	struct process *process = current;
	int code;

	if (process != NULL) {
		process->applies = true;
		process->plan = plan;
		if (process->nwords > 2 &&
		    strcmp(process->words[2], PLAN_PATH) == 0)
			note_saved(now_in(), plan);
	}
	code = __real_session_apply(session, plan, options, summary);
	if (process != NULL)
		process->summary = *summary;
	return code;
}
/* NOLINTEND(bugprone-reserved-identifier) */

/* ---------------------------------------------------------- a process ---- */

static void
add_word(struct process *process, const char *format, const char *value)
{
	char word[200];

	if (process->nwords + 1 >= WORDS_MAX)
		return;
	snprintf(word, sizeof word, format, value);
	process->words[process->nwords++] = strdup(word);
}

static void
add_words(struct process *process, const char *const *words, size_t n)
{
	struct tale *tale = process->tale;
	struct sim *sim = tale->sim;
	bool destroy = strcmp(words[0], "destroy") == 0;

	add_word(process, "%s", "podform");
	for (size_t i = 0; i < n; i++)
		add_word(process, "%s", words[i]);
	sim->json = rng_chance(&sim->more, 250);
	if (sim->json)
		add_word(process, "%s", "--json");
	if (!destroy && strcmp(words[0], "apply") != 0)
		return;
	add_word(process, "%s", "--auto-approve");
	add_word(process, "%s", "--allow-empty");
	if (sim->guests->forced)
		add_word(process, "%s", "--force-runners");
	for (size_t i = 0; !destroy && n == 1 && i < tale->nreplaces; i++)
		add_word(process, "--replace=%s", tale->replaces[i]);
	if (!destroy && n == 1)
		tale->nreplaces = 0;
}

/* As main() does it. */
static void
show_diags(struct app *app)
{
	struct diag_style style = { .color = app->err_style.color,
		.width = app->err_style.width };
	struct strbuf out = {0};

	if (app->diags.list.n == 0 || app->json_done)
		return;
	if (app_json(app) && !app->printed) {
		diag_json_document(&out, &app->diags);
		app_print(app, &out);
		return;
	}
	diags_print(&out, &app->diags, style);
	app_say(app, &out);
}

static int
run(struct tale *tale, const char *const *words, size_t n, bool *empty)
{
	struct process *process = calloc(1, sizeof *process);
	struct sim *sim = tale->sim;
	int code = EXIT_USAGE;

	process->tale = tale;
	process->outer = current;
	current = process;
	strbuf_reset(&sim->out);
	strbuf_reset(&sim->err);
	add_words(process, words, n);
	if (strcmp(words[0], "plan") == 0)
		sim->saved.there = false;
	if (app_init(&process->app, (int)process->nwords, process->words))
		code = process->app.args.command->run(&process->app);
	show_diags(&process->app);
	tale_note_end(sim, &process->app.diags, process->summary);
	*empty = process->empty;
	if (strcmp(words[0], "plan") == 0 && n > 1 && code == EXIT_OK &&
	    process->plan != NULL) {
		strbuf_reset(&sim->saved.does);
		plan_lines(&sim->saved.does, process->plan);
		sim->saved.serial = lives_serial(sim);
		sim->saved.there = true;
		sim->saved.used = false;
	}
	return code;
}

/* Also of a process that was killed: its memory is ours to give back. */
static void
end(struct tale *tale)
{
	struct process *process = current;

	(void)tale;
	current = process->outer;
	for (size_t i = 0; i < process->nwords; i++)
		free(process->words[i]);
	app_release(&process->app);
	free(process);
}

/* ------------------------------------------------------- what it may do -- */

/* "pod.x[0]" is the pod.x that was there. */
static bool
is_address(struct str have, const char *address)
{
	size_t n = strlen(address);

	return str_is(have, address) || (have.len == n + 3 &&
	    memcmp(have.data, address, n) == 0 &&
	    memcmp(have.data + n, "[0]", 3) == 0);
}

/* What a change may come to, its undoing included. */
static bool
may(const struct plan_change *change, enum model_op op)
{
	bool ends = change->op == PLAN_DELETE || change->op == PLAN_REPLACE;
	bool makes = change->op == PLAN_CREATE || change->op == PLAN_REPLACE;
	bool alters = change->op == PLAN_UPDATE || change->op == PLAN_START ||
	    change->op == PLAN_STOP;

	switch (op) {
	case MODEL_OP_CREATE:
	case MODEL_OP_VOLUME_CREATE:
		return makes;
	case MODEL_OP_TERMINATE:
	case MODEL_OP_VOLUME_DELETE:
		return ends || makes;
	case MODEL_OP_START:
		return alters;
	case MODEL_OP_STOP:
		return alters || makes;
	case MODEL_OP_UPDATE:
	case MODEL_OP_RESTART:
	case MODEL_OP_VOLUME_UPDATE:
		return change->op == PLAN_UPDATE;
	default:
		return false;
	}
}

static const struct plan_change *
shown(enum model_op op, struct str id, const char *address)
{
	const struct process *process = current;

	if (process == NULL || !process->applies)
		return NULL;
	for (size_t i = 0; i < process->plan->changes.n; i++) {
		const struct plan_change *change =
		    &process->plan->changes.items[i];
		bool same = op >= MODEL_OP_VOLUME_CREATE
		    ? change->kind == KIND_VOLUME
		    : (change->pod != NULL && str_eq(change->pod->id, id)) ||
			(change->have != NULL &&
			    str_eq(change->have->id, id)) ||
			is_address(change->address, address);
		if (same && may(change, op))
			return change;
	}
	return NULL;
}

const struct tale_program program = { run, end, shown };
