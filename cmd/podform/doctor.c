/*
 * doctor.c - podform doctor: the first help.
 *
 * Each line is one thing that has to work, with where its setting is from;
 * values of secrets are never shown.  All lines are tried, whatever fails.
 */
#include "app.h"
#include "base/json.h"
#include "base/units.h"
#include "commands.h"
#include "github_key.h"
#include "ui/table.h"
#include "ui/words.h"

enum health { HEALTH_OK, HEALTH_NOTE, HEALTH_BAD };

struct finding {
	enum health health;
	const char *what;
	struct str text, origin;
};

struct doctor {
	struct app *app;
	const struct spec *spec;	/* NULL: none, or a bad one */
	VEC_OF(struct finding) findings;
	int code;			/* of the first that is bad */
};

static void
find(struct doctor *doctor, enum health health, const char *what,
    struct str text, struct str origin)
{
	*ARENA_PUSH(&doctor->app->arena, &doctor->findings) =
	    (struct finding){ health, what, text, origin };
}

static void
find_bad(struct doctor *doctor, int code, const char *what, struct str text)
{
	find(doctor, HEALTH_BAD, what, text, (struct str){0});
	if (doctor->code == EXIT_OK)
		doctor->code = code;
}

/* The newest error in words; it is shown in full at the end, too. */
static struct str
last_error(struct app *app)
{
	return app->diags.last != NULL ? app->diags.last->message :
	    STR("failed");
}

static void
check_options(struct doctor *doctor)
{
	struct app *app = doctor->app;

	for (size_t i = 0; i < options_count; i++) {
		if (app->args.origins[i] == ORIGIN_DEFAULT)
			continue;
		find(doctor, HEALTH_OK, "option", arena_printf(&app->arena,
		    "--%s is set", options_table[i].name),
		    str_from(args_origin_words(app->args.origins[i])));
	}
}

static void
check_spec(struct doctor *doctor)
{
	struct app *app = doctor->app;
	bool missing = false;
	const struct spec *spec = app_load_spec(app, true, &missing);

	doctor->spec = spec;
	if (missing)
		find(doctor, HEALTH_NOTE, "spec", STR("there is no directory "
		    "specs; podform init makes one"), (struct str){0});
	else if (spec == NULL)
		find_bad(doctor, EXIT_USAGE, "spec", last_error(app));
	else
		find(doctor, HEALTH_OK, "spec", arena_printf(&app->arena,
		    "project " STR_FMT ", " STR_FMT, STR_ARG(spec->project),
		    STR_ARG(words_count(&app->arena, spec->nresources,
		    "resource"))), app->options->spec.list.n > 0 ?
		    STR("--spec") : STR("specs"));
}

static void
check_lock(struct doctor *doctor)
{
	struct app *app = doctor->app;
	struct session session;
	int code = app_open_session(app, &session, NULL, "doctor");

	if (code != EXIT_OK)
		find_bad(doctor, code, "lock", last_error(app));
	else if (!session.lock->exists)
		find(doctor, HEALTH_NOTE, "lock", STR("there is none yet; the "
		    "first apply makes it"), session.config.lock_path);
	else
		find(doctor, session.lock->pending.n > 0 ? HEALTH_NOTE :
		    HEALTH_OK, "lock", arena_printf(&app->arena, "serial %lld, "
		    STR_FMT ", %zu unclear", (long long)session.lock->serial,
		    STR_ARG(words_count(&app->arena, session.lock->entries.n,
		    "record")), session.lock->pending.n),
		    session.config.lock_path);
	session_close(&session);
}

static void
check_account(struct doctor *doctor, struct session *session)
{
	struct cloud_request request = { .op = CLOUD_GET_ACCOUNT };
	struct cloud_answer answer = {0};
	struct app *app = doctor->app;
	const struct account *account = &answer.account;
	int code = session_ask(session, &request, &answer);

	if (code != EXIT_OK) {
		find_bad(doctor, code, "account", last_error(app));
		return;
	}
	find(doctor, HEALTH_OK, "account", account->id, STR("GraphQL"));
	if (!account->balance_known)
		return;
	find(doctor, account->balance > account->spend_per_hour ? HEALTH_OK :
	    HEALTH_BAD, "balance", arena_printf(&app->arena, STR_FMT
	    ", spending " STR_FMT "/h, limit " STR_FMT "/h",
	    STR_ARG(format_total(&app->arena, account->balance)),
	    STR_ARG(format_rate(&app->arena, account->spend_per_hour)),
	    STR_ARG(format_rate(&app->arena, account->spend_limit))),
	    STR("GraphQL"));
}

static void
check_service(struct doctor *doctor)
{
	struct cloud_request request = { .op = CLOUD_LIST_PODS };
	struct cloud_answer answer = {0};
	struct app *app = doctor->app;
	struct session session;
	int64_t began = app_mono_ms(app);
	int code = app_new_session(app, &session, NULL, "doctor");

	if (code == EXIT_OK)
		code = session_ask(&session, &request, &answer);
	if (code != EXIT_OK) {
		find_bad(doctor, code, "service", last_error(app));
		return;
	}
	find(doctor, HEALTH_OK, "service", arena_printf(&app->arena,
	    "answers in %lld ms, " STR_FMT, (long long)(app_mono_ms(app) -
	    began), STR_ARG(words_count(&app->arena, answer.npods, "pod"))),
	    app->api_url);
	check_account(doctor, &session);
}

/* Only runners need it: to have none is no fault. */
static void
check_github(struct doctor *doctor)
{
	struct app *app = doctor->app;
	struct github_credential credential;
	struct github_urls urls;
	struct str origin, why;

	if (!github_key_urls(app, &urls, &why)) {
		find_bad(doctor, EXIT_USAGE, "github", why);
		return;
	}
	github_key_find(app, &credential, &origin);
	if (credential.why_none.len == 0)
		find(doctor, HEALTH_OK, "github", arena_printf(&app->arena,
		    "%s found for " STR_FMT " (its value is never shown)",
		    secret_is_set(&credential.token) ? "a token" :
		    "the key of an App", STR_ARG(urls.api)), origin);
	else if (origin.len == 0)
		find(doctor, HEALTH_NOTE, "github", credential.why_none,
		    origin);
	else
		find_bad(doctor, EXIT_AUTH, "github", credential.why_none);
	secret_release(&credential.token);
	secret_release(&credential.app_key);
}

/* When the token dies: GitHub says it for those that do. */
static void
check_token_end(struct doctor *doctor)
{
	struct app *app = doctor->app;
	struct str ends = github_world_token_ends(app->github), when;
	int64_t at, left_ms;

	if (ends.len == 0)
		return;
	/* "2026-12-31 23:59:59 UTC" */
	when = arena_printf(&app->arena, STR_FMT "T" STR_FMT "Z",
	    STR_ARG(str_sub(ends, 0, 10)), STR_ARG(str_sub(ends, 11, 8)));
	left_ms = parse_time(when, &at) ? at - app_wall_ms(app) : INT64_MAX;
	find(doctor, left_ms < 7 * 24 * HOUR_MS ? HEALTH_NOTE : HEALTH_OK,
	    "github", arena_printf(&app->arena, "the token ends on " STR_FMT
	    "%s", STR_ARG(ends), left_ms < 0 ? ": it has ended" :
	    left_ms < 7 * 24 * HOUR_MS ? ", soon: make a new one" : ""),
	    STR("GitHub"));
}

/* May the runners that spec and lock name be looked at? */
static void
check_scopes(struct doctor *doctor)
{
	struct app *app = doctor->app;
	struct session session;

	if (app_open_session(app, &session, doctor->spec, "doctor") ==
	    EXIT_OK) {
		session.config.github_optional = true;
		(void)session_refresh_github(&session);
	}
	for (size_t i = 0; i < session.live.nscopes; i++) {
		const struct live_scope *scope = &session.live.scopes[i];
		struct str name = github_scope_text(&scope->scope);
		if (scope->known)
			find(doctor, HEALTH_OK, "github", arena_printf(
			    &app->arena, "may look at the runners of " STR_FMT
			    " (%zu)", STR_ARG(name), scope->nrunners),
			    STR("GitHub"));
		else
			find_bad(doctor, EXIT_AUTH, "github", arena_printf(
			    &app->arena, "cannot look at the runners of "
			    STR_FMT ": " STR_FMT, STR_ARG(name),
			    STR_ARG(scope->why_unknown)));
	}
	if (session.live.nscopes > 0)
		check_token_end(doctor);
	session_close(&session);
}

static void
print_text(struct doctor *doctor, struct strbuf *out)
{
	static const struct table_column columns[] = {
		{ .title = "" }, { .title = "CHECK" },
		{ .title = "FINDING", .shrink = true, .wrap = true },
		{ .title = "FROM", .shrink = true },
	};
	static const char *const marks[] = { "ok", "note", "BAD" };
	static const enum paint paints[] = { PAINT_GREEN, PAINT_YELLOW,
		PAINT_RED };
	struct table table;

	table_init(&table, &doctor->app->arena, columns, COUNTOF(columns));
	for (size_t i = 0; i < doctor->findings.n; i++) {
		const struct finding *f = &doctor->findings.items[i];
		table_add_paint(&table, str_from(marks[f->health]),
		    paints[f->health]);
		table_add(&table, str_from(f->what));
		table_add(&table, f->text);
		table_add(&table, f->origin);
	}
	table_print(out, &table, doctor->app->out_style);
}

static void
print_json(struct doctor *doctor, struct strbuf *out)
{
	static const char *const words[] = { "ok", "note", "bad" };
	struct json_writer w = { .out = out, .indent = 2 };

	json_begin(&w, '[');
	for (size_t i = 0; i < doctor->findings.n; i++) {
		const struct finding *f = &doctor->findings.items[i];
		json_begin(&w, '{');
		json_member_str(&w, "check", str_from(f->what));
		json_member_str(&w, "health", str_from(words[f->health]));
		json_member_str(&w, "finding", f->text);
		json_member_str(&w, "from", f->origin);
		json_end(&w, '}');
	}
	json_end(&w, ']');
	strbuf_addc(out, '\n');
}

int
cmd_doctor(struct app *app)
{
	struct doctor doctor = { .app = app };
	struct strbuf out = {0};
	int code;

	find(&doctor, HEALTH_OK, "version", STR("podform " PODFORM_VERSION),
	    (struct str){0});
	check_options(&doctor);
	check_spec(&doctor);
	code = app_connect(app, true);
	if (code != EXIT_OK) {
		find_bad(&doctor, code, "key", last_error(app));
		code = app_connect(app, false);
	} else {
		find(&doctor, HEALTH_OK, "key", STR("found (its value is "
		    "never shown)"), app->key_origin);
	}
	if (code == EXIT_OK)
		check_lock(&doctor);
	if (code == EXIT_OK && secret_is_set(&app->key))
		check_service(&doctor);
	check_github(&doctor);
	if (code == EXIT_OK)
		check_scopes(&doctor);
	if (app_json(app)) {
		print_json(&doctor, &out);
		app->json_done = true;
	} else {
		print_text(&doctor, &out);
	}
	app_print(app, &out);
	return doctor.code;
}
