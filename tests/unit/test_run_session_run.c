/* test_run_session_run.c - the engine, driven over a session's world */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/units.h"
#include "lock_fixture.h"
#include "session_world.h"

#define SECRET "hunter2-hunter2"
#define TRAINER "pods:\n  trainer: { image: x:1, gpu: A40 }\n"
#define REACHED(more) "pods:\n  trainer: { image: x:1, gpu: A40, " \
	"ports: [22/tcp]" more " }\n"
#define SETUP ", setup: [{ run: make }]"
#define RUNNER "runners:\n  ci: { pod: trainer, repository: acme/m, " \
	"labels: [gpu] }\n"
#define ONCE "runners:\n  ci: { pod: trainer, repository: acme/m, " \
	"labels: [gpu], ephemeral: true }\n"
#define TUNNEL "tunnels:\n  web: { pod: trainer, local: 8188, " \
	"remote: 8188 }\n"

/* A spec, planned by who holds the mutex. */
static const struct plan *
planned(struct session_world *s, const char *yaml)
{
	static struct runner_package package = { STR_INIT("2.336.0"),
		STR_INIT("https://x/p.tar.gz"), STR_INIT("p.tar.gz"),
		STR_INIT(""), STR_INIT("") };

	run_github_lie(&s->r, GITHUB_DOWNLOADS, 0, false,
	    (struct github_answer){ .outcome = OUTCOME_OK,
		.packages = &package, .npackages = 1 });
	play_begin_writing(s, yaml);
	const struct plan *plan = play_plan(s);
	play_said(s);
	return plan;
}

static int
apply(struct session_world *s, const struct plan *plan,
    const struct run_summary **summary)
{
	struct run_options options = { .cache_dir = STR("cache/runners") };

	return session_apply(&s->session, plan, &options, summary);
}

/* It fails, and that is why. */
static const struct run_failed *
fails(struct session_world *s, const struct plan *plan, const char *why)
{
	const struct run_summary *summary;
	int code = apply(s, plan, &summary);

	assert_int_not_equal(code, EXIT_OK);
	assert_int_equal(code, summary->exit_code);
	assert_true(summary->failures.n > 0);
	const struct run_failed *failed = &summary->failures.items[0];
	if (str_search(failed->reason, str_from(why)) < 0)
		fail_msg("no '%s' in: " STR_FMT, why,
		    STR_ARG(failed->reason));
	return failed;
}

/* --------------------------------------------------------------- success -- */

static void
test_session_apply_makes_a_pod_and_records_it(void **state)
{
	struct session_world *s = *state;
	const struct run_summary *summary;
	const struct plan *plan = planned(s, TRAINER);
	struct str digest = plan_digest(&s->r.w.arena, plan);

	assert_int_equal(apply(s, plan, &summary), EXIT_OK);
	assert_int_equal(summary->added, 1);
	assert_text(play_said(s), "sent create pod\nask create pod\n"
	    "ask list pods\nprobe 1.2.3.4:2222\n");
	assert_false(s->session.lock_changed);
	assert_int_equal(s->session.journal.size, 0);
	/* Whoever reads it next finds it whole. */
	session_close(&s->session);
	play_begin(s, NULL)->lock = NULL;
	assert_int_equal(session_load(&s->session), EXIT_OK);
	struct lock *lock = s->session.lock;
	assert_int_equal(lock->entries.n, 1);
	assert_true(str_is(lock->entries.items[0].id, "new1"));
	assert_int_equal(lock->pending.n, 0);
	const struct history_entry *last =
	    &lock->history.items[lock->history.n - 1];
	assert_true(str_is(last->summary, "1 added, 0 changed, 0 destroyed, "
	    "0 started, 0 stopped, 0 undone"));
	assert_true(str_is(last->command, "apply"));
	assert_true(str_eq(last->plan_id, digest));
	play_reports(s, NULL);
}

/* Nobody looks on: it is the same. */
static void
test_session_apply_needs_nobody_who_listens(void **state)
{
	struct session_world *s = *state;
	const struct run_summary *summary;
	const struct plan *plan = planned(s, TRAINER);

	s->session.config.note = NULL;
	s->session.config.sent = NULL;
	assert_int_equal(apply(s, plan, &summary), EXIT_OK);
	assert_null(strstr(play_said(s), "sent"));
}

static void
test_session_apply_reads_all_pages(void **state)
{
	struct session_world *s = *state;
	const struct run_summary *summary;
	const struct plan *plan = planned(s, REACHED("") ONCE);
	struct cloud_answer first = { .outcome = OUTCOME_OK,
		.next_cursor = STR("2"), .ratelimit_left = -1 };
	struct github_answer page = { .outcome = OUTCOME_OK,
		.next_cursor = STR("two"), .total = -1 };

	run_lie(&s->r, CLOUD_LIST_PODS, 0, false, first);
	run_github_lie(&s->r, GITHUB_LIST_RUNNERS, 0, false, page);
	assert_int_equal(apply(s, plan, &summary), EXIT_OK);
	const char *said = play_said(s);
	assert_non_null(strstr(said,
	    "ask list pods\nask list pods at 2\n"));
	assert_non_null(strstr(said,
	    "github list runners\ngithub list runners at two\n"));
	assert_int_equal(summary->added, 2);
}

static void
test_session_apply_fills_secrets_in(void **state)
{
	struct session_world *s = *state;
	const struct run_summary *summary;
	const struct plan *plan;

	s->environment = SECRET;
	play_begin_writing(s, "secrets: { K: { env: K } }\npods:\n  trainer: "
	    "{ image: x:1, gpu: A40, env: { A: \"${secret.K}\" } }\n");
	assert_int_equal(session_read_secrets(&s->session, true), EXIT_OK);
	plan = play_plan(s);
	assert_int_equal(apply(s, plan, &summary), EXIT_OK);
	const struct pod_config *made = &s->r.w.pods.items[0].config;
	assert_int_equal(made->nenv, 1);
	assert_true(str_is(made->env[0].value, SECRET));
	/* Never on disk. */
	assert_true(str_search(fake_fs_text(s->r.w.fake, "podform.lock"),
	    STR(SECRET)) < 0);
}

/* ------------------------------------------------- ways that are not there */

static void
test_session_apply_without_ssh_says_so(void **state)
{
	struct session_world *s = *state;
	const struct plan *plan = planned(s, REACHED(SETUP));

	s->world.start_ssh = NULL;
	fails(s, plan, "this podform cannot speak SSH");
	assert_null(strstr(play_said(s), "ssh "));
}

static void
test_session_apply_without_a_holder_says_so(void **state)
{
	struct session_world *s = *state;
	const struct plan *plan = planned(s, REACHED("") TUNNEL);

	s->world.start_holder = NULL;
	fails(s, plan, "this podform cannot hold tunnels");
}

static void
test_session_apply_without_a_token_says_so(void **state)
{
	struct session_world *s = *state;
	const struct plan *plan = planned(s, REACHED("") ONCE);

	s->session.config.github = NULL;
	const struct run_failed *failed = fails(s, plan,
	    "there is no GitHub token");
	assert_int_equal(failed->failure, FAIL_AUTH);
}

/* A pod that cannot fetch the package is given it. */
static void
test_session_apply_fetches_a_package_for_the_pod(void **state)
{
	static const struct {
		bool has_fetch;
		const char *fails, *why;
	} rows[] = {
		{ true, NULL, NULL },
		{ true, "404", "neither the pod nor this machine can fetch "
		    "the runner package: 404" },
		{ false, NULL, "neither the pod nor this machine can fetch "
		    "the runner package: this podform cannot fetch files" },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct session_world *s = *state;
		const struct run_summary *summary;
		const struct plan *plan = planned(s, REACHED("") ONCE);
		struct fs_info info;
		run_ssh_lie(&s->r, SSH_RUNNER_INSTALL, 0,
		    ssh_exits(SSH_STATUS_CANNOT_FETCH, ""));
		s->fetch_fails = rows[i].fails;
		if (!rows[i].has_fetch)
			s->world.start_fetch = NULL;
		if (rows[i].why != NULL)
			fails(s, plan, rows[i].why);
		else
			assert_int_equal(apply(s, plan, &summary), EXIT_OK);
		assert_int_equal(strstr(play_said(s),
		    "fetch cache/runners/p.tar.gz\n") != NULL,
		    rows[i].has_fetch);
		/* Its directory is there before anything comes. */
		assert_int_equal(s->world.fs.stat(s->world.fs.ctx,
		    "cache/runners", false, &info) == 0, rows[i].has_fetch);
		play_teardown(state);
		play_setup(state);
	}
}

/* --------------------------------------------------------------- secrets -- */

/* The user's own. */
static void
know_secret(struct session_world *s)
{
	s->session.secrets = ARENA_NEW(&s->r.w.arena, struct secret_value);
	s->session.secrets[0] = (struct secret_value){ .name = STR("K"),
		.value = secret_new(STR(SECRET)), .known = true };
	s->session.nsecrets = 1;
}

/* What is shown of the output of a task that fails. */
static void
output_shows(void **state, const char *spec, enum ssh_task task,
    const char *jit, const char *output, uint64_t output_bytes,
    const char *shown)
{
	struct session_world *s = *state;
	const struct plan *plan = planned(s, spec);
	struct ssh_answer answer = ssh_exits(1, output);

	s->r.jit = jit;
	answer.output_bytes = output_bytes;
	run_ssh_lie(&s->r, task, 0, answer);
	know_secret(s);
	const struct run_failed *failed = fails(s, plan, "");
	if (!str_is(failed->output, shown))
		fail_msg("found: '" STR_FMT "'\nwanted: '%s'",
		    STR_ARG(failed->output), shown);
	play_teardown(state);
	play_setup(state);
}

static void
test_session_apply_shows_no_secret_that_a_pod_prints(void **state)
{
	static const char *const spec = REACHED(SETUP);

	output_shows(state, spec, SSH_RUN, NULL, "it is " SECRET, 0,
	    "it is (secret)");
	output_shows(state, spec, SSH_RUN, NULL, "2-hunter2 and more", 18,
	    "2-hunter2 and more");
}

/* Of what lost its beginning, what may be the rest of a secret is cut. */
static void
test_session_apply_shows_no_rest_of_a_secret(void **state)
{
	struct session_world *s = *state;
	const struct plan *plan = planned(s, REACHED(SETUP));
	char output[2000] = "2-hunter2 ";
	struct ssh_answer answer;

	for (size_t i = strlen(output); i < sizeof output - 1; i++)
		output[i] = '.';
	answer = ssh_exits(1, output);
	answer.output_bytes = answer.output.len + 1;
	run_ssh_lie(&s->r, SSH_RUN, 0, answer);
	know_secret(s);
	struct str shown = fails(s, plan, "")->output;
	assert_true(str_search(shown, STR("hunter2")) < 0);
	assert_true(str_ends(shown, STR("....")));
}

#define PARAMS "{\".credentials_rsaparams\":"
#define SAID "it read KEYKEYKEYKEY and "

/* What GitHub gives to a runner is a secret: its configuration, and the key
 * that is in there. */
static void
test_session_apply_shows_no_secret_of_a_runner(void **state)
{
	static const struct { const char *jit, *shown; } rows[] = {
		{ PARAMS "\"S0VZS0VZS0VZS0VZ\"}", "it read (secret) and " },
		{ PARAMS "\"no base64\"}", SAID },
		{ PARAMS "17}", SAID },
		{ "{\"a\":1}", SAID }, { "[17, 18]", SAID }, { "KEYKEYKEYKEY", SAID },
	};
	struct arena arena = {0};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct strbuf out = {0};
		base64_encode(&out, str_from(rows[i].jit), BASE64_PADDED);
		struct str jit = arena_str(&arena, strbuf_str(&out));
		strbuf_release(&out);
		output_shows(state, REACHED("") ONCE, SSH_RUNNER_START,
		    jit.data, arena_printf(&arena, SAID STR_FMT,
			STR_ARG(jit)).data, 0,
		    arena_printf(&arena, "%s(secret)", rows[i].shown).data);
	}
	output_shows(state, REACHED("") ONCE, SSH_RUNNER_START,
	    "not-base64!", SAID "not-base64!", 0, SAID "(secret)");
	/* So is the token of one that registers itself. */
	output_shows(state, REACHED("") "runners:\n  ci: { pod: trainer, "
	    "repository: acme/m, labels: [gpu], ephemeral: false }\n",
	    SSH_RUNNER_START, NULL, "it read AABBCCDD", 0,
	    "it read (secret)");
	arena_release(&arena);
}

static void
test_session_apply_hides_secrets_in_reasons(void **state)
{
	struct session_world *s = *state;
	const struct plan *plan = planned(s, TRAINER);

	know_secret(s);
	run_lie(&s->r, CLOUD_CREATE_POD, 0, false,
	    says(400, REASON_BAD_REQUEST, "env " SECRET " is odd"));
	fails(s, plan, "env (secret) is odd");
}

/* --------------------------------------------------------------- signals -- */

static void
test_session_apply_leaves_by_the_signal_that_came(void **state)
{
	static const struct { int signal, code; } rows[] = {
		{ 2, EXIT_INTERRUPTED }, { 15, EXIT_TERMINATED },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct session_world *s = *state;
		const struct run_summary *summary;
		const struct plan *plan = planned(s, TRAINER);
		play_signal_at(s, 1, rows[i].signal);
		assert_int_equal(apply(s, plan, &summary), rows[i].code);
		assert_int_equal(summary->exit_code, EXIT_INTERRUPTED);
		assert_int_equal(s->session.lock->history.items[0].exit_code,
		    rows[i].code);
		play_teardown(state);
		play_setup(state);
	}
}

/* The second signal: what is on its way is not waited for. */
static void
test_session_apply_is_left_in_haste(void **state)
{
	struct session_world *s = *state;
	const struct run_summary *summary;
	const struct plan *plan = planned(s, TRAINER);

	play_signal_at(s, 1, 2);
	play_signal_at(s, 2, 2);
	assert_int_equal(apply(s, plan, &summary), EXIT_LEFT);
	assert_text(play_said(s), "sent create pod\nask create pod\n"
	    "cancel\n");
	assert_int_equal(summary->left.n, 1);
	assert_int_equal(s->session.lock->pending.n, 1);
}

/* An answer that nobody waits for any more, and the time. */
static void
test_session_apply_bears_what_it_did_not_ask_for(void **state)
{
	struct session_world *s = *state;
	const struct run_summary *summary;
	const struct plan *plan = planned(s, TRAINER);

	play_at(s, 1, (struct world_event){ .type = WORLD_HTTP,
		.token = 99 });
	play_at(s, 2, (struct world_event){ .type = WORLD_SUSPENDED });
	play_at(s, 3, (struct world_event){ .type = WORLD_FETCH,
		.token = 99 });
	assert_int_equal(apply(s, plan, &summary), EXIT_OK);
}

/* ------------------------------------------------------------------ disk -- */

static void
test_session_apply_begins_nothing_that_it_cannot_journal(void **state)
{
	struct session_world *s = *state;
	const struct run_summary *summary = NULL;
	const struct plan *plan = planned(s, TRAINER);

	s->r.w.fake->calls = 0;
	s->r.w.fake->faults = (struct fake_faults){ .only = "sync_data",
		.at = 1, .onward = true };
	assert_int_equal(apply(s, plan, &summary), EXIT_ERROR);
	assert_null(summary);
	assert_text(play_said(s), "");
	play_reports(s, ".podform/journal");
	s->r.w.fake->faults = (struct fake_faults){0};
}

/* An intent that is not on disk is not pending, and nothing is sent. */
static void
test_session_apply_sends_nothing_that_it_cannot_journal(void **state)
{
	struct session_world *s = *state;
	const struct plan *plan = planned(s, TRAINER);

	s->r.w.fake->calls = 0;
	s->r.w.fake->faults = (struct fake_faults){ .only = "sync_data",
		.at = 2, .onward = true };
	fails(s, plan, "the journal cannot be written, so nothing was sent");
	assert_text(play_said(s), "");
	assert_int_equal(s->session.lock->pending.n, 0);
	s->r.w.fake->faults = (struct fake_faults){0};
}

/* A result that the disk refused holds in memory, for the commit. */
static void
test_session_apply_keeps_a_result_that_the_disk_refused(void **state)
{
	struct session_world *s = *state;
	const struct run_summary *summary;
	const struct plan *plan = planned(s, TRAINER);

	s->r.w.fake->calls = 0;
	s->r.w.fake->faults = (struct fake_faults){ .only = "sync_data",
		.at = 3, .onward = true };
	assert_int_not_equal(apply(s, plan, &summary), EXIT_OK);
	assert_int_equal(s->session.lock->entries.n, 1);
	assert_int_equal(s->session.lock->pending.n, 0);
	s->r.w.fake->faults = (struct fake_faults){0};
}

/* The lock file cannot be written: the journal alone knows what was made. */
static void
test_session_apply_names_what_no_lock_file_knows(void **state)
{
	static const struct { const char *spec; int code; } rows[] = {
		{ TRAINER, EXIT_LEFT }, { "pods: {}\n", EXIT_ERROR },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct session_world *s = *state;
		const struct run_summary *summary;
		play_begin_writing(s, rows[i].spec);
		s->session.lock_changed = true;
		const struct plan *plan = play_plan(s);
		s->r.w.fake->calls = 0;
		s->r.w.fake->faults = (struct fake_faults){
			.only = "rename", .at = 1, .onward = true };
		assert_int_equal(apply(s, plan, &summary), rows[i].code);
		assert_int_equal(summary->left.n,
		    rows[i].code == EXIT_LEFT);
		if (summary->left.n > 0)
			assert_true(str_is(summary->left.items[0].why, "made "
			    "as planned; known to the journal alone so far"));
		play_reports(s, "podform.lock");
		s->r.w.fake->faults = (struct fake_faults){0};
		play_teardown(state);
		play_setup(state);
	}
}

/* ------------------------------------------------------- records alone --- */

/* Applied, then planned with another spec over the same disk. */
static const struct plan *
replanned(struct session_world *s, const char *before, const char *after)
{
	const struct run_summary *summary;

	assert_int_equal(apply(s, planned(s, before), &summary), EXIT_OK);
	session_close(&s->session);
	struct cloud_pod *now = &s->r.w.pods.items[0];
	now->config.tier = TIER_SECURE;
	now->config.data_center = STR("EU-RO-1");
	return planned(s, after);
}

static void
test_session_apply_records_protection_with_and_without_a_change(void **state)
{
	static const char *const specs[] = {
		"pods:\n  trainer: { image: x:1, gpu: A40, protect: true }\n",
		"pods:\n  trainer: { image: x:2, gpu: A40, protect: true }\n",
	};

	for (size_t i = 0; i < COUNTOF(specs); i++) {
		struct session_world *s = *state;
		const struct run_summary *summary;
		const struct plan *plan = replanned(s, TRAINER, specs[i]);
		assert_int_equal(plan->keeps.n, i == 0);
		assert_int_equal(plan->changes.n, i == 1);
		assert_int_equal(apply(s, plan, &summary), EXIT_OK);
		struct lock_entry *entry = lock_find(s->session.lock,
		    STR("pod.trainer"));
		assert_true(entry->protect);
		assert_int_equal(lock_find(s->session.lock,
		    STR("pod.trainer"))->pod.image.data[2], i == 0 ? '1' :
		    '2');
		play_teardown(state);
		play_setup(state);
	}
}

/* A record that is still to be written is so also when that fails. */
static void
test_session_apply_knows_what_it_could_not_write(void **state)
{
	static const char *const specs[] = { "pods: {}\n",
		"pods:\n  trainer: { image: x:1, gpu: A40, protect: true }\n",
	};

	for (size_t i = 0; i < COUNTOF(specs); i++) {
		struct session_world *s = *state;
		const struct run_summary *summary;
		assert_int_equal(apply(s, planned(s, TRAINER), &summary),
		    EXIT_OK);
		session_close(&s->session);
		/* Nothing is sent: it is kept, or proved to be gone. */
		if (i == 0)
			s->r.w.pods.items[0].status = POD_TERMINATED;
		const struct plan *plan = planned(s, specs[i]);
		assert_int_equal(plan->actions.n, 0);
		s->session.lock_changed = false;
		s->r.w.fake->calls = 0;
		s->r.w.fake->faults = (struct fake_faults){
			.only = "rename", .at = 1, .onward = true };
		assert_int_equal(apply(s, plan, &summary), EXIT_ERROR);
		assert_true(s->session.lock_changed);
		s->r.w.fake->faults = (struct fake_faults){0};
		play_teardown(state);
		play_setup(state);
	}
}

static void
test_session_apply_records_the_protection_of_a_volume(void **state)
{
	struct session_world *s = *state;
	const struct run_summary *summary;

	assert_int_equal(apply(s, planned(s, "volumes:\n  d: { size: 10GB, "
	    "data_center: EU-RO-1 }\n"), &summary), EXIT_OK);
	session_close(&s->session);
	const struct plan *plan = planned(s, "volumes:\n  d: { size: 20GB, "
	    "data_center: EU-RO-1, protect: true }\n");
	assert_int_equal(plan->changes.n, 1);
	assert_int_equal(apply(s, plan, &summary), EXIT_OK);
	const struct lock_entry *entry = lock_find(s->session.lock,
	    STR("volume.d"));
	assert_int_equal(entry->volume.size_gb, 20);
	assert_true(entry->protect);
}

static void
test_session_apply_gives_a_replica_its_number(void **state)
{
	struct session_world *s = *state;
	const struct run_summary *summary;
	const struct plan *plan = replanned(s, TRAINER, "pods:\n"
	    "  trainer: { image: x:2, gpu: A40, replicas: 2 }\n");

	assert_int_equal(apply(s, plan, &summary), EXIT_OK);
	assert_true(str_is(lock_find(s->session.lock,
	    STR("pod.trainer[0]"))->id, "new1"));
	assert_true(str_is(lock_find(s->session.lock,
	    STR("pod.trainer[1]"))->id, "new2"));
	assert_null(lock_find(s->session.lock, STR("pod.trainer")));
}

/* What the service itself calls ended leaves the record without a word. */
static void
test_session_apply_forgets_what_is_proved_to_be_gone(void **state)
{
	static const char *const specs[] = { "pods: {}\n", TRAINER };

	for (size_t i = 0; i < COUNTOF(specs); i++) {
		struct session_world *s = *state;
		const struct run_summary *summary;
		assert_int_equal(apply(s, planned(s, TRAINER), &summary),
		    EXIT_OK);
		session_close(&s->session);
		s->r.w.pods.items[0].status = POD_TERMINATED;
		const struct plan *plan = planned(s, specs[i]);
		assert_int_equal(apply(s, plan, &summary), EXIT_OK);
		assert_null(lock_find_id(s->session.lock, KIND_POD,
		    STR("new1")));
		assert_int_equal(s->session.lock->entries.n, i);
		play_teardown(state);
		play_setup(state);
	}
}

int
main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, play_setup, \
	play_teardown)
	const struct CMUnitTest tests[] = {
		ROW(test_session_apply_makes_a_pod_and_records_it),
		ROW(test_session_apply_needs_nobody_who_listens),
		ROW(test_session_apply_reads_all_pages),
		ROW(test_session_apply_fills_secrets_in),
		ROW(test_session_apply_without_ssh_says_so),
		ROW(test_session_apply_without_a_holder_says_so),
		ROW(test_session_apply_without_a_token_says_so),
		ROW(test_session_apply_fetches_a_package_for_the_pod),
		ROW(test_session_apply_shows_no_secret_that_a_pod_prints),
		ROW(test_session_apply_shows_no_rest_of_a_secret),
		ROW(test_session_apply_shows_no_secret_of_a_runner),
		ROW(test_session_apply_hides_secrets_in_reasons),
		ROW(test_session_apply_leaves_by_the_signal_that_came),
		ROW(test_session_apply_is_left_in_haste),
		ROW(test_session_apply_bears_what_it_did_not_ask_for),
		ROW(test_session_apply_begins_nothing_that_it_cannot_journal),
		ROW(test_session_apply_sends_nothing_that_it_cannot_journal),
		ROW(test_session_apply_keeps_a_result_that_the_disk_refused),
		ROW(test_session_apply_names_what_no_lock_file_knows),
		ROW(test_session_apply_records_protection_with_and_without_a_change),
		ROW(test_session_apply_knows_what_it_could_not_write),
		ROW(test_session_apply_records_the_protection_of_a_volume),
		ROW(test_session_apply_gives_a_replica_its_number),
		ROW(test_session_apply_forgets_what_is_proved_to_be_gone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
