/*
 * test_run_host.c - where a pod is for all that is known, whose word counts
 * about what was done in it, and what becomes of answers from inside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "act_world.h"

/* ------------------------------------------------------- of the pod itself */

static const struct {
	const char *recorded;			/* its id */
	struct { const char *id; uint16_t port; const char *start; } seen;
	struct {
		const char *id;
		uint16_t port;
		const char *start;
		enum pod_status status;
	} listed;
	const char *wanted;
} places[] = {
	{ NULL, { NULL, 0, NULL }, { NULL, 0, NULL, 0 }, ":0" },
	{ "p1", { NULL, 0, NULL }, { NULL, 0, NULL, 0 }, "p1:0" },
	{ "p1", { NULL, 0, NULL }, { "p1", 22, "A", POD_RUNNING },
	  "p1:22 A runs" },
	{ "p1", { NULL, 0, NULL }, { "p1", 0, "A", POD_STARTING },
	  "p1:0 A runs" },
	/* A word that we do not know: it may. */
	{ "p1", { NULL, 0, NULL }, { "p1", 0, NULL, POD_UNKNOWN },
	  "p1:0 runs" },
	{ "p1", { NULL, 0, NULL }, { "p1", 0, NULL, POD_PROVISIONING },
	  "p1:0" },
	{ "p1", { NULL, 0, NULL }, { "p1", 0, "A", POD_EXITED }, "p1:0 A" },
	{ "p1", { NULL, 0, NULL }, { "p1", 0, "A", POD_ERROR }, "p1:0 A" },
	{ "p1", { NULL, 0, NULL }, { "p1", 0, "A", POD_TERMINATED },
	  "p1:0 A" },
	/* What this run has seen of it is newer than the listing. */
	{ "p1", { NULL, 33, "B" }, { "p1", 22, "A", POD_EXITED },
	  "p1:33 B runs" },
	{ "p1", { NULL, 33, NULL }, { "p1", 22, "A", POD_EXITED },
	  "p1:33 A runs" },
	/* One that was made since: the listing shows the one before. */
	{ "p1", { "q", 33, "B" }, { "p1", 22, "A", POD_RUNNING },
	  "q:33 B runs" },
	{ "p1", { "p2", 0, NULL }, { "p1", 22, "A", POD_RUNNING }, "p2:0" },
	/* Listed, and in no record. */
	{ NULL, { NULL, 0, NULL }, { "p9", 22, "A", POD_RUNNING },
	  "p9:22 A runs" },
};

static const char *
shown(struct act_world *f, const struct host *host)
{
	return arena_printf(&f->w.arena, STR_FMT ":%u%s" STR_FMT "%s",
	    STR_ARG(host->id), host->ssh.port, host->start.len > 0 ? " " : "",
	    STR_ARG(host->start), host->runs ? " runs" : "").data;
}

static void
test_run_host_is_where_it_was_seen_last(void **state)
{
	struct act_world *f = *state;

	for (size_t i = 0; i < COUNTOF(places); i++) {
		struct lock_entry have = { .kind = KIND_POD,
			.id = str_from(places[i].recorded) };
		struct cloud_pod pod = { .id = str_from(places[i].listed.id),
			.ssh.port = places[i].listed.port,
			.started_at = str_from(places[i].listed.start),
			.status = places[i].listed.status };
		struct host host;

		f->change.have = places[i].recorded ? &have : NULL;
		f->change.pod = places[i].listed.id ? &pod : NULL;
		f->subject = (struct subject){
			.id = str_from(places[i].seen.id),
			.ssh.port = places[i].seen.port,
			.start = str_from(places[i].seen.start) };
		act_host(&f->run, &f->act, &host);
		assert_ptr_equal(host.subject, &f->subject);
		assert_ptr_equal(host.change, &f->change);
		assert_true(str_is(host.address, "pod.a"));
		if (strcmp(shown(f, &host), places[i].wanted) != 0)
			fail_msg("row %zu: %s", i, shown(f, &host));
	}
}

/* --------------------------------------------- of what lives on the pod --- */

/* The pod's own change, its wait, its place in the listing, or its name. */
static void
test_run_host_of_a_guest_is_its_pod(void **state)
{
	struct act_world *f = *state;
	struct lock_entry have = { .kind = KIND_POD, .id = STR("p2") };
	struct cloud_pod pod = { .id = STR("p3"), .ssh.port = 22,
		.status = POD_RUNNING };
	struct host host;

	*ARENA_PUSH(&f->w.arena, &f->plan.changes) = f->change;
	*ARENA_PUSH(&f->w.arena, &f->plan.changes) = (struct plan_change){
		.kind = KIND_POD, .address = STR("pod.b"), .have = &have };
	*ARENA_PUSH(&f->w.arena, &f->plan.waits) = (struct plan_change){
		.kind = KIND_POD, .address = STR("pod.c"), .pod = &pod };
	f->subjects[0].id = STR("p1");
	f->change.kind = KIND_TUNNEL;
	f->change.tunnel_config.pod = STR("pod.named");

	f->change.host_change = 0;
	act_host(&f->run, &f->act, &host);
	assert_string_equal(shown(f, &host), "p1:0");
	assert_ptr_equal(host.subject, &f->subjects[0]);
	f->change.host_change = 1;
	act_host(&f->run, &f->act, &host);
	assert_string_equal(shown(f, &host), "p2:0");
	assert_true(str_is(host.address, "pod.b"));
	assert_ptr_equal(host.subject, &f->subjects[1]);
	f->change.host_change = 2;
	act_host(&f->run, &f->act, &host);
	assert_string_equal(shown(f, &host), "p3:22 runs");
	assert_true(str_is(host.address, "pod.c"));
	assert_ptr_equal(host.subject, &f->subjects[2]);

	f->change.host_change = SIZE_MAX;
	f->change.host = &pod;
	act_host(&f->run, &f->act, &host);
	assert_string_equal(shown(f, &host), "p3:22 runs");
	assert_true(str_is(host.address, "pod.named"));
	assert_ptr_equal(host.subject, &f->subject);
	assert_null(host.change);
}

/* A record that names what is no pod gives no pod's spec. */
static void
test_run_host_has_the_spec_of_its_address(void **state)
{
	static const struct {
		const char *address;
		const char *user;		/* that its spec names */
	} rows[] = {
		{ "pod.a", "alice" }, { "pod.gone", NULL }, { "", NULL },
		{ "volume.d", NULL },
	};
	struct act_world *f = *state;
	struct lock_entry have = { .kind = KIND_RUNNER };
	struct host host;

	world_spec(&f->w, "volumes: { d: { size: 10GB, data_center: EU-RO-1 "
	    "} }\npods: { a: { image: x:1, gpu: A40, ports: [22/tcp], "
	    "ssh: { user: alice } } }\n");
	f->change.kind = KIND_RUNNER;
	f->change.have = &have;
	for (size_t i = 0; i < 2 * COUNTOF(rows); i++) {
		struct str address = str_from(rows[i / 2].address);
		const char *user = rows[i / 2].user;

		/* As the plan has it, else as the record does. */
		f->change.runner_config.pod = i % 2 == 0 ? address
							 : (struct str){0};
		have.runner.pod = i % 2 == 0 ? STR("pod.other") : address;
		if (address.len == 0)
			have.runner.pod = address;
		f->plan.spec = f->w.spec;
		act_host(&f->run, &f->act, &host);
		assert_true(str_eq(host.address, address));
		assert_int_equal(host.spec != NULL, user != NULL);
		if (user != NULL)
			assert_true(str_is(host.spec->ssh_user, user));
		f->plan.spec = NULL;
		act_host(&f->run, &f->act, &host);
		assert_null(host.spec);
	}
	/* One that only GitHub lists. */
	f->change.have = NULL;
	act_host(&f->run, &f->act, &host);
	assert_int_equal(host.address.len, 0);
}

/* -------------------------------------------------- what was done inside -- */

enum { OLD_CONTAINER, SAME_POD, NEW_CONTAINER };

static const struct {
	const char *recorded;		/* start of the recorded container */
	const char *seen, *listed;	/* start, as this run and the listing
					   have it */
	int what;			/* becomes of the container */
	const char *wanted;		/* "start key" */
} insides[] = {
	{ "A", NULL, "A", SAME_POD, "A old-key" },
	{ "A", NULL, "B", SAME_POD, "B -" },
	{ "A", "B", "A", SAME_POD, "B -" },
	/* The service did not say when it started: the record is believed. */
	{ "A", NULL, NULL, SAME_POD, "A old-key" },
	{ NULL, NULL, "B", SAME_POD, "B old-key" },
	{ NULL, NULL, NULL, SAME_POD, " old-key" },
	/* This run starts another one; until it was seen, it is the old. */
	{ "A", NULL, NULL, OLD_CONTAINER, "A old-key" },
	{ "A", NULL, NULL, NEW_CONTAINER, " -" },
	{ NULL, "B", NULL, NEW_CONTAINER, "B -" },
	{ NULL, NULL, NULL, NEW_CONTAINER, " -" },
	{ "A", "A", NULL, NEW_CONTAINER, "A old-key" },
};

static void
set_op(struct plan_change *change, unsigned way)
{
	static const enum plan_op ops[] = { PLAN_CREATE, PLAN_REPLACE,
		PLAN_UPDATE, PLAN_UPDATE };

	change->op = ops[way];
	change->start = way == 2;
	change->restarts = way == 3;
}

static void
test_run_host_believes_the_record_of_the_same_container(void **state)
{
	struct act_world *f = *state;

	for (size_t i = 0; i < COUNTOF(insides); i++)
	for (unsigned way = 0; way < 4; way++) {
		struct lock_entry have = { .kind = KIND_POD,
			.address = STR("pod.a"), .id = STR("p1"),
			.inside = { .start = str_from(insides[i].recorded),
				.host_key = STR("old-key") } };
		struct cloud_pod pod = { .id = STR("p1"),
			.started_at = str_from(insides[i].listed),
			.status = POD_RUNNING };
		struct host host;

		f->w.lock.entries.n = 0;
		f->w.lock.index = NULL;
		lock_add_entry(&f->w.lock, &have);
		f->change.have = &have;
		f->change.pod = &pod;
		f->change.op = PLAN_UPDATE;
		f->change.start = f->change.restarts = false;
		if (insides[i].what != SAME_POD)
			set_op(&f->change, way);
		f->subject = (struct subject){
			.start = str_from(insides[i].seen),
			.ssh.port = insides[i].what == OLD_CONTAINER ? 0 : 33,
		};
		act_host(&f->run, &f->act, &host);
		const struct lock_inside *inside = host_inside(&f->run, &host);
		const char *found = arena_printf(&f->w.arena, STR_FMT " "
		    STR_FMT, STR_ARG(inside->start),
		    STR_ARG(inside->host_key.len > 0 ? inside->host_key
						     : STR("-"))).data;
		if (strcmp(found, insides[i].wanted) != 0)
			fail_msg("row %zu, way %u: %s", i, way, found);
		/* What is done in it from now on is kept, not read again. */
		f->subject.inside.process = STR("d");
		assert_true(str_is(host_inside(&f->run, &host)->process,
		    "d"));
		/* Until its container is another one. */
		host.start = STR("C");
		assert_int_equal(host_inside(&f->run, &host)->process.len, 0);
	}
}

/* A pod of another project's record, or none: nothing was done in it. */
static void
test_run_host_without_a_record_is_new(void **state)
{
	struct act_world *f = *state;
	struct cloud_pod pod = { .id = STR("p1"), .started_at = STR("A"),
		.status = POD_RUNNING };
	struct host host;

	f->change.pod = &pod;
	act_host(&f->run, &f->act, &host);
	assert_true(str_is(host_inside(&f->run, &host)->start, "A"));
	assert_int_equal(host_inside(&f->run, &host)->host_key.len, 0);
	pod.started_at = (struct str){0};
	f->subject = (struct subject){0};
	act_host(&f->run, &f->act, &host);
	assert_int_equal(host.start.len, 0);
}

/* --------------------------------------------------------------- asking -- */

static void
test_run_host_is_asked_as_its_spec_says(void **state)
{
	/* The user and key of the spec, where it has them; a pin, where one
	 * is recorded. */
	static const struct { const char *ssh, *wanted; } rows[] = {
		{ "", "root - " },
		{ ", ssh: { user: alice }", "alice - " },
		{ ", ssh: { key: k.pem }", "root k.pem " },
	};
	struct act_world *f = *state;

	fake_fs_put(f->w.fake, "k.pem", STR("key"), 0600);
	for (size_t i = 0; i <= COUNTOF(rows); i++)
	for (unsigned pinned = 0; pinned < 2; pinned++) {
		bool any = i < COUNTOF(rows);
		struct cloud_pod pod = { .id = STR("p1"),
			.started_at = STR("A"), .status = POD_RUNNING,
			.ssh = { STR("192.0.2.1"), 22, STR("root") } };
		struct host host;

		world_spec(&f->w, arena_printf(&f->w.arena, "pods: { a: { "
		    "image: x:1, gpu: A40, ports: [22/tcp]%s } }\n",
		    any ? rows[i].ssh : "").data);
		f->plan.spec = any ? f->w.spec : NULL;
		f->change.pod = &pod;
		f->subject = (struct subject){ .inside_known = true,
			.inside = { .start = STR("A"), .host_key = pinned
				? STR("k") : (struct str){0} } };
		f->act.phase = PH_QUEUED;
		act_host(&f->run, &f->act, &host);
		const struct ssh_request *request = host_ask(&f->run, &f->act,
		    &host, SSH_RUN, "check", 777);
		const struct ssh_target *to = &request->target;
		assert_int_equal(request->task, SSH_RUN);
		assert_true(str_is(request->name, "check"));
		assert_int_equal(request->timeout_ms, 777);
		assert_int_equal(f->act.phase, PH_ASKED);
		assert_true(str_is(to->pod, "p1"));
		assert_true(str_is(to->start, "A"));
		assert_true(str_is(to->host, "192.0.2.1"));
		assert_int_equal(to->port, 22);
		assert_int_equal(to->npins, pinned);
		if (pinned)
			assert_true(str_is(to->pins[0], "k"));
		assert_text(arena_printf(&f->w.arena, STR_FMT " " STR_FMT " ",
		    STR_ARG(to->user), STR_ARG(to->key.len > 0 ? to->key
			: STR("-"))).data, any ? rows[i].wanted : "root - ");
	}
}

static void
test_run_host_env_has_all_values_or_says_which_is_not_known(void **state)
{
	struct act_world *f = *state;
	struct host host = { .subject = &f->subject };
	struct str why = {0};
	struct env_var *env;

	fake_fs_put(f->w.fake, "s", STR("v"), 0600);
	world_spec(&f->w, "secrets: { KNOWN: { file: s }, LOST: { file: s } }\n"
	    "pods: { a: { image: x:1, gpu: A40, env: { A: plain, "
	    "B: \"x ${secret.KNOWN}\" } } }\n");
	host.spec = f->w.spec->resources[0].pod;
	assert_true(host_env(&f->run, &host, &env, &why));
	assert_true(str_is(env[0].name, "A"));
	assert_true(str_is(env[0].value, "plain"));
	assert_false(env[0].sensitive);
	assert_true(str_is(env[1].name, "B"));
	assert_true(str_is(env[1].value, "x hunter2-hunter2"));
	assert_true(env[1].sensitive);

	world_spec(&f->w, "secrets: { KNOWN: { file: s }, LOST: { file: s } }\n"
	    "pods: { a: { image: x:1, gpu: A40, env: { A: plain, "
	    "B: \"${secret.LOST}\" } } }\n");
	host.spec = f->w.spec->resources[0].pod;
	assert_false(host_env(&f->run, &host, &env, &why));
	assert_true(str_is(why, "the value of env B is not known: a secret "
	    "has no value"));
}

/* -------------------------------------------------------------- answers -- */

static void
test_run_last_words_are_the_last_line_that_says_something(void **state)
{
	static const struct { const char *output, *wanted; } rows[] = {
		{ "", "" }, { "\n \r\n\t", "" }, { "a", "a" }, { "a\n", "a" },
		{ "a\nb", "b" }, { "a\nb\r\n\n  \n", "b" },
		{ "a\n  b c \n", "b c" },
		{ "\033[31mno\n", "\\x1b[31mno" },
		{ "one\ntwo\xff", "two\\xff" },
	};
	struct act_world *f = *state;
	char many[400];

	for (size_t i = 0; i < COUNTOF(rows); i++)
		assert_text(arena_cstr(&f->w.arena, last_words(&f->run,
		    str_from(rows[i].output))), rows[i].wanted);
	/* Of one that is long the beginning, also where all is escaped. */
	memset(many, 'x', sizeof many);
	assert_int_equal(last_words(&f->run, (struct str){ many,
		sizeof many }).len, 300);
	memset(many, 1, sizeof many);
	assert_int_equal(last_words(&f->run, (struct str){ many,
		sizeof many }).len, 4 * 300);
}

static const struct {
	enum ssh_outcome outcome;
	const char *fingerprint;
	enum phase phase;		/* PH_ASKED: it goes on by itself */
	enum run_failure failure;
	const char *said;
} cuts[] = {
	{ SSH_DONE, NULL, PH_ASKED, FAIL_NONE, "" },
	{ SSH_UNREACHABLE, NULL, PH_QUEUED, FAIL_NONE, "why\\x07" },
	{ SSH_LOST, NULL, PH_QUEUED, FAIL_NONE, "why\\x07" },
	{ SSH_TIMED_OUT, NULL, PH_QUEUED, FAIL_NONE, "why\\x07" },
	{ SSH_DENIED, NULL, PH_FAILED, FAIL_INSIDE, "none of our keys is "
	  "accepted at 192.0.2.1:22: why\\x07" },
	{ SSH_UNUSABLE, NULL, PH_FAILED, FAIL_INSIDE, "why\\x07" },
	{ SSH_LOCAL, NULL, PH_FAILED, FAIL_INSIDE, "why\\x07" },
	{ SSH_WRONG_HOST_KEY, "SHA256:evil", PH_FAILED, FAIL_SUSPECT,
	  "the host key at 192.0.2.1:22 is SHA256:evil and not the pinned "
	  "one, so nothing was sent: somebody else may be answering there; if "
	  "the container was changed by hand, restart the pod, which pins "
	  "anew" },
	{ SSH_WRONG_HOST_KEY, NULL, PH_FAILED, FAIL_SUSPECT,
	  "the host key at 192.0.2.1:22 is another and not the pinned "
	  "one, so nothing was sent: somebody else may be answering there; if "
	  "the container was changed by hand, restart the pod, which pins "
	  "anew" },
};

static void
test_run_what_was_cut_off_is_tried_again_or_fails(void **state)
{
	struct act_world *f = *state;
	const struct host host = { .ssh = { STR("192.0.2.1"), 22,
		{0} } };

	for (size_t i = 0; i < COUNTOF(cuts); i++) {
		const struct ssh_answer answer = { .outcome = cuts[i].outcome,
			.reason = STR("x\nwhy\a\n"),
			.fingerprint = str_from(cuts[i].fingerprint) };

		act_renew(f, ACTION_POD_PROCESS);
		assert_int_equal(act_cut_off(&f->run, &f->act, &host,
		    &answer), cuts[i].outcome != SSH_DONE);
		assert_int_equal(f->act.phase, cuts[i].phase);
		assert_int_equal(f->act.failure, cuts[i].failure);
		assert_text(arena_cstr(&f->w.arena, f->act.reason),
		    cuts[i].said);
		if (cuts[i].phase == PH_QUEUED)
			assert_int_equal(f->act.not_before_ms, 5000 + 2000);
	}
}

/* The last twenty lines at most, whole, for people; the last of all in the
 * message. */
static void
test_run_failure_inside_shows_its_last_lines(void **state)
{
	struct act_world *f = *state;
	struct strbuf output = {0};
	char line[1000] = "";

	for (int i = 1; i <= 30; i++)
		strbuf_addf(&output, "line %d\n", i);
	struct ssh_answer answer = { .outcome = SSH_DONE, .status = 3,
		.output = strbuf_str(&output) };
	act_renew(f, ACTION_POD_PROCESS);
	f->act.kept = STR("logs/setup.log");
	act_fail_inside(&f->run, &f->act, "setup step 1 of 2", &answer);
	const struct run_failed *failed = &f->run.summary.failures.items[0];
	assert_text(arena_cstr(&f->w.arena, failed->reason),
	    "setup step 1 of 2 exited with 3: line 30");
	assert_int_equal(failed->failure, FAIL_INSIDE);
	assert_true(str_starts(failed->output, STR("line 11\nline 12\n")));
	assert_true(str_ends(failed->output, STR("\nline 30")));
	assert_true(str_is(failed->kept, "logs/setup.log"));

	/* Lines that are long are fewer, and whole. */
	memset(line, 'x', sizeof line - 1);
	for (int i = 0; i < 100; i++)
		strbuf_addf(&output, "%s\n", line);
	answer.output = strbuf_str(&output);
	answer.status = -1;
	act_renew(f, ACTION_POD_PROCESS);
	act_fail_inside(&f->run, &f->act, "check", &answer);
	failed = &f->run.summary.failures.items[1];
	assert_int_equal(failed->output.len, 4 * sizeof line - 1);
	assert_true(str_starts(failed->reason, STR("check was killed: xxx")));

	/* One that is too long by itself is cut. */
	strbuf_reset(&output);
	for (int i = 0; i < 6000; i++)
		strbuf_addc(&output, 'y');
	answer.output = strbuf_str(&output);
	act_renew(f, ACTION_POD_PROCESS);
	act_fail_inside(&f->run, &f->act, "check", &answer);
	failed = &f->run.summary.failures.items[2];
	assert_int_equal(failed->output.len, 4096);

	/* A few letters are all of it, and are kept somewhere. */
	static const char *const few[] = { "y", "x\ny" };
	for (size_t i = 0; i < COUNTOF(few); i++) {
		answer.output = str_from(few[i]);
		act_renew(f, ACTION_POD_PROCESS);
		f->act.kept = STR("logs/setup.log");
		act_fail_inside(&f->run, &f->act, "check", &answer);
		failed = &f->run.summary.failures.items[3 + i];
		assert_text(arena_cstr(&f->w.arena, failed->reason),
		    "check was killed: y");
		assert_true(str_is(failed->kept, "logs/setup.log"));
		assert_true(str_is(failed->output, few[i]));
	}

	/* Silence needs no colon. */
	answer.output = STR("\n\n");
	act_renew(f, ACTION_POD_PROCESS);
	f->act.kept = STR("logs/setup.log");
	act_fail_inside(&f->run, &f->act, "check", &answer);
	failed = &f->run.summary.failures.items[5];
	assert_text(arena_cstr(&f->w.arena, failed->reason),
	    "check was killed");
	assert_int_equal(failed->output.len, 0);
	assert_int_equal(failed->kept.len, 0);
	strbuf_release(&output);
}

static void
test_run_tells_what_is_waited_for_when_it_changes(void **state)
{
	struct act_world *f = *state;
	struct run_effect effect;

	act_waits_for(&f->run, &f->act, STR("one"));
	effect = act_effect(f, RUN_NOTE);
	assert_int_equal(effect.note.type, NOTE_PROGRESS);
	assert_true(effect.note.news);
	assert_true(str_is(effect.note.text, "one"));
	assert_int_equal(f->act.told_ms, 5000);
	f->run.now_ms = 6000;
	act_waits_for(&f->run, &f->act, STR("one"));
	assert_no_effect(f);
	assert_int_equal(f->act.told_ms, 5000);
	act_waits_for(&f->run, &f->act, STR("two"));
	effect = act_effect(f, RUN_NOTE);
	assert_true(str_is(effect.note.text, "two"));
	assert_no_effect(f);
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, act_setup, act_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_run_host_is_where_it_was_seen_last),
		TEST(test_run_host_of_a_guest_is_its_pod),
		TEST(test_run_host_has_the_spec_of_its_address),
		TEST(test_run_host_believes_the_record_of_the_same_container),
		TEST(test_run_host_without_a_record_is_new),
		TEST(test_run_host_is_asked_as_its_spec_says),
		TEST(test_run_host_env_has_all_values_or_says_which_is_not_known),
		TEST(test_run_last_words_are_the_last_line_that_says_something),
		TEST(test_run_what_was_cut_off_is_tried_again_or_fails),
		TEST(test_run_failure_inside_shows_its_last_lines),
		TEST(test_run_tells_what_is_waited_for_when_it_changes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
