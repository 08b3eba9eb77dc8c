/*
 * pod_ssh.c - podform ssh and ssh-config: the user's own ssh, told the way.
 *
 * An interactive shell is OpenSSH's trade.  We say where the pod is now, as
 * whom, with which key, and which host key must answer; the rest is the
 * user's configuration.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "commands.h"
#include "host_keys.h"
#include "inside.h"
#include "ui/ssh_config.h"

/* Its key is in known_hosts and is one of the pins; else reported. */
static bool
have_host_key(struct inside *inside, struct inside_pod *pod)
{
	struct app *app = inside->app;
	bool first;

	if (!host_keys_ensure(app, inside->session.lock, pod->entry->address,
	    &pod->target, &first))
		return false;
	if (first)
		inside_say_first(inside, pod, host_keys_seen(app,
		    &pod->target));
	return true;
}

/* ------------------------------------------------------------------ ssh -- */

struct words { VEC_OF(const char *) list; };

static void
add(struct app *app, struct words *words, struct str word)
{
	*ARENA_PUSH(&app->arena, &words->list) = arena_cstr(&app->arena,
	    word);
}

static void
add_setting(struct app *app, struct words *words, const char *name,
    struct str value)
{
	add(app, words, STR("-o"));
	add(app, words, arena_printf(&app->arena, "%s=" STR_FMT, name,
	    STR_ARG(value)));
}

/* A path as a value of -o: in quotes, and `%` begins no token. */
static struct str
quoted(struct app *app, struct str path)
{
	struct strbuf out = {0};
	struct str text;

	strbuf_addc(&out, '"');
	for (size_t i = 0; i < path.len; i++) {
		if (path.data[i] == '%')
			strbuf_addc(&out, '%');
		strbuf_addc(&out, path.data[i]);
	}
	strbuf_addc(&out, '"');
	text = arena_str(&app->arena, strbuf_str(&out));
	strbuf_release(&out);
	return text;
}

static const char *const *
ssh_words(struct inside *inside, const struct inside_pod *pod)
{
	struct app *app = inside->app;
	const struct ssh_target *target = &pod->target;
	struct str key = inside_key_file(inside, pod);
	struct words words = {0};

	add(app, &words, STR("ssh"));
	add_setting(app, &words, "UserKnownHostsFile", quoted(app,
	    inside_work_path(app, "known_hosts")));
	add_setting(app, &words, "GlobalKnownHostsFile", STR("/dev/null"));
	add_setting(app, &words, "HostKeyAlias", target_alias(&app->arena,
	    target->pod, target->start));
	add_setting(app, &words, "StrictHostKeyChecking", STR("yes"));
	add_setting(app, &words, "CheckHostIP", STR("no"));
	add_setting(app, &words, "UpdateHostKeys", STR("no"));
	add_setting(app, &words, "VerifyHostKeyDNS", STR("no"));
	add_setting(app, &words, "IdentitiesOnly", STR("no"));
	if (key.data != NULL) {
		add(app, &words, STR("-i"));
		add(app, &words, key);
	}
	add(app, &words, STR("-p"));
	add(app, &words, arena_printf(&app->arena, "%u", target->port));
	add(app, &words, STR("-l"));
	add(app, &words, target->user);
	add(app, &words, target->host);
	/* ssh takes options behind the host, too, and then the command. */
	for (size_t i = 1; i < app->args.operands.n; i++)
		add(app, &words, app->args.operands.items[i]);
	*ARENA_PUSH(&app->arena, &words.list) = NULL;
	return words.list.items;
}

/* What it has no use for stays with us, also if it is told to send it: every
 * variable that podform reads a key or token from, or where one is, and those
 * that the spec declares as secrets. */
static void
forget_secrets(struct app *app, const struct spec *spec)
{
	static const char *const ours[] = { "RUNPOD_API_KEY",
		"RUNPOD_API_KEY_FILE", "GITHUB_TOKEN", "GH_TOKEN",
		"GITHUB_TOKEN_FILE", "PODFORM_GITHUB_APP_ID",
		"PODFORM_GITHUB_APP_KEY_FILE" };

	for (size_t i = 0; i < COUNTOF(ours); i++)
		unsetenv(ours[i]);
	for (size_t i = 0; spec != NULL && i < spec->nsecrets; i++)
		if (spec->secrets[i].from == SECRET_ENV)
			unsetenv(arena_cstr(&app->arena,
			    spec->secrets[i].source));
}

static int
become(struct app *app, const char *const *argv)
{
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	diag_errno(&app->diags, "PF0866", NO_SPAN, errno, "cannot run ssh");
	diag_hint(&app->diags, "podform ssh hands over to OpenSSH's client; "
	    "podform exec needs none");
	return EXIT_ERROR;
}

static bool
is_safe(struct app *app, const struct inside_pod *pod)
{
	if (ssh_config_host_ok(pod->target.host) &&
	    ssh_config_user_ok(pod->target.user))
		return true;
	app_fail(app, 0, "PF0861", "the address or user that the service "
	    "gives for " STR_FMT " is none: '" STR_FMT "', '" STR_FMT "'",
	    STR_ARG(pod->entry->address), STR_ARG(pod->target.host),
	    STR_ARG(pod->target.user));
	return false;
}

int
cmd_ssh(struct app *app)
{
	const char *const *argv = NULL;
	struct inside inside;
	int code;

	if (app_json(app)) {
		app_fail(app, 0, "PF0803", "podform ssh hands over to ssh, "
		    "which has no --json");
		diag_hint(&app->diags, "podform exec --json runs a command; "
		    "podform ssh-config --json says how to log in");
		return EXIT_USAGE;
	}
	code = inside_open(&inside, app, "ssh");

	if (code == EXIT_OK)
		code = inside_find(&inside, app_operand(app, 0), false);
	if (code == EXIT_OK)
		code = inside_look(&inside);
	if (code == EXIT_OK)
		code = inside_target(&inside, &inside.pods[0]);
	if (code == EXIT_OK && (!is_safe(app, &inside.pods[0]) ||
	    !have_host_key(&inside, &inside.pods[0])))
		code = EXIT_ERROR;
	if (code == EXIT_OK)
		argv = ssh_words(&inside, &inside.pods[0]);
	inside_close(&inside);
	if (code != EXIT_OK)
		return code;
	forget_secrets(app, inside.spec);
	return become(app, argv);
}

/* ----------------------------------------------------------- ssh-config -- */

/* The newest diagnostic as a comment instead. */
static void
comment(struct app *app, struct strbuf *out, const struct inside_pod *pod,
    const struct diags *diags)
{
	(void)app;
	ssh_config_comment(out, pod->entry->address, diags->last != NULL ?
	    diags->last->message : STR("it cannot be reached"));
}

/* One block, or a comment that says why there is none. */
static bool
put_host(struct inside *inside, struct inside_pod *pod, struct strbuf *out)
{
	struct app *app = inside->app;
	struct diags loud = app->diags;
	struct diags quiet = { .arena = &app->arena };
	bool ok;

	app->diags = quiet;
	ok = inside_target(inside, pod) == EXIT_OK &&
	    have_host_key(inside, pod);
	if (!ok)
		comment(app, out, pod, &app->diags);
	app->diags = loud;
	if (!ok)
		return false;
	return ssh_config_block(out, &(struct ssh_config_host){
	    .address = pod->entry->address,
	    .project = inside->session.lock->project,
	    .host = pod->target.host, .port = pod->target.port,
	    .user = pod->target.user,
	    .key = inside_key_file(inside, pod),
	    .known_hosts = inside_work_path(app, "known_hosts"),
	    .alias = target_alias(&app->arena, pod->target.pod,
		pod->target.start) });
}

static void
json_host(struct json_writer *w, struct inside *inside,
    const struct inside_pod *pod, bool ok)
{
	struct app *app = inside->app;
	const struct ssh_target *target = &pod->target;

	json_begin(w, '{');
	json_member_str(w, "address", pod->entry->address);
	json_member_str(w, "id", pod->entry->id);
	json_member_bool(w, "usable", ok);
	if (ok) {
		json_member_str(w, "host", target->host);
		json_member_int(w, "port", target->port);
		json_member_str(w, "user", target->user);
		json_member_str(w, "key", inside_key_file(inside, pod));
		json_member_str(w, "known_hosts", inside_work_path(app,
		    "known_hosts"));
		json_member_str(w, "host_key_alias", target_alias(&app->arena,
		    target->pod, target->start));
	}
	json_end(w, '}');
}

static int
put_hosts(struct inside *inside)
{
	struct app *app = inside->app;
	struct strbuf text = {0}, json = {0};
	struct json_writer w = { .out = &json, .indent = 2 };
	bool any = false;

	json_begin(&w, '{');
	json_member_str(&w, "format_version", STR("1.0"));
	json_key(&w, "hosts");
	json_begin(&w, '[');
	for (size_t i = 0; i < inside->npods; i++) {
		bool ok = put_host(inside, &inside->pods[i], &text);
		json_host(&w, inside, &inside->pods[i], ok);
		any = any || ok;
	}
	json_end(&w, ']');
	json_end(&w, '}');
	strbuf_addc(&json, '\n');
	app_print(app, app_json(app) ? &json : &text);
	strbuf_release(&json);
	strbuf_release(&text);
	return any ? EXIT_OK : EXIT_ERROR;
}

int
cmd_ssh_config(struct app *app)
{
	struct inside inside;
	int code = inside_open(&inside, app, "ssh-config");

	if (code == EXIT_OK)
		code = inside_find(&inside, app_operand(app, 0), true);
	if (code == EXIT_OK)
		code = inside_look(&inside);
	if (code == EXIT_OK)
		code = put_hosts(&inside);
	inside_close(&inside);
	return code;
}
