/* test_run_tunnel.c - what a run asks the holder of tunnels, and believes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "plan_world.h"
#include "run/act.h"

/* A pod that runs (change 0), and a tunnel to it (change 1). */
struct desk {
	struct arena arena;
	struct plan_change changes[2];
	struct plan plan;
	struct lock lock;
	struct run run;
	struct subject subjects[2];
	struct act *act;
};

static void
zeros(void *ctx, void *out, size_t n)
{
	(void)ctx;
	memset(out, 0, n);
}

static int
desk_setup(void **state)
{
	static struct desk d;

	memset(&d, 0, sizeof d);
	d.plan.changes.items = d.changes;
	d.plan.changes.n = 2;
	d.lock.arena = &d.arena;
	d.run = (struct run){ .arena = &d.arena, .plan = &d.plan,
		.lock = &d.lock, .change_subjects = d.subjects,
		.now_ms = 1000, .options.chance = { NULL, zeros } };
	d.changes[0] = (struct plan_change){ .kind = KIND_POD,
		.op = PLAN_CREATE, .address = STR("pod.trainer") };
	d.subjects[0].id = STR("p1");
	d.subjects[0].start = STR("t1");
	d.subjects[0].ssh = (struct ssh_endpoint){ STR("1.2.3.4"), 2222,
		STR("root") };
	d.changes[1] = (struct plan_change){ .kind = KIND_TUNNEL,
		.op = PLAN_CREATE, .address = STR("tunnel.web"),
		.host_change = 0,
		.tunnel_config = { .address = STR("tunnel.web"),
			.local_port = 8188, .pod = STR("pod.trainer") } };
	*state = &d;
	return 0;
}

static int
desk_teardown(void **state)
{
	struct desk *d = *state;

	arena_release(&d->arena);
	return 0;
}

static struct act *
begin(struct desk *d, enum action_kind kind)
{
	d->run.effects.n = 0;
	d->act = act_add(&d->run, kind, &d->changes[1], &d->subjects[1]);
	action_rows[kind].start(&d->run, d->act);
	return d->act;
}

/* The last effect of that type, or NULL. */
static const struct run_effect *
last(const struct desk *d, enum run_effect_type type)
{
	for (size_t i = d->run.effects.n; i-- > 0;)
		if (d->run.effects.items[i].type == type)
			return &d->run.effects.items[i];
	return NULL;
}

static void
test_run_tunnel_tells_the_holder_what_is_known(void **state)
{
	struct desk *d = *state;

	d->subjects[0].inside_known = true;
	d->subjects[0].inside = (struct lock_inside){ .start = STR("t1"),
		.host_key = STR("SHA256:k") };
	assert_false(begin(d, ACTION_TUNNEL_OPEN)->phase == PH_FAILED);
	const struct holder_request *request =
	    &last(d, RUN_HOLDER)->holder;
	assert_int_equal(request->verb, HOLDER_OPEN);
	assert_true(str_is(request->config.address, "tunnel.web"));
	assert_true(str_is(request->config.pod_id, "p1"));
	assert_int_equal(request->config.local_port, 8188);
	assert_true(str_is(request->ssh.host, "1.2.3.4"));
	assert_int_equal(request->ssh.port, 2222);
	assert_true(str_is(request->start, "t1"));
	assert_true(str_is(request->pin, "SHA256:k"));
	assert_int_equal(request->timeout_ms, 60000);
	assert_true(str_is(d->act->reason, "waiting until it is up"));
	/* To undo even a wait is to close it. */
	assert_true(d->act->effected);
}

static void
test_run_tunnel_needs_a_pod_that_can_be_reached(void **state)
{
	struct desk *d = *state;

	d->subjects[0].ssh.port = 0;
	begin(d, ACTION_TUNNEL_OPEN);
	assert_int_equal(d->act->phase, PH_FAILED);
	assert_int_equal(d->act->failure, FAIL_INSIDE);
	assert_null(last(d, RUN_HOLDER));
	assert_false(d->act->effected);
	assert_true(str_starts(d->act->reason,
	    STR("pod.trainer has no SSH port")));
}

static void
open_with(struct desk *d, struct tunnel_status status, size_t n)
{
	struct holder_answer answer = { .ok = true, .tunnels = &status,
		.ntunnels = n };

	begin(d, ACTION_TUNNEL_OPEN);
	open_holder(&d->run, d->act, &answer);
}

static void
test_run_tunnel_says_where_it_listens(void **state)
{
	static const struct { uint16_t port; size_t n; const char *words; }
	    rows[] = {
		{ 8189, 1, "listening on 127.0.0.1:8189" },
		{ 0, 1, NULL }, { 8189, 0, NULL },
	};
	struct desk *d = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		bool said = false;
		d->subjects[1].tunnel_port = 0;
		open_with(d, (struct tunnel_status){ .port = rows[i].port,
			.config.local_address = STR("127.0.0.1") },
		    rows[i].n);
		assert_int_equal(d->act->phase, PH_DONE);
		assert_int_equal(d->subjects[1].tunnel_port,
		    rows[i].n == 0 ? 0 : rows[i].port);
		for (size_t k = 0; k < d->run.effects.n; k++) {
			const struct run_effect *effect =
			    &d->run.effects.items[k];
			if (effect->type != RUN_NOTE ||
			    effect->note.type != NOTE_PROGRESS)
				continue;
			said = true;
			assert_non_null(rows[i].words);
			assert_true(str_is(effect->note.text,
			    rows[i].words));
		}
		assert_int_equal(said, rows[i].words != NULL);
	}
}

/* The holder was the first one there: its pin is everybody's. */
static void
test_run_tunnel_takes_the_pin_of_who_came_first(void **state)
{
	static const struct {
		const char *known, *seen;
		size_t n;
		bool first_use;
		const char *by;
	} rows[] = {
		{ "", "SHA256:s", 1, true, "first use" },
		{ "", "SHA256:s", 1, false, "log" },
		{ "SHA256:k", "SHA256:s", 1, true, NULL },
		{ "", "", 1, true, NULL },
		{ "", "SHA256:s", 0, true, NULL },
	};
	struct desk *d = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		d->subjects[0].inside_known = true;
		d->subjects[0].inside = (struct lock_inside){
			.start = STR("t1"),
			.host_key = str_from(rows[i].known) };
		open_with(d, (struct tunnel_status){
			.fingerprint = str_from(rows[i].seen),
			.first_use = rows[i].first_use }, rows[i].n);
		if (rows[i].by == NULL) {
			assert_int_equal(d->act->phase, PH_DONE);
			assert_null(last(d, RUN_JOURNAL));
			continue;
		}
		/* Done once it is on disk. */
		assert_int_equal(d->act->phase, PH_RESULT);
		const struct record *fact = &last(d, RUN_JOURNAL)->record;
		assert_int_equal(fact->type, RECORD_FACT);
		assert_true(str_is(fact->id, "p1"));
		assert_true(str_is(fact->inside.host_key, rows[i].seen));
		assert_true(str_is(fact->inside.host_key_by, rows[i].by));
		const struct run_effect *note = last(d, RUN_NOTE);
		assert_int_equal(note != NULL, rows[i].first_use);
		if (note != NULL)
			assert_true(str_is(note->note.text, "its log shows "
			    "no host key, so SHA256:s is trusted on first "
			    "use"));
	}
}

static void
test_run_tunnel_that_does_not_come_up_has_failed(void **state)
{
	struct desk *d = *state;

	begin(d, ACTION_TUNNEL_OPEN);
	open_holder(&d->run, d->act, &(struct holder_answer){
		.reason = STR("port 8188 is taken") });
	assert_int_equal(d->act->phase, PH_FAILED);
	assert_int_equal(d->act->failure, FAIL_INSIDE);
	assert_true(str_is(d->act->reason, "port 8188 is taken"));
}

static void
test_run_tunnel_is_closed_by_its_name_and_again_if_need_be(void **state)
{
	struct desk *d = *state;

	begin(d, ACTION_TUNNEL_CLOSE);
	const struct holder_request *request =
	    &last(d, RUN_HOLDER)->holder;
	assert_int_equal(request->verb, HOLDER_CLOSE);
	assert_true(str_is(request->config.address, "tunnel.web"));
	assert_int_equal(request->timeout_ms, 20000);
	assert_true(str_is(d->act->reason, "closing"));
	close_holder(&d->run, d->act, &(struct holder_answer){
		.reason = STR("it hangs") });
	assert_int_equal(d->act->phase, PH_QUEUED);
	assert_int_equal(d->act->not_before_ms, 3000);
	assert_true(str_is(d->act->reason, "it hangs"));
	assert_false(d->act->effected);
	close_start(&d->run, d->act);
	close_holder(&d->run, d->act, &(struct holder_answer){ .ok = true });
	assert_int_equal(d->act->phase, PH_DONE);
	assert_true(d->act->effected);
}

int
main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, desk_setup, desk_teardown)
	const struct CMUnitTest tests[] = {
		ROW(test_run_tunnel_tells_the_holder_what_is_known),
		ROW(test_run_tunnel_needs_a_pod_that_can_be_reached),
		ROW(test_run_tunnel_says_where_it_listens),
		ROW(test_run_tunnel_takes_the_pin_of_who_came_first),
		ROW(test_run_tunnel_that_does_not_come_up_has_failed),
		ROW(test_run_tunnel_is_closed_by_its_name_and_again_if_need_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
