/*
 * app.h - what every command works with: arguments, streams, the outside.
 *
 * Nothing here is made before it is needed: `version` and `validate` never
 * load the HTTP library nor look for a key.
 */
#ifndef CMD_APP_H
#define CMD_APP_H

#include "args.h"
#include "base/secret.h"
#include "io/io_world.h"
#include "run/session.h"
#include "spec/spec.h"
#include "ui/style.h"

struct github_world;
struct holder_client;
struct store_config;

struct app {
	struct arena arena;
	struct sources sources;
	struct diags diags;
	struct args args;
	const struct options *options;	/* of args */
	struct style out_style, err_style;
	struct style_facts out_facts, err_facts;
	struct fs fs;
	struct clock clock;
	struct chance chance;
	bool stdin_used;		/* `-` was read once */

	/* Made by app_connect(). */
	struct secret key;
	struct str key_origin;		/* where the key came from */
	struct str api_url;		/* base that is spoken to */
	struct str github_web;		/* GitHub for people; runners register
					   themselves below it */
	struct store_config *store;	/* where the record lives */
	struct io_world *io;
	struct world *world;
	struct github_world *github;	/* around the real one */
	struct holder_client *holder;	/* of tunnels */
	int log_fd;			/* --log-file, or -1 */
	struct ssh_world *ssh;		/* see ssh_world.h */
	/* The session that was made last; its lock names the project. */
	const struct session *session;

	/* For the sessions that are opened from now on. */
	struct id128 lineage;
	void (*note)(void *ctx, const struct run_note *note);
	void *note_ctx;

	int out_error;			/* of standard output, but not that it
					   is closed: that is no error */
	bool printed;			/* something is on standard output: with
					   --json no second document */
	bool json_done;			/* diagnostics are in the JSON that was
					   printed: not to be shown again */
};

/* argv and environment -> app; false: usage errors are in diags. */
bool app_init(struct app *app, int argc, char *const *argv);
void app_release(struct app *app);

/* Variable of the environment; absent when unset. */
struct str app_variable(const char *name);

/* Write all of text: 0 or the errno that stopped it. */
int app_write(int fd, struct str text);
/* Write and release. */
void app_print(struct app *app, struct strbuf *out);	/* standard output */
/* What a command did, in words: with --json as the member `message` of an
 * object; nothing when there are diagnostics, which then are the document. */
void app_tell(struct app *app, struct strbuf *out);
void app_say(struct app *app, struct strbuf *out);	/* standard error */

/* Operand i or absent. */
struct str app_operand(const struct app *app, size_t i);

bool app_json(const struct app *app);	/* --json or --format json */
bool app_markdown(const struct app *app);	/* --format markdown */
bool app_format_is_built(struct app *app);	/* text or JSON; reports */
int64_t app_wall_ms(const struct app *app);
int64_t app_mono_ms(const struct app *app);

/* Report an error without a place; returns the code. */
int app_fail(struct app *app, int code, const char *diag_code,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/*
 * Load the spec that -f names (default: specs); NULL when reported.  If
 * `optional`, a missing default directory is no error: *missing is set.
 */
const struct spec *app_load_spec(struct app *app, bool optional,
    bool *missing);

/* The rules that --policy names; NULL where it does not, or when something
 * was reported: then *failed is set. */
const struct policy *app_load_policy(struct app *app, bool *failed);

/*
 * The key and the world: EXIT_OK, or EXIT_AUTH when there is no key.  With
 * need_key false (nothing is asked of the service) a missing key is fine.
 */
int app_connect(struct app *app, bool need_key);

/* What --verbose says, a line at a time; ctx is the app.  It goes to the
 * file of --log-file where there is one, which alone asks for it, too. */
bool app_traces(const struct app *app);
void app_trace(void *ctx, struct str line);

/* Prepare a session: nothing is read.  spec may be NULL; the operation is
 * what the mutex and the history say. */
int app_new_session(struct app *app, struct session *session,
    const struct spec *spec, const char *operation);
/* And load lock and journal. */
int app_open_session(struct app *app, struct session *session,
    const struct spec *spec, const char *operation);
/* And take the mutex before that: for commands that change the record. */
int app_open_writer(struct app *app, struct session *session,
    const struct spec *spec, const char *operation);

#endif
