/*
 * test_run_ask_github.c - questions before a plan: which of them are asked
 * again and when, what a signal does to them, and what a refusal of GitHub
 * means for the command.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "plan_world.h"
#include "run/ask_github.h"

/* ------------------------------------------------------- a world by script */

/* What wait() gives: an answer in one word to the nth request, or else. */
struct happens {
	enum world_event_type type;
	size_t nth;
	const char *answer;
	int signal;
};

struct fixture {
	struct plan_world w;
	struct world world;
	struct session session;
	int64_t now_ms;
	uint64_t tokens[64];
	size_t sent, answered;
	const struct happens *script;
	size_t nscript;
	const char *always;	/* the answer to all; else by the script */
	int64_t retry_after_ms;
	struct strbuf log;
};

static int64_t
now(void *ctx)
{
	return ((struct fixture *)ctx)->now_ms;
}

static void
start_http(void *ctx, uint64_t token, const struct http_request *http)
{
	struct fixture *f = ctx;

	assert_true(f->sent < COUNTOF(f->tokens));
	assert_int_equal(http->timeout_ms, 30000);
	f->tokens[f->sent] = token;
	strbuf_addf(&f->log, "%zu at %lld: " STR_FMT "\n", f->sent++,
	    (long long)f->now_ms / SECOND_MS, STR_ARG(http->path));
}

static void
cancel(void *ctx, uint64_t token)
{
	struct fixture *f = ctx;

	for (size_t i = 0; i < f->sent; i++)
		if (f->tokens[i] == token) {
			strbuf_addf(&f->log, "cancel %zu\n", i);
			return;
		}
	fail_msg("what was never sent is cancelled");
}

static void
give(struct fixture *f, size_t nth, const char *answer,
    struct world_event *event)
{
	event->type = WORLD_HTTP;
	event->token = f->tokens[nth];
	event->http = (struct http_answer){ .outcome = HTTP_ANSWERED,
		.body = str_from(answer) };
}

static void
wait_by_script(void *ctx, struct arena *arena, int64_t deadline_ms,
    struct world_event *event)
{
	struct fixture *f = ctx;
	(void)arena;

	if (f->nscript > 0) {
		const struct happens *next = f->script++;
		f->nscript--;
		event->type = next->type;
		event->signal = next->signal;
		if (next->answer != NULL)
			give(f, next->nth, next->answer, event);
		if (next->type == WORLD_DEADLINE)
			f->now_ms = deadline_ms;
	} else if (f->always != NULL && f->answered < f->sent) {
		give(f, f->answered++, f->always, event);
	} else {
		assert_true(deadline_ms > f->now_ms);
		f->now_ms = deadline_ms;
		event->type = WORLD_DEADLINE;
	}
}

/* -------------------------------------------------- a provider in one word */

static void
encode(struct arena *arena, const struct github_request *request,
    struct http_request *out)
{
	out->path = arena_printf(arena, "%s of " STR_FMT "%s" STR_FMT,
	    github_op_words(request->op),
	    STR_ARG(github_scope_text(&request->scope)),
	    request->cursor.len > 0 ? " from " : "",
	    STR_ARG(request->cursor));
}

static const struct {
	const char *word;
	enum cloud_outcome outcome;
	enum cloud_reason reason;
	const char *cursor;
} words[] = {
	{ "yes", OUTCOME_OK, REASON_NONE, NULL },
	{ "p2", OUTCOME_OK, REASON_NONE, "p2" },
	{ "p3", OUTCOME_OK, REASON_NONE, "p3" },
	{ "unsent", OUTCOME_NOT_SENT, REASON_TRANSIENT, NULL },
	{ "lost", OUTCOME_UNKNOWN, REASON_TRANSIENT, NULL },
	{ "slower", OUTCOME_NO_EFFECT, REASON_RATE_LIMITED, NULL },
	{ "who", OUTCOME_NO_EFFECT, REASON_AUTH, NULL },
	{ "never", OUTCOME_NO_EFFECT, REASON_FORBIDDEN, NULL },
	{ "none", OUTCOME_NO_EFFECT, REASON_NOT_FOUND, NULL },
};

static struct fixture *fixture_of_decode;

/* One runner on each page, with the number of the page. */
static void
decode(struct arena *arena, const struct github_request *request,
    const struct http_answer *http, int64_t wall_ms,
    struct github_answer *out)
{
	assert_int_equal(wall_ms, fixture_of_decode->now_ms);
	for (size_t i = 0; i < COUNTOF(words); i++) {
		if (!str_is(http->body, words[i].word))
			continue;
		*out = (struct github_answer){ .outcome = words[i].outcome,
			.reason = words[i].reason, .message = http->body,
			.retry_after_ms = fixture_of_decode->retry_after_ms,
			.next_cursor = str_from(words[i].cursor),
			.ratelimit_left = -1, .total = -1,
		};
		if (out->outcome != OUTCOME_OK)
			return;
		out->runners = ARENA_NEW(arena, struct github_runner);
		out->runners->id = request->cursor.len == 0 ? 1 :
		    request->cursor.data[1] - '0';
		out->nrunners = 1;
		return;
	}
	fail_msg("no such answer: " STR_FMT, STR_ARG(http->body));
}

static const struct github provider = { encode, decode };

/* ------------------------------------------------------------------ life */

static int
setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof f);
	world_init(&f.w);
	f.world = (struct world){
		.clock = { &f, now, now, now }, .ctx = &f,
		.start_http = start_http, .cancel = cancel,
		.wait = wait_by_script,
	};
	struct session_config config = { .world = &f.world,
		.github = &provider, .operation = STR("apply") };
	session_open(&f.session, &f.w.arena, &config, NULL, &f.w.diags);
	f.session.lock = &f.w.lock;
	fixture_of_decode = &f;
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	strbuf_release(&f->log);
	world_release(&f->w);
	return 0;
}

static void
assert_log(struct fixture *f, const char *wanted)
{
	assert_text(f->log.len > 0 ? f->log.data : "", wanted);
	strbuf_reset(&f->log);
}

static struct ask_github
list_of(const char *repository)
{
	return (struct ask_github){ .request = { .op = GITHUB_LIST_RUNNERS,
		.scope.repository = str_from(repository) } };
}

/* --------------------------------------------------------------- asking -- */

static const struct {
	const char *answer;
	size_t times;			/* where GitHub is needed */
	enum cloud_outcome outcome;
} rows[] = {
	{ "yes", 1, OUTCOME_OK },
	{ "unsent", 4, OUTCOME_NOT_SENT },
	{ "lost", 4, OUTCOME_UNKNOWN },
	{ "slower", 4, OUTCOME_NO_EFFECT },
	{ "who", 1, OUTCOME_NO_EFFECT },
	{ "never", 1, OUTCOME_NO_EFFECT },
	{ "none", 1, OUTCOME_NO_EFFECT },
};

static void
test_run_ask_github_asks_again_what_may_have_failed_by_chance(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 2 * COUNTOF(rows); i++) {
		bool optional = i % 2 == 1;
		struct github_request request = list_of("a/b").request;
		struct github_answer answer;
		teardown(state);
		setup(state);
		f->session.config.github_optional = optional;
		f->always = rows[i / 2].answer;
		session_ask_github(&f->session, &request, &answer);
		if (f->sent != (optional ? 1 : rows[i / 2].times))
			fail_msg("%s: asked %zu times", f->always, f->sent);
		assert_int_equal(answer.outcome, rows[i / 2].outcome);
		assert_true(str_is(answer.message, f->always));
	}
}

static void
test_run_ask_github_waits_longer_each_time(void **state)
{
	struct fixture *f = *state;
	struct github_request request = list_of("a/b").request;
	struct github_answer answer;

	f->always = "lost";
	session_ask_github(&f->session, &request, &answer);
	assert_log(f,
	    "0 at 0: list runners of a/b\n"
	    "1 at 2: list runners of a/b\n"
	    "2 at 6: list runners of a/b\n"
	    "3 at 14: list runners of a/b\n");
	/* Where GitHub says how long, and that is longer, it is believed. */
	f->now_ms = 0;
	f->sent = f->answered = 0;
	f->retry_after_ms = 5 * SECOND_MS;
	session_ask_github(&f->session, &request, &answer);
	assert_log(f,
	    "0 at 0: list runners of a/b\n"
	    "1 at 5: list runners of a/b\n"
	    "2 at 10: list runners of a/b\n"
	    "3 at 18: list runners of a/b\n");
}

/* A listing is all of its pages, or none: after a failure from the start. */
static void
test_run_ask_github_begins_a_listing_anew(void **state)
{
	static const struct happens script[] = {
		{ WORLD_HTTP, 0, "p2", 0 }, { WORLD_HTTP, 1, "lost", 0 },
		{ WORLD_DEADLINE, 0, NULL, 0 },
		{ WORLD_HTTP, 2, "p2", 0 }, { WORLD_HTTP, 3, "p3", 0 },
		{ WORLD_HTTP, 4, "yes", 0 },
	};
	struct fixture *f = *state;
	struct github_request request = list_of("a/b").request;
	struct github_answer answer;

	f->script = script;
	f->nscript = COUNTOF(script);
	session_ask_github(&f->session, &request, &answer);
	assert_log(f,
	    "0 at 0: list runners of a/b\n"
	    "1 at 0: list runners of a/b from p2\n"
	    "2 at 2: list runners of a/b\n"
	    "3 at 2: list runners of a/b from p2\n"
	    "4 at 2: list runners of a/b from p3\n");
	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_int_equal(answer.nrunners, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(answer.runners[i].id, i + 1);
}

/* Answers come in any order, and some events are about nothing of ours. */
static void
test_run_ask_github_asks_side_by_side(void **state)
{
	static const struct happens script[] = {
		{ WORLD_BANNER, 0, NULL, 0 },
		{ WORLD_HTTP, 2, "yes", 0 },
		{ WORLD_HTTP, 2, "who", 0 },	/* the same, once more */
		{ WORLD_HTTP, 63, "who", 0 },	/* of somebody else */
		{ WORLD_HTTP, 0, "lost", 0 },
		{ WORLD_HTTP, 0, NULL, 0 },	/* of nobody: token 0 */
		{ WORLD_HTTP, 1, "lost", 0 },
		{ WORLD_DEADLINE, 0, NULL, 0 },
		{ WORLD_HTTP, 3, "lost", 0 },	/* that of a/0 waits longer */
		{ WORLD_HTTP, 4, "yes", 0 },
		{ WORLD_DEADLINE, 0, NULL, 0 },
		{ WORLD_HTTP, 5, "never", 0 },
	};
	struct fixture *f = *state;
	struct ask_github asks[] = { list_of("a/0"), list_of("a/1"),
		list_of("a/2"), list_of("a/not asked") };

	f->script = script;
	f->nscript = COUNTOF(script);
	f->tokens[63] = asks[3].question.token = 424242;
	ask_github_all(&f->session, asks, 3);
	assert_int_equal(asks[3].answer.reason, REASON_NONE);
	assert_int_equal(asks[3].question.token, 424242);
	assert_log(f,
	    "0 at 0: list runners of a/0\n"
	    "1 at 0: list runners of a/1\n"
	    "2 at 0: list runners of a/2\n"
	    "3 at 2: list runners of a/0\n"
	    "4 at 2: list runners of a/1\n"
	    "5 at 6: list runners of a/0\n");
	assert_int_equal(f->nscript, 0);
	assert_int_equal(asks[0].answer.reason, REASON_FORBIDDEN);
	assert_int_equal(asks[1].answer.outcome, OUTCOME_OK);
	assert_int_equal(asks[2].answer.outcome, OUTCOME_OK);
}

/* Of two that wait, the one that may be sent first wakes it up. */
static void
test_run_ask_github_wakes_for_the_first(void **state)
{
	struct fixture *f = *state;
	struct ask_github asks[] = { list_of("a/0"), list_of("a/1"),
		list_of("a/2") };

	asks[0].question.not_before_ms = 9000;
	asks[1].question.not_before_ms = 4000;
	asks[2].question.not_before_ms = 7000;
	f->always = "yes";
	ask_github_all(&f->session, asks, COUNTOF(asks));
	assert_log(f,
	    "0 at 4: list runners of a/1\n"
	    "1 at 7: list runners of a/2\n"
	    "2 at 9: list runners of a/0\n");
}

/* What is on its way is not waited for, what waits is not sent, and what has
 * been answered stays so. */
static void
test_run_ask_github_stops_at_a_signal(void **state)
{
	static const struct happens script[] = {
		{ WORLD_HTTP, 0, "yes", 0 },
		{ WORLD_HTTP, 1, "lost", 0 },
		{ WORLD_SIGNAL, 0, NULL, 15 },
	};
	struct fixture *f = *state;
	struct ask_github asks[] = { list_of("a/0"), list_of("a/1"),
		list_of("a/2") };

	f->script = script;
	f->nscript = COUNTOF(script);
	ask_github_all(&f->session, asks, COUNTOF(asks));
	assert_log(f,
	    "0 at 0: list runners of a/0\n"
	    "1 at 0: list runners of a/1\n"
	    "2 at 0: list runners of a/2\n"
	    "cancel 2\n");
	assert_int_equal(f->session.interrupted, 1);
	assert_int_equal(f->session.signal, 15);
	assert_int_equal(asks[0].answer.outcome, OUTCOME_OK);
	for (size_t i = 1; i < COUNTOF(asks); i++) {
		assert_int_equal(asks[i].answer.outcome, OUTCOME_UNKNOWN);
		assert_int_equal(asks[i].answer.reason, REASON_TRANSIENT);
		assert_true(str_is(asks[i].answer.message, "interrupted"));
	}
}

/* ------------------------------------------------------------ refusals -- */

static const char spec_text[] =
    "volumes: { d: { size: 10GB, data_center: EU-RO-1 } }\n"
    "pods: { a: { image: x:1, gpu: A40, ports: [22/tcp] } }\n"
    "runners:\n"
    "  one: { pod: a, repository: acme/other }\n"
    "  two: { pod: a, repository: acme/model }\n";

enum kept_in { NO_RECORD, IN_ENTRY, IN_OPEN_OP, OF_ANOTHER, NRECORDS };

static void
put_record(struct fixture *f, enum kept_in kept)
{
	struct lock_entry pod = { .kind = KIND_POD, .address = STR("pod.a"),
		.id = STR("p1") };
	struct lock_entry entry = { .kind = KIND_RUNNER,
		.address = STR("runner.old"), .id = STR("7"),
		.runner.repository = kept == OF_ANOTHER ? STR("acme/x")
							  : STR("acme/model"),
	};
	struct lock_op op = { .action = OP_CREATE, .address = entry.address,
		.entry = entry };

	f->w.lock.entries.n = f->w.lock.pending.n = 0;
	if (kept == IN_ENTRY || kept == OF_ANOTHER)
		*ARENA_PUSH(&f->w.arena, &f->w.lock.entries) = entry;
	*ARENA_PUSH(&f->w.arena, &f->w.lock.entries) = pod;
	if (kept == IN_OPEN_OP || kept == OF_ANOTHER)
		*ARENA_PUSH(&f->w.arena, &f->w.lock.pending) = op;
	*ARENA_PUSH(&f->w.arena, &f->w.lock.pending) = (struct lock_op){
		.address = STR("pod.b"), .entry = pod };
}

static const char *
refused_with(struct fixture *f, enum cloud_reason reason, int *code)
{
	struct ask_github ask = list_of("acme/model");

	ask.answer = (struct github_answer){ .outcome = OUTCOME_NO_EFFECT,
		.reason = reason, .message = STR("Not today") };
	f->w.diags.list.n = f->w.diags.errors = f->w.diags.warnings = 0;
	f->w.diags.last = NULL;
	strbuf_reset(&f->w.text);
	*code = ask_github_refused(&f->session, &ask);
	diags_print(&f->w.text, &f->w.diags, (struct diag_style){0});
	return f->w.text.len > 0 ? f->w.text.data : "";
}

/* What a user is told, in a letter; h: and how to end pods without GitHub. */
static char
told(struct fixture *f, enum cloud_reason reason)
{
	int code;
	const char *said = refused_with(f, reason, &code);
	bool doctor = strstr(said, "hint: podform doctor says") != NULL;
	bool rights = strstr(said, "hint: the token must be allowed") != NULL;
	bool other = strstr(said, "hint: it is called otherwise") != NULL;
	bool how = strstr(said, "hint: to end pods without GitHub: podform "
	    "forget runner.old;") != NULL;
	char letter = code == EXIT_OK && said[0] == '\0' ? '-' :
	    code == EXIT_OK && f->w.diags.warnings == 1 &&
	    !doctor && !rights && !other && !how ? 'w' :
	    code == EXIT_AUTH && doctor && !rights && !other ? 'd' :
	    code == EXIT_AUTH && !doctor && rights && other ? 'o' :
	    code == EXIT_AUTH && !doctor && rights ? 'r' :
	    code == EXIT_ERROR && !doctor && !rights && !other ? 'e' : '?';

	if (f->w.diags.errors + f->w.diags.warnings != (letter != '-'))
		return '!';
	return how ? (char)(letter - 'a' + 'A') : letter;
}

static void
test_run_ask_github_says_what_a_refusal_means(void **state)
{
	/* By enum cloud_reason: ... AUTH, FORBIDDEN, BALANCE, NOT_FOUND ...;
	 * a capital: with the way to do without GitHub. */
	static const struct {
		const char *operation;
		bool optional;
		const char *wanted[NRECORDS];
	} table[] = {
		{ "apply", false, { "eeedreoeeeeee", "eeedreoeeeeee",
			"eeedreoeeeeee", "eeedreoeeeeee" } },
		{ "apply", true, { "-------------", "-------------",
			"-------------", "-------------" } },
		{ "destroy", false, { "wwwwwwwwwwwww", "EEEDREOEEEEEE",
			"EEEDREOEEEEEE", "wwwwwwwwwwwww" } },
		{ "destroy", true, { "-------------", "-------------",
			"-------------", "-------------" } },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNTOF(table); i++)
	for (enum kept_in kept = 0; kept < NRECORDS; kept++) {
		char found[REASON_BUSY + 2] = "";
		put_record(f, kept);
		f->session.config.operation = str_from(table[i].operation);
		f->session.config.github_optional = table[i].optional;
		for (int reason = 0; reason <= REASON_BUSY; reason++)
			found[reason] = told(f, (enum cloud_reason)reason);
		if (strcmp(found, table[i].wanted[kept]) != 0)
			fail_msg("%s, %d: %s", table[i].operation,
			    (int)kept, found);
	}
}

/* A signal is not GitHub's fault: it is said once, elsewhere. */
static void
test_run_ask_github_blames_nobody_for_a_signal(void **state)
{
	struct fixture *f = *state;
	int code;

	session_signal(&f->session, 2);
	assert_string_equal(refused_with(f, REASON_AUTH, &code), "");
	assert_int_equal(code, EXIT_INTERRUPTED);
	session_signal(&f->session, 15);
	assert_string_equal(refused_with(f, REASON_AUTH, &code), "");
	assert_int_equal(code, EXIT_TERMINATED);
}

/* The place is that of the first runner there, if the spec has one. */
static void
test_run_ask_github_points_at_its_runner(void **state)
{
	struct fixture *f = *state;
	int code;

	world_spec(&f->w, spec_text);
	f->session.spec = f->w.spec;
	assert_text(refused_with(f, REASON_TRANSIENT, &code),
	    "pods.yaml:6:3: error: GitHub, acme/model: cannot list runners: "
	    "Not today [PF0511]\n"
	    "    6 |   two: { pod: a, repository: acme/model }\n"
	    "      |   ^~~\n");
	world_spec(&f->w, "pods: { a: { image: x:1, gpu: A40 } }\n");
	f->session.spec = f->w.spec;
	assert_text(refused_with(f, REASON_TRANSIENT, &code),
	    "error: GitHub, acme/model: cannot list runners: Not today "
	    "[PF0511]\n");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_run_ask_github_asks_again_what_may_have_failed_by_chance),
		TEST(test_run_ask_github_waits_longer_each_time),
		TEST(test_run_ask_github_begins_a_listing_anew),
		TEST(test_run_ask_github_asks_side_by_side),
		TEST(test_run_ask_github_wakes_for_the_first),
		TEST(test_run_ask_github_stops_at_a_signal),
		TEST(test_run_ask_github_says_what_a_refusal_means),
		TEST(test_run_ask_github_blames_nobody_for_a_signal),
		TEST(test_run_ask_github_points_at_its_runner),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
