/* connect.c - the real outside, and sessions on it; see app.h */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "app.h"
#include "cloud/runpod/runpod.h"
#include "github/github.h"
#include "github_key.h"
#include "holder_client.h"
#include "holder_place.h"
#include "io/io_listen.h"
#include "io/io_url.h"
#include "key.h"
#include "ssh_tasks.h"
#include "ssh_world.h"
#include "store_config.h"

void
app_trace(void *ctx, struct str line)
{
	struct app *app = ctx;
	struct strbuf out = {0};

	strbuf_adds(&out, "podform: ");
	strbuf_add_escaped(&out, line);
	strbuf_addc(&out, '\n');
	app_write(app->log_fd >= 0 ? app->log_fd : STDERR_FILENO,
	    strbuf_str(&out));
	strbuf_release(&out);
}

bool
app_traces(const struct app *app)
{
	return app->options->verbose > 0 || app->log_fd >= 0;
}

static bool
open_log(struct app *app)
{
	struct str path = app->options->log_file;

	if (path.data == NULL || app->log_fd >= 0)
		return true;
	app->log_fd = open(arena_cstr(&app->arena, path), O_WRONLY | O_CREAT |
	    O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
	if (app->log_fd >= 0)
		return true;
	diag_errno(&app->diags, "PF0823", NO_SPAN, errno,
	    "cannot open the log file '" STR_FMT "'", STR_ARG(path));
	return false;
}

static int
no_key(struct app *app)
{
	app_fail(app, 0, "PF0824", "there is no RunPod API key");
	diag_hint(&app->diags, "make one at https://console.runpod.io/user/"
	    "settings and set RUNPOD_API_KEY, or put it into a file of mode "
	    "0600 and name that in RUNPOD_API_KEY_FILE");
	diag_hint(&app->diags, "without a key: podform validate, and podform "
	    "plan --refresh=false");
	return EXIT_AUTH;
}

static bool
find_store(struct app *app)
{
	struct store_config *store =
	    ARENA_NEW(&app->arena, struct store_config);

	if (!store_config_find(app, store))
		return false;
	app->store = store;
	return true;
}

int
app_connect(struct app *app, bool need_key)
{
	struct key_facts facts;
	struct io_url_cloud urls;
	struct io_config config = {0};
	struct github_urls github;
	struct str why;

	if (app->io != NULL)
		return EXIT_OK;
	if (!key_find(app, &facts))
		return EXIT_AUTH;
	app->key = facts.key;
	app->key_origin = facts.origin;
	if (need_key && !secret_is_set(&app->key))
		return no_key(app);
	if (!io_url_cloud(&app->arena, facts.api_url, &urls, &why))
		return app_fail(app, EXIT_USAGE, "PF0825", "the service's "
		    "address in " STR_FMT " cannot be used: " STR_FMT,
		    STR_ARG(facts.api_url_origin), STR_ARG(why));
	if (!open_log(app))
		return EXIT_ERROR;
	if (app->store == NULL && !find_store(app))
		return EXIT_USAGE;
	store_config_connect(app, app->store, &config);
	app->api_url = urls.rest;
	config.cloud_url = urls.rest;
	config.graphql_url = urls.graphql;
	config.cloud_key = secret_is_set(&app->key) ? &app->key : NULL;
	/* A bad one is said when GitHub is asked for something. */
	if (github_key_urls(app, &github, &why)) {
		config.github_url = github.api;
		app->github_web = github.web;
	}
	if (app_traces(app)) {
		config.trace = app_trace;
		config.trace_ctx = app;
	}
	app->io = io_world_new(&config);
	app->world = io_world_seam(app->io);
	app->world->may_listen = io_may_listen;
	app->holder = holder_client_new(app);
	ssh_world_attach(app);
	ssh_tasks_attach(app);
	github_key_attach(app);		/* the last: see there */
	return EXIT_OK;
}

/* ----------------------------------------------------------------- session -- */

static struct str
who_we_are(struct app *app)
{
	struct str user = app_variable("USER");
	char host[256] = "";

	if (user.len == 0)
		user = app_variable("LOGNAME");
	if (user.len == 0)
		user = arena_printf(&app->arena, "uid%u",
		    (unsigned)geteuid());
	if (gethostname(host, sizeof(host) - 1) != 0)
		host[0] = '\0';
	return arena_printf(&app->arena, STR_FMT "@%s", STR_ARG(user),
	    host[0] != '\0' ? host : "localhost");
}

/* A file of /proc: its size is not known before it is read. */
static struct str
boot_id(struct app *app)
{
	char text[64];
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text));

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return STR("");
	return arena_str(&app->arena, str_trim((struct str){ text,
	    (size_t)n }));
}

static struct str
ci_run_url(struct app *app)
{
	struct str server = app_variable("GITHUB_SERVER_URL");
	struct str repository = app_variable("GITHUB_REPOSITORY");
	struct str run = app_variable("GITHUB_RUN_ID");

	if (server.len == 0 || repository.len == 0 || run.len == 0)
		return (struct str){0};
	return arena_printf(&app->arena, STR_FMT "/" STR_FMT
	    "/actions/runs/" STR_FMT, STR_ARG(server), STR_ARG(repository),
	    STR_ARG(run));
}

int
app_new_session(struct app *app, struct session *session,
    const struct spec *spec, const char *operation)
{
	struct session_config config = {
		.world = app->world,
		.cloud = &runpod,
		.github = &github_rest,
		.key = &app->key,
		.work_dir = STR(".podform"),
		.own_uid = (uint32_t)geteuid(),
		.who = who_we_are(app),
		.boot_id = boot_id(app),
		.pid = getpid(),
		.operation = str_from(operation),
		.version = STR(PODFORM_VERSION),
		.run_url = ci_run_url(app),
		.lock_timeout_ms = app->options->lock_timeout_ms,
		.lineage = app->lineage,
		.holder_may_run = access(HOLDER_SOCKET, F_OK) == 0,
		.note = app->note,
		.note_ctx = app->note_ctx,
	};

	bool ok = app->store != NULL || find_store(app);
	if (ok) {
		config.store = app->store->place;
		config.lock_path = config.store.kind == STORE_FILE ?
		    config.store.file : STR("podform.lock");
		if (config.store.kind == STORE_ETCD)
			config.store_login =
			    secret_reveal(&app->store->login);
	}

	/* Opened in any case, so that closing it is always right. */
	session_open(session, &app->arena, &config, spec, &app->diags);
	app->session = session;
	return ok ? EXIT_OK : EXIT_ERROR;
}

int
app_open_session(struct app *app, struct session *session,
    const struct spec *spec, const char *operation)
{
	int code = app_new_session(app, session, spec, operation);

	return code == EXIT_OK ? session_load(session) : code;
}

int
app_open_writer(struct app *app, struct session *session,
    const struct spec *spec, const char *operation)
{
	int code = app_new_session(app, session, spec, operation);

	if (code == EXIT_OK)
		code = session_take_mutex(session);
	if (code == EXIT_OK)
		code = session_load(session);
	return code;
}
