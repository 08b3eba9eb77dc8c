/* inside.c - see inside.h */
#include "inside.h"

#include <pwd.h>
#include <unistd.h>

#include "base/pins.h"
#include "host_keys.h"

/* Its mistakes are validate's business. */
static const struct spec *
load_spec_quietly(struct app *app)
{
	struct diags loud = app->diags;
	const struct spec *spec;
	bool missing;

	app->diags = (struct diags){ .arena = &app->arena,
		.sources = &app->sources };
	spec = app_load_spec(app, true, &missing);
	app->diags = loud;
	if (spec == NULL && !missing) {
		diag_warning(&app->diags, "PF0862", NO_SPAN, "the spec cannot "
		    "be used, so users and keys that it names are not known");
		diag_hint(&app->diags, "podform validate shows its mistakes");
	}
	return spec;
}

int
inside_open(struct inside *inside, struct app *app, const char *operation)
{
	int code;

	*inside = (struct inside){ .app = app };
	code = app_connect(app, true);
	if (code != EXIT_OK)
		return code;
	inside->spec = load_spec_quietly(app);
	return app_open_session(app, &inside->session, NULL, operation);
}

void
inside_close(struct inside *inside)
{
	if (inside->session.arena != NULL)
		session_close(&inside->session);
}

/* ----------------------------------------------------------------- find -- */

static void
add_pod(struct inside *inside, const struct lock_entry *entry)
{
	struct inside_pod *more;

	for (size_t i = 0; i < inside->npods; i++)
		if (inside->pods[i].entry == entry)
			return;
	more = ARENA_ARRAY(&inside->app->arena, struct inside_pod,
	    inside->npods + 1);
	for (size_t i = 0; i < inside->npods; i++)
		more[i] = inside->pods[i];
	more[inside->npods++] = (struct inside_pod){ .entry = entry,
		.want = target_spec(inside->spec, entry) };
	inside->pods = more;
}

int
inside_find(struct inside *inside, struct str address, bool many)
{
	struct app *app = inside->app;
	struct lock *lock = inside->session.lock;
	const struct lock_entry *one, **list;
	size_t n;

	if (!many) {
		one = target_find(lock, inside->spec, address, &app->diags);
		if (one == NULL)
			return EXIT_ERROR;
		add_pod(inside, one);
		return EXIT_OK;
	}
	n = target_find_all(&app->arena, lock, inside->spec, address, &list,
	    &app->diags);
	for (size_t i = 0; i < n; i++)
		add_pod(inside, list[i]);
	return n > 0 ? EXIT_OK : EXIT_ERROR;
}

/* ----------------------------------------------------------------- look -- */

static int
look_at_one(struct inside *inside, struct inside_pod *pod)
{
	struct cloud_request request = { .op = CLOUD_GET_POD,
		.id = pod->entry->id };
	struct cloud_answer answer = {0};
	int code = session_ask(&inside->session, &request, &answer);

	struct cloud_pod *pods = answer.pods;	/* of the session */
	if (code == EXIT_OK && answer.npods == 1)
		pod->live = pods;
	return code;
}

int
inside_look(struct inside *inside)
{
	const struct live *live = &inside->session.live;
	int code;

	if (inside->npods == 1)
		return look_at_one(inside, &inside->pods[0]);
	code = session_refresh(&inside->session, false);
	for (size_t i = 0; i < live->npods && code == EXIT_OK; i++)
		for (size_t k = 0; k < inside->npods; k++)
			if (str_eq(live->pods[i].id,
			    inside->pods[k].entry->id))
				inside->pods[k].live = &live->pods[i];
	return code;
}

/* --------------------------------------------------------------- target -- */

/* All of it that there is: the start script speaks first. */
static void
read_log(struct inside *inside, const struct inside_pod *pod,
    struct cloud_answer *answer)
{
	enum { ALL_LINES = 5000 };
	struct cloud_request request = { .op = CLOUD_GET_LOG,
		.id = pod->entry->id, .tail = ALL_LINES,
		.enough = PINS_ENOUGH };
	struct session *session = &inside->session;
	struct diags quiet = { .arena = &inside->app->arena };
	struct diags *loud = session->diags;

	/* No log, no pin: that is said, and is no failure. */
	session->diags = &quiet;
	if (session_ask(session, &request, answer) != EXIT_OK)
		answer->nlines = 0;
	session->diags = loud;
}

static enum target_pin
make_target(struct inside *inside, struct inside_pod *pod,
    const struct cloud_answer *answer)
{
	return target_make(&inside->app->arena, pod->entry, pod->live,
	    pod->want, pod->want != NULL ? pod->want->ssh_key_path :
	    (struct str){0}, answer->lines,
	    answer->nlines, &pod->target);
}

static struct str *
copy_pin(struct app *app, struct str pin)
{
	struct str *copy = ARENA_NEW(&app->arena, struct str);

	*copy = pin;
	return copy;
}

int
inside_target(struct inside *inside, struct inside_pod *pod)
{
	struct app *app = inside->app;
	struct cloud_answer answer = {0};
	struct str seen;

	if (!target_usable(pod->entry, pod->live, &app->diags))
		return EXIT_ERROR;
	pod->pin = make_target(inside, pod, &answer);
	if (pod->pin != TARGET_FIRST_USE)
		return EXIT_OK;
	seen = host_keys_seen(app, &pod->target);
	if (seen.data == NULL) {
		read_log(inside, pod, &answer);
		if (inside->session.interrupted > 0)
			return session_signal_code(&inside->session);
		pod->pin = make_target(inside, pod, &answer);
		return EXIT_OK;
	}
	pod->pin = TARGET_SEEN;
	pod->target.pins = copy_pin(app, seen);
	pod->target.npins = 1;
	return EXIT_OK;
}

/* ---------------------------------------------------------------- paths -- */

struct str
inside_key_directory(struct app *app, const struct id128 *lineage)
{
	struct str data = app_variable("XDG_DATA_HOME");
	struct str home = app_variable("HOME");
	const struct passwd *user;

	if (data.len > 0 && data.data[0] == '/')
		return arena_printf(&app->arena, STR_FMT "/podform/%s",
		    STR_ARG(data), lineage->hex);
	if (home.len == 0 || home.data[0] != '/') {
		user = getpwuid(geteuid());
		home = str_from(user != NULL ? user->pw_dir : "/");
	}
	return arena_printf(&app->arena, STR_FMT "/.local/share/podform/%s",
	    STR_ARG(home), lineage->hex);
}

static struct str
inside_here(struct app *app, struct str path)
{
	char here[4096];

	if (getcwd(here, sizeof(here)) == NULL)
		return (struct str){0};
	return arena_printf(&app->arena, "%s/" STR_FMT, here, STR_ARG(path));
}

void
inside_say_first(struct inside *inside, const struct inside_pod *pod,
    struct str fingerprint)
{
	struct strbuf out = {0};

	if (inside->app->options->quiet)
		return;
	strbuf_adds(&out, "podform: nothing vouched for the host key of ");
	strbuf_add_escaped(&out, pod->entry->address);
	strbuf_adds(&out, "; from now on it is ");
	strbuf_add_escaped(&out, fingerprint);
	strbuf_addc(&out, '\n');
	app_say(inside->app, &out);
}

struct str
inside_key_file(struct inside *inside, const struct inside_pod *pod)
{
	struct app *app = inside->app;
	struct fs_info info;
	struct str path = pod->target.key;

	if (path.data == NULL)
		path = arena_printf(&app->arena, STR_FMT "/id_ed25519",
		    STR_ARG(inside_key_directory(app,
		    &inside->session.lock->lineage)));
	if (app->fs.stat(app->fs.ctx, arena_cstr(&app->arena, path), true,
	    &info) != 0)
		return (struct str){0};
	return path.data[0] == '/' ? path : inside_here(app, path);
}

struct str
inside_work_path(struct app *app, const char *name)
{
	return inside_here(app, arena_printf(&app->arena, ".podform/%s",
	    name));
}
