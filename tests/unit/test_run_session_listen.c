/* test_run_session_listen.c - silent runners are given time, or are not */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "session_world.h"

#define SPEC "pods:\n  trainer: { image: x:1, gpu: A40, ports: [22/tcp] }\n" \
	"runners:\n  ci: { pod: trainer, repository: acme/m, labels: [g] }\n"
#define KEY "SHA256:kkk"
#define NOTE "note runner.ci: GitHub does not hear from it; its listener " \
	"is given up to 2m to come back\n"
#define LIST "github list runners\n"
#define LOOK "ssh p1 runner look\n"

static const char t1[] = "2026-11-21T09:00:00Z";

static struct lock_entry *
entry(struct session_world *s, const char *address)
{
	return world_entry(&s->r.w, address);
}

/* A trainer that runs, with a runner that GitHub does not hear from. */
static struct session *
begin(struct session_world *s)
{
	struct session *session = play_begin(s, SPEC);
	struct arena *arena = &s->r.w.arena;
	struct cloud_pod *pod = world_stray(&s->r.w, "p1", "pod.trainer",
	    "01010101010101010101010101010101");

	pod->ssh = (struct ssh_endpoint){ STR("1.2.3.4"), 2222, STR("root") };
	pod->started_at = str_from(t1);
	*ARENA_PUSH(arena, &s->r.w.lock.entries) = (struct lock_entry){
		.kind = KIND_POD, .address = STR("pod.trainer"),
		.id = STR("p1"), .inside = { .start = str_from(t1),
			.host_key = STR(KEY) } };
	*ARENA_PUSH(arena, &s->r.w.lock.entries) = (struct lock_entry){
		.kind = KIND_RUNNER, .address = STR("runner.ci"),
		.id = STR("71"), .runner = { .repository = STR("acme/m"),
			.name = STR("ci-1"), .pod = STR("pod.trainer"),
			.pod_id = STR("p1"), .pod_start = str_from(t1) } };
	*ARENA_PUSH(arena, &s->r.runners) = (struct github_runner){ .id = 70,
		.name = STR("other"), .online = true };
	*ARENA_PUSH(arena, &s->r.runners) = (struct github_runner){ .id = 71,
		.name = STR("ci-1") };
	lock_sort(&s->r.w.lock);
	return session;
}

static int
await(struct session_world *s)
{
	assert_int_equal(session_refresh(&s->session, false), EXIT_OK);
	play_said(s);
	return session_await_runners(&s->session);
}

/* ---------------------------------------------------------- who is silent */

static void
is_fine(struct session_world *s)
{
	/* Fine as it is, nothing is to be known. */
	(void)s;
}

static void
is_online(struct session_world *s)
{
	s->r.runners.items[1].online = true;
}

static void
is_busy(struct session_world *s)
{
	s->r.runners.items[1].busy = true;
}

static void
is_gone(struct session_world *s)
{
	s->r.runners.n = 1;
}

static void
is_tainted(struct session_world *s)
{
	entry(s, "runner.ci")->tainted = true;
}

static void
has_no_number(struct session_world *s)
{
	entry(s, "runner.ci")->id = STR("");
}

static void
is_not_wanted(struct session_world *s)
{
	world_spec(&s->r.w, "pods:\n  trainer: { image: x:1, gpu: A40 }\n");
	s->session.spec = s->r.w.spec;
}

static void
nothing_is_wanted(struct session_world *s)
{
	s->session.spec = NULL;
}

static void
pod_is_not_recorded(struct session_world *s)
{
	entry(s, "pod.trainer")->id = STR("p0");
	lock_sort(&s->r.w.lock);
}

static void
pod_is_gone(struct session_world *s)
{
	s->r.w.pods.n = 0;
}

static void
pod_is_stopped(struct session_world *s)
{
	s->r.w.pods.items[0].status = POD_EXITED;
}

static void
pod_has_no_port(struct session_world *s)
{
	s->r.w.pods.items[0].ssh.port = 0;
}

static void
pod_began_anew(struct session_world *s)
{
	s->r.w.pods.items[0].started_at = STR("2026-11-21T10:00:00Z");
}

static void
pod_has_no_pin(struct session_world *s)
{
	entry(s, "pod.trainer")->inside.host_key = STR("");
}

static void
cannot_look(struct session_world *s)
{
	s->world.start_ssh = NULL;
}

/* A runner that moves to another pod: how to log in, its old one says not. */
static void
pod_is_not_wanted(struct session_world *s)
{
	world_spec(&s->r.w, "pods:\n  b: { image: x:1, gpu: A40 }\nrunners:\n"
	    "  ci: { pod: b, repository: acme/m, labels: [g] }\n");
	s->session.spec = s->r.w.spec;
}

/* Only one that could come back is looked at: the listener is dead here, so
 * nothing is waited for. */
static void
test_session_looks_only_at_runners_that_could_come_back(void **state)
{
	static const struct {
		void (*change)(struct session_world *s);
		const char *said;
	} rows[] = {
		{ is_fine, LOOK }, { is_online, "" }, { is_busy, "" },
		{ is_gone, "" }, { is_tainted, "" }, { has_no_number, "" },
		{ is_not_wanted, "" }, { nothing_is_wanted, "" },
		{ pod_is_not_recorded, "" }, { pod_is_gone, "" },
		{ pod_is_stopped, "" }, { pod_has_no_port, "" },
		{ pod_began_anew, "" }, { pod_is_not_wanted, LOOK },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct session_world *s = *state;
		begin(s);
		rows[i].change(s);
		int64_t began = s->r.now_ms;
		assert_int_equal(await(s), EXIT_OK);
		assert_text(play_said(s), rows[i].said);
		assert_true(s->r.now_ms - began < 1000);
		play_teardown(state);
		play_setup(state);
	}
}

/* ------------------------------------------------------------ the looks -- */

static void
test_session_logs_in_as_it_is_recorded(void **state)
{
	struct session_world *s = *state;

	begin(s);
	assert_int_equal(session_refresh(&s->session, false), EXIT_OK);
	s->r.listener = true;
	play_at(s, 1, (struct world_event){ .type = WORLD_SIGNAL,
		.signal = 2 });
	assert_int_equal(session_await_runners(&s->session),
	    EXIT_INTERRUPTED);
	assert_text(play_said(s), "ask list pods\n" LIST LOOK "cancel\n");
}

/* Dead is who has neither listener nor worker, and a pod that says so. */
static void
test_session_believes_a_pod_that_a_listener_is_dead(void **state)
{
	static const struct {
		enum ssh_outcome outcome;
		int status;
		bool listener, worker, dead;
	} rows[] = {
		{ SSH_DONE, 0, false, false, true },
		{ SSH_DONE, 0, true, false, false },
		{ SSH_DONE, 0, false, true, false },
		{ SSH_DONE, 0, true, true, false },
		{ SSH_DONE, 1, false, false, false },
		{ SSH_UNREACHABLE, 0, false, false, false },
		{ SSH_WRONG_HOST_KEY, 0, false, false, false },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct session_world *s = *state;
		begin(s);
		run_ssh_lie(&s->r, SSH_RUNNER_LOOK, 0, (struct ssh_answer){
			.outcome = rows[i].outcome, .status = rows[i].status,
			.listener = rows[i].listener,
			.worker = rows[i].worker });
		int64_t began = s->r.now_ms;
		assert_int_equal(await(s), EXIT_OK);
		int64_t took = s->r.now_ms - began;
		assert_int_equal(took < 1000, rows[i].dead);
		/* Two minutes, and the last look that began within them. */
		if (!rows[i].dead)
			assert_in_range(took, 2 * MINUTE_MS,
			    2 * MINUTE_MS + 6000);
		play_teardown(state);
		play_setup(state);
	}
}

/* Nobody can tell where nobody may log in: then time has to show. */
static void
test_session_waits_where_it_cannot_look(void **state)
{
	static void (*const changes[])(struct session_world *s) = {
		pod_has_no_pin, cannot_look,
	};

	for (size_t i = 0; i < COUNTOF(changes); i++) {
		struct session_world *s = *state;
		begin(s);
		changes[i](s);
		play_signal_at(s, 5, 15);
		assert_int_equal(await(s), EXIT_TERMINATED);
		/* The first two waits were for the first picture. */
		assert_text(play_said(s), NOTE LIST NOTE);
		play_teardown(state);
		play_setup(state);
	}
}

static void
test_session_goes_on_when_the_runner_is_back(void **state)
{
	static struct github_runner back = { .id = 71,
		.name = STR_INIT("ci-1"), .online = true };
	struct session_world *s = *state;

	begin(s);
	s->r.listener = true;
	run_github_lie(&s->r, GITHUB_LIST_RUNNERS, 2, false,
	    (struct github_answer){ .outcome = OUTCOME_OK,
		.runners = &back, .nrunners = 1 });
	int64_t began = s->r.now_ms;
	assert_int_equal(await(s), EXIT_OK);
	assert_text(play_said(s), LOOK NOTE LIST NOTE LIST);
	assert_in_range(s->r.now_ms - began, 10000, 10100);
	assert_true(session_await_runners(&s->session) == EXIT_OK);
	assert_text(play_said(s), "");
}

static void
test_session_stops_waiting_when_github_refuses(void **state)
{
	struct session_world *s = *state;

	begin(s);
	s->r.listener = true;
	run_github_lie(&s->r, GITHUB_LIST_RUNNERS, 1, false,
	    (struct github_answer){ .outcome = OUTCOME_NO_EFFECT,
		.reason = REASON_AUTH, .message = STR("no") });
	assert_int_equal(await(s), EXIT_AUTH);
	assert_text(play_said(s), LOOK NOTE LIST);
}

static void
test_session_a_signal_ends_the_wait_for_a_runner(void **state)
{
	struct session_world *s = *state;

	begin(s);
	s->r.listener = true;
	s->config.note = NULL;
	s->session.config.note = NULL;
	assert_int_equal(session_refresh(&s->session, false), EXIT_OK);
	play_said(s);
	play_signal_at(s, 2, 15);
	assert_int_equal(session_await_runners(&s->session),
	    EXIT_TERMINATED);
	/* Nothing is asked after it, and people hear nothing. */
	assert_text(play_said(s), LOOK);
}

/* All pods are looked at side by side; who is dead is not waited for. */
static void
test_session_looks_at_several_at_once(void **state)
{
	struct session_world *s = *state;

	begin(s);
	struct lock_entry second = *entry(s, "runner.ci");
	world_spec(&s->r.w, SPEC
	    "  cj: { pod: trainer, repository: acme/m, labels: [g] }\n");
	s->session.spec = s->r.w.spec;
	second.address = STR("runner.cj");
	second.id = STR("72");
	*ARENA_PUSH(&s->r.w.arena, &s->r.w.lock.entries) = second;
	*ARENA_PUSH(&s->r.w.arena, &s->r.runners) = (struct github_runner){
		.id = 72, .name = STR("cj-1") };
	/* The first is dead, the second lives. */
	run_ssh_lie(&s->r, SSH_RUNNER_LOOK, 1, (struct ssh_answer){
		.outcome = SSH_DONE, .listener = true });
	assert_int_equal(session_refresh(&s->session, false), EXIT_OK);
	play_said(s);
	/* Not theirs: it is not waited for, and tells nothing. */
	struct ssh_answer stray = { .outcome = SSH_DONE };
	play_at(s, 1, (struct world_event){ .type = WORLD_SSH,
		.token = 1, .ssh = &stray });
	play_at(s, 2, (struct world_event){ .type = WORLD_SUSPENDED });
	play_signal_at(s, 5, 2);
	assert_int_equal(session_await_runners(&s->session),
	    EXIT_INTERRUPTED);
	assert_text(play_said(s), LOOK LOOK
	    "note runner.cj: GitHub does not hear from it; its listener is "
	    "given up to 2m to come back\n");
}

static void
test_session_a_signal_cancels_the_looks_that_are_out(void **state)
{
	struct session_world *s = *state;

	begin(s);
	struct lock_entry second = *entry(s, "runner.ci");
	world_spec(&s->r.w, SPEC
	    "  cj: { pod: trainer, repository: acme/m, labels: [g] }\n");
	s->session.spec = s->r.w.spec;
	second.address = STR("runner.cj");
	second.id = STR("72");
	*ARENA_PUSH(&s->r.w.arena, &s->r.w.lock.entries) = second;
	*ARENA_PUSH(&s->r.w.arena, &s->r.runners) = (struct github_runner){
		.id = 72, .name = STR("cj-1") };
	assert_int_equal(session_refresh(&s->session, false), EXIT_OK);
	play_said(s);
	play_signal_at(s, 2, 2);	/* one has answered */
	assert_int_equal(session_await_runners(&s->session),
	    EXIT_INTERRUPTED);
	assert_text(play_said(s), LOOK LOOK "cancel\n");
}

/* A scope that cannot be read says of nobody that he is offline. */
static void
test_session_waits_for_nobody_of_a_scope_that_is_not_known(void **state)
{
	struct session_world *s = *state;

	s->config.github_optional = true;
	begin(s);
	run_github_lie(&s->r, GITHUB_LIST_RUNNERS, 0, false,
	    (struct github_answer){ .outcome = OUTCOME_NO_EFFECT,
		.reason = REASON_AUTH });
	assert_int_equal(await(s), EXIT_OK);
	assert_text(play_said(s), "");
}

int
main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, play_setup, \
	play_teardown)
	const struct CMUnitTest tests[] = {
		ROW(test_session_looks_only_at_runners_that_could_come_back),
		ROW(test_session_logs_in_as_it_is_recorded),
		ROW(test_session_believes_a_pod_that_a_listener_is_dead),
		ROW(test_session_waits_where_it_cannot_look),
		ROW(test_session_goes_on_when_the_runner_is_back),
		ROW(test_session_stops_waiting_when_github_refuses),
		ROW(test_session_a_signal_ends_the_wait_for_a_runner),
		ROW(test_session_looks_at_several_at_once),
		ROW(test_session_a_signal_cancels_the_looks_that_are_out),
		ROW(test_session_waits_for_nobody_of_a_scope_that_is_not_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
