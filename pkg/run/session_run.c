/*
 * session_run.c - the engine, driven: its effects done, its events brought.
 */
#include "run/session.h"

#include <assert.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/units.h"
#include "run/pages.h"
#include "run/session_store.h"

/* A request of the engine on its way; a listing comes in pages. */
struct flight {
	uint64_t token;			/* the engine's */
	struct cloud_request request;
	bool is_github;			/* then these two */
	struct github_request github;
	struct runner_pages runners;
	int64_t timeout_ms;
	struct pages pages;
	struct arena arena;		/* of the pages; released with it */
};

struct driver {
	struct session *session;
	struct run *run;
	VEC_OF(struct flight *) flights;
	struct arena *scratch;		/* of one turn */
	struct redactor *redactor;	/* of all secrets of the spec */
};

static struct run_event
event_now(const struct session *session, enum run_event_type type)
{
	const struct clock *clock = &session->config.world->clock;
	return (struct run_event){
		.type = type,
		.now_ms = clock->mono_ms(clock->ctx),
		.boot_ms = clock->boot_ms(clock->ctx),
		.wall_ms = clock->wall_ms(clock->ctx),
	};
}

/* -------------------------------------------------------------- effects -- */

static void on_http(struct driver *driver, const struct world_event *event);

enum { BEGIN_MS = 30 * SECOND_MS };	/* of what may take longer */

#define NO_HOLD STR("the hold on the record's store does not last")

static void
start_http(struct driver *driver, uint64_t token,
    const struct http_request *http)
{
	struct session *session = driver->session;
	const struct world *world = session->config.world;

	if (http->effect && !session_store_may_send(session,
		http->timeout_ms)) {
		struct world_event event = { .type = WORLD_HTTP,
		    .token = token, .http = { .outcome = HTTP_NOT_SENT,
			.reason = NO_HOLD } };
		on_http(driver, &event);
		return;
	}
	world->start_http(world->ctx, token, http);
}

static void
send_flight(struct driver *driver, const struct flight *flight)
{
	struct session *session = driver->session;
	struct http_request http = {0};
	session->config.cloud->encode(driver->scratch, &flight->request,
	    &http);
	http.timeout_ms = flight->timeout_ms;
	http.effect = cloud_op_changes(flight->request.op);
	if (http.effect && session->config.sent != NULL)
		session->config.sent(session->config.note_ctx,
		    &flight->request);
	start_http(driver, flight->token, &http);
}

static void
do_request(struct driver *driver, const struct run_effect *effect)
{
	struct flight *flight =
	    ARENA_NEW(driver->session->arena, struct flight);
	flight->token = effect->token;
	flight->request = effect->request;
	flight->timeout_ms = effect->timeout_ms;
	flight->pages.arena = &flight->arena;
	*ARENA_PUSH(driver->session->arena, &driver->flights) = flight;
	send_flight(driver, flight);
}

static void
forget_flight(struct driver *driver, uint64_t token)
{
	for (size_t i = 0; i < driver->flights.n; i++) {
		if (driver->flights.items[i]->token != token)
			continue;
		driver->flights.items[i] =
		    driver->flights.items[--driver->flights.n];
		return;
	}
}

/*
 * Journal a batch: every record that the engine has asked for by now goes
 * to the disk in one write and one sync, or to the store in one request.
 * The lock in memory follows.
 */
static void
do_journal(struct driver *driver, const struct run_effect *effects, size_t n)
{
	struct session *session = driver->session;
	struct record *records = ARENA_ARRAY(driver->scratch, struct record, n);
	int64_t wall_ms = event_now(session, RUN_JOURNALED).wall_ms;
	for (size_t i = 0; i < n; i++) {
		records[i] = effects[i].record;
		records[i].wall_ms = wall_ms;
	}
	bool ok = session_keep_records(session, records, n, true);
	for (size_t i = 0; i < n; i++) {
		struct run_event event = event_now(session, RUN_JOURNALED);
		event.token = effects[i].token;
		event.ok = ok;
		run_event(driver->run, &event);
	}
}

/* The directory of a path that is to be written. */
static void
make_parents(struct driver *driver, struct str path)
{
	const struct fs *fs = &driver->session->config.world->fs;

	for (size_t i = 1; i < path.len; i++)
		if (path.data[i] == '/')
			fs->mkdir(fs->ctx, arena_cstr(driver->scratch,
			    str_sub(path, 0, i)), 0700);
}

/* Where there is no way into pods at all, that is an answer. */
static void
do_ssh(struct driver *driver, const struct run_effect *effect)
{
	const struct world *world = driver->session->config.world;
	/* What takes longer goes on while the hold is renewed. */
	bool may = session_store_may_send(driver->session, BEGIN_MS);

	if (may && world->start_ssh != NULL) {
		make_parents(driver, effect->ssh.keep);
		struct ssh_request request = effect->ssh;
		request.redactor = driver->redactor;
		world->start_ssh(world->ctx, effect->token, &request);
		return;
	}
	struct ssh_answer answer = {
		.outcome = SSH_LOCAL,
		.reason = may ? STR("this podform cannot speak SSH") :
		    NO_HOLD,
	};
	struct run_event event = event_now(driver->session, RUN_SSH_ANSWER);
	event.token = effect->token;
	event.ssh = &answer;
	run_event(driver->run, &event);
}

static void
refuse_holder(struct driver *driver, uint64_t token, struct str reason)
{
	struct holder_answer answer = { .reason = reason };
	struct run_event event =
	    event_now(driver->session, RUN_HOLDER_ANSWER);
	event.token = token;
	event.holder = &answer;
	run_event(driver->run, &event);
}

static void
do_fetch(struct driver *driver, const struct run_effect *effect)
{
	const struct world *world = driver->session->config.world;

	if (world->start_fetch != NULL) {
		make_parents(driver, effect->fetch.path);
		world->start_fetch(world->ctx, effect->token, &effect->fetch);
		return;
	}
	struct run_event event =
	    event_now(driver->session, RUN_FETCH_ANSWER);
	event.token = effect->token;
	event.reason = STR("this podform cannot fetch files");
	run_event(driver->run, &event);
}

/* ---------------------------------------------------------------- github -- */

static void
send_github(struct driver *driver, const struct flight *flight)
{
	struct session *session = driver->session;
	struct http_request http = {0};
	session->config.github->encode(driver->scratch, &flight->github,
	    &http);
	http.timeout_ms = flight->timeout_ms;
	http.effect = github_op_changes(flight->github.op);
	start_http(driver, flight->token, &http);
}

static void
do_github(struct driver *driver, const struct run_effect *effect)
{
	struct session *session = driver->session;

	if (session->config.github == NULL) {
		struct github_answer answer = {
			.outcome = OUTCOME_NO_EFFECT,
			.reason = REASON_AUTH,
			.message = STR("there is no GitHub token"),
		};
		struct run_event event = event_now(session, RUN_GITHUB_ANSWER);
		event.token = effect->token;
		event.github = &answer;
		run_event(driver->run, &event);
		return;
	}
	struct flight *flight = ARENA_NEW(session->arena, struct flight);
	flight->token = effect->token;
	flight->is_github = true;
	flight->github = effect->github;
	flight->timeout_ms = 30 * SECOND_MS;
	flight->runners.arena = &flight->arena;
	*ARENA_PUSH(session->arena, &driver->flights) = flight;
	send_github(driver, flight);
}

static void
do_effect(struct driver *driver, const struct run_effect *effect)
{
	struct session *session = driver->session;
	const struct world *world = session->config.world;
	switch (effect->type) {
	case RUN_REQUEST:
		do_request(driver, effect);
		break;
	case RUN_BANNER:
		world->start_banner(world->ctx, effect->token, effect->host,
		    effect->port, effect->timeout_ms);
		break;
	case RUN_CANCEL:
		world->cancel(world->ctx, effect->token);
		forget_flight(driver, effect->token);
		break;
	case RUN_NOTE:
		if (session->config.note != NULL)
			session->config.note(session->config.note_ctx,
			    &effect->note);
		break;
	case RUN_SSH:
		do_ssh(driver, effect);
		break;
	case RUN_GITHUB:
		do_github(driver, effect);
		break;
	case RUN_HOLDER:
		if (world->start_holder == NULL)
			refuse_holder(driver, effect->token,
			    STR("this podform cannot hold tunnels"));
		else if (!session_store_may_send(session, BEGIN_MS))
			refuse_holder(driver, effect->token, NO_HOLD);
		else
			world->start_holder(world->ctx, effect->token,
			    &effect->holder);
		break;
	default:
		assert(effect->type == RUN_FETCH);
		do_fetch(driver, effect);
		break;
	}
}

static void
do_effects(struct driver *driver)
{
	VEC_OF(struct run_effect) journal = {0};
	do {
		struct run_effect effect;
		journal.n = 0;
		while (run_next_effect(driver->run, &effect)) {
			if (effect.type == RUN_JOURNAL)
				*ARENA_PUSH(driver->scratch, &journal) = effect;
			else
				do_effect(driver, &effect);
		}
		if (journal.n > 0)
			do_journal(driver, journal.items, journal.n);
	} while (journal.n > 0);
}

/* --------------------------------------------------------------- events -- */

/* The private key in a JIT configuration: base64 of a JSON object of file
 * names to base64. */
static void
hide_jit(struct driver *driver, struct str jit)
{
	struct json_reader reader = { .arena = driver->scratch,
		.where = "jit" };
	struct json_error error;
	struct json doc;
	struct str text, value, key;

	redactor_add(driver->redactor, jit);
	if (base64_decode(driver->scratch, str_trim(jit), &text) &&
	    json_parse(driver->scratch, text, (struct json_limits){0}, &doc,
		&error) &&
	    json_is(json_root(&doc), JSON_OBJECT) &&
	    json_value_str(&reader, json_get(json_root(&doc),
		".credentials_rsaparams"), &value) &&
	    base64_decode(driver->scratch, value, &key))
		redactor_add(driver->redactor, key);
}

/* What GitHub gives to a runner is a secret from now on. */
static void
hide_answer(struct driver *driver, const struct github_answer *answer)
{
	if (answer->jit.len > 0)
		hide_jit(driver, answer->jit);
	if (answer->token.len > 0)
		redactor_add(driver->redactor, answer->token);
}

/* What a pod, the cloud or GitHub says may hold secrets that we gave it. */
static struct str
without_secrets(struct driver *driver, struct str text)
{
	struct strbuf out = {0};

	if (text.len == 0)
		return text;
	redact(driver->redactor, &out, text);
	struct str clean = arena_str(driver->scratch, strbuf_str(&out));
	strbuf_release(&out);
	return clean;
}

static void
on_github(struct driver *driver, struct flight *flight,
    const struct http_answer *http)
{
	struct session *session = driver->session;
	struct run_event said = event_now(session, RUN_GITHUB_ANSWER);
	struct github_answer answer;

	if (!runner_pages_take(&flight->runners, session->config.github,
		driver->scratch, &flight->github, http, said.wall_ms,
		&answer)) {
		flight->github.cursor = flight->runners.cursor;
		send_github(driver, flight);
		return;
	}
	forget_flight(driver, flight->token);
	hide_answer(driver, &answer);
	answer.message = without_secrets(driver, answer.message);
	said.token = flight->token;
	said.github = &answer;
	run_event(driver->run, &said);
	arena_release(&flight->arena);
}

/* Of long output only the end is here: what it begins with may be the rest of
 * a secret that nobody would recognise. */
static struct str
without_torn(const struct driver *driver, const struct ssh_answer *answer)
{
	struct str output = answer->output;

	if (answer->output_bytes <= output.len)
		return output;
	return str_sub(output, redact_skip(driver->redactor, output),
	    output.len);
}

static void
on_ssh(struct driver *driver, const struct world_event *event)
{
	struct run_event said = event_now(driver->session, RUN_SSH_ANSWER);
	struct ssh_answer answer = *event->ssh;

	answer.output = without_secrets(driver, without_torn(driver,
	    &answer));
	answer.reason = without_secrets(driver, answer.reason);
	answer.line = without_secrets(driver, answer.line);
	said.token = event->token;
	said.ssh = &answer;
	run_event(driver->run, &said);
}

static void
on_http(struct driver *driver, const struct world_event *event)
{
	struct session *session = driver->session;
	struct flight *flight = NULL;
	for (size_t i = 0; i < driver->flights.n; i++)
		if (driver->flights.items[i]->token == event->token)
			flight = driver->flights.items[i];
	if (flight == NULL)
		return;
	struct cloud_answer answer;
	struct run_event said = event_now(session, RUN_ANSWER);
	if (flight->is_github) {
		on_github(driver, flight, &event->http);
		return;
	}
	if (!pages_take(&flight->pages, session->config.cloud, driver->scratch,
		&flight->request, &event->http, said.wall_ms, &answer)) {
		flight->request.cursor = flight->pages.cursor;
		send_flight(driver, flight);
		return;
	}
	forget_flight(driver, flight->token);
	answer.message = without_secrets(driver, answer.message);
	said.token = flight->token;
	said.answer = &answer;
	run_event(driver->run, &said);
	arena_release(&flight->arena);
}

static void
on_world(struct driver *driver, const struct world_event *event)
{
	struct session *session = driver->session;
	struct run_event said;
	switch (event->type) {
	case WORLD_HTTP:
		on_http(driver, event);
		return;
	case WORLD_BANNER:
		said = event_now(session, RUN_BANNER_ANSWER);
		said.token = event->token;
		said.ok = event->banner_ok;
		said.reason = event->banner_reason;
		break;
	case WORLD_SSH:
		on_ssh(driver, event);
		return;
	case WORLD_HOLDER:
		said = event_now(session, RUN_HOLDER_ANSWER);
		said.token = event->token;
		said.holder = event->holder;
		break;
	case WORLD_FETCH:
		said = event_now(session, RUN_FETCH_ANSWER);
		said.token = event->token;
		said.ok = event->fetch_ok;
		said.reason = event->fetch_reason;
		break;
	case WORLD_SIGNAL:
		session_signal(session, event->signal);
		said = event_now(session, RUN_SIGNAL);
		break;
	default:
		said = event_now(session, RUN_TIME);
		break;
	}
	run_event(driver->run, &said);
}

static void
drive(struct driver *driver)
{
	const struct world *world = driver->session->config.world;
	struct run_event first = event_now(driver->session, RUN_TIME);
	struct arena scratch = {0};
	driver->scratch = &scratch;
	run_event(driver->run, &first);
	do_effects(driver);
	while (!run_finished(driver->run)) {
		struct world_event event;
		int64_t deadline = run_deadline(driver->run);
		session_wait(driver->session, &scratch, deadline, &event);
		on_world(driver, &event);
		do_effects(driver);
		arena_release(&scratch);
	}
	/* Left in haste: what is on its way is not waited for. */
	for (size_t i = 0; i < driver->flights.n; i++) {
		struct flight *flight = driver->flights.items[i];
		world->cancel(world->ctx, flight->token);
		arena_release(&flight->arena);
	}
	driver->scratch = NULL;
	arena_release(&scratch);
}

/* ---------------------------------------------------------------- apply -- */

/* What the spec says of a thing besides what is sent: its address, which
 * replicas change, and protection. */
static void
take_words(struct session *session, const struct plan_change *change)
{
	const struct resource *want = change->want;
	if (want == NULL || change->have == NULL ||
	    (change->op != PLAN_UPDATE && change->op != PLAN_START &&
		change->op != PLAN_STOP))
		return;
	struct lock_entry *entry = lock_find_id(session->lock, change->kind,
	    change->have->id);
	bool protect = want->kind == KIND_POD ? want->pod->protect
					      : want->volume->protect;
	assert(entry != NULL);		/* nothing that ends it has run */
	if (entry->protect == protect &&
	    str_eq(entry->address, change->address))
		return;
	entry->address = change->address;
	entry->protect = protect;
}

/* What the plan only wants to have recorded differently. */
static void
take_keeps(struct session *session, const struct plan *plan)
{
	for (size_t i = 0; i < plan->keeps.n; i++) {
		const struct plan_keep *keep = &plan->keeps.items[i];
		struct lock_entry *entry = lock_find_id(session->lock,
		    keep->have->kind, keep->have->id);
		assert(entry != NULL);	/* it was only looked at */
		/* What the run did inside is newer than the plan. */
		struct lock_inside inside = entry->inside;
		*entry = *keep->entry;
		entry->inside = inside;
	}
	for (size_t i = 0; i < plan->changes.n; i++) {
		const struct plan_change *change = &plan->changes.items[i];
		take_words(session, change);
		/* What is proved to be gone leaves the record, also when
		 * something new will take its slot. */
		bool forget = change->op == PLAN_FORGET ||
		    (change->op == PLAN_CREATE && change->gone);
		if (!forget || !change->gone_proved)
			continue;	/* an action confirms it first */
		struct lock_entry *entry = lock_find_id(session->lock,
		    change->kind, change->have->id);
		assert(entry != NULL);
		lock_remove_entry(session->lock, entry);
	}
	lock_sort(session->lock);
}

static struct str
summary_words(struct arena *arena, const struct run_summary *sum)
{
	return arena_printf(arena,
	    "%zu added, %zu changed, %zu destroyed, %zu started, %zu "
	    "stopped, %zu undone",
	    sum->added, sum->changed_count, sum->destroyed, sum->started,
	    sum->stopped, sum->undone);
}

int
session_apply(struct session *session, const struct plan *plan,
    const struct run_options *options, const struct run_summary **summary)
{
	struct run_options run_options = *options;
	run_options.lineage = session->lock->lineage;
	run_options.boot_id = session->config.boot_id;
	run_options.chance = session->config.world->chance;
	run_options.resolve = session_resolve;
	run_options.resolve_ctx = session;
	*summary = NULL;
	if (session_begin_journal(session) != EXIT_OK)
		return EXIT_ERROR;
	struct driver driver = {
		.session = session,
		.run = run_new(session->arena, plan, session->lock,
		    &run_options),
		.redactor = session_redactor(session),
	};
	drive(&driver);
	redactor_free(driver.redactor);
	take_keeps(session, plan);
	session->lock_changed = true;	/* until it is committed */
	const struct run_summary *sum = run_summary(driver.run);
	*summary = sum;
	int code = sum->exit_code;
	if (code == EXIT_INTERRUPTED)
		code = session_signal_code(session);
	if (session_commit(session, session->config.operation,
		plan_digest(session->arena, plan),
		summary_words(session->arena, sum), code) != EXIT_OK) {
		/* The journal still has it; say so by the exit code. */
		*summary = run_summary_unrecorded(driver.run);
		return sum->changed ? EXIT_LEFT : EXIT_ERROR;
	}
	return code;
}
