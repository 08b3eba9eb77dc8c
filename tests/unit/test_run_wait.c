/* test_run_wait.c - what a listing means to those who wait for it, as tables */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "plan_world.h"
#include "run/act.h"

#define SETTLE_MS 60000

struct desk {
	struct arena arena;
	struct plan plan;
	struct lock lock;
	struct run run;
	struct pod_spec spec;
	struct resource want;
	struct lock_entry have;
	struct plan_change change;
	struct subject subject;
	struct cloud_pod pod;		/* as it is listed, if it is */
	struct act *act;
};

static struct str ssh_port[] = { STR_INIT("80/http"), STR_INIT("22/tcp") };

static int
desk_setup(void **state)
{
	static struct desk d;

	memset(&d, 0, sizeof d);
	d.lock.arena = &d.arena;
	d.plan.lock = &d.lock;
	d.run = (struct run){ .arena = &d.arena, .plan = &d.plan,
		.lock = &d.lock, .now_ms = 1000000,
		.options.settle_ms = SETTLE_MS };
	assert_true(id128_parse(STR("ab12cd34ab12cd34ab12cd34ab12cd34"),
	    &d.run.options.lineage));
	d.spec.ready_timeout_ms = 10 * MINUTE_MS;
	d.want = (struct resource){ .kind = KIND_POD, .pod = &d.spec };
	/* Imported: whatever its marks are, it is ours. */
	d.have = (struct lock_entry){ .kind = KIND_POD, .id = STR("p1"),
		.address = STR("pod.a") };
	lock_add_entry(&d.lock, &d.have);
	d.change = (struct plan_change){ .kind = KIND_POD,
		.op = PLAN_CREATE, .address = STR("pod.a"),
		.want = &d.want, .have = &d.have, .before_per_hour = 400 };
	d.pod = (struct cloud_pod){ .id = STR("p1"), .status = POD_RUNNING,
		.has_runtime = true, .status_text = STR("WORD"),
		.started_at = STR("t1"),
		.config = { .ports = ssh_port, .nports = 2 },
		.ssh = { STR("1.2.3.4"), 2222, STR("root") } };
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
	d->act = act_add(&d->run, kind, &d->change, &d->subject);
	d->act->started_ms = d->run.now_ms;
	action_rows[kind].start(&d->run, d->act);
	/* A probe found nothing: it waits for a listing. */
	if (kind == ACTION_POD_SSH)
		wait_banner(&d->run, d->act, false, STR("refused"));
	listing_pump(&d->run);
	return d->act;
}

/* A listing that was asked for before_ms ago; with the pod or without. */
static void
listed(struct desk *d, bool there, int64_t before_ms)
{
	struct arena scratch = {0};
	struct cloud_answer answer = { .outcome = OUTCOME_OK,
		.pods = &d->pod, .npods = there };
	struct listed listed = { .answer = &answer,
		.sent_ms = d->run.now_ms - before_ms };

	if (there)
		map_put(&listed.pods, &scratch, d->pod.id, &d->pod);
	action_rows[d->act->kind].listed(&d->run, d->act, &listed);
	listing_pump(&d->run);
	arena_release(&scratch);
}

/* "waits: words", "probes", "done", "failed: reason" ... */
static const char *
became(const struct desk *d)
{
	const struct act *act = d->act;
	struct arena *arena = (struct arena *)&d->arena;

	switch (act->phase) {
	case PH_DONE:
		return "done";
	case PH_FAILED:
		return arena_printf(arena, "failed: " STR_FMT,
		    STR_ARG(act->reason)).data;
	case PH_PROBE:
		return "probes";
	case PH_CHECK:
		return "asks";
	case PH_RESULT:
		return act->next == NEXT_DONE ? "is gone" :
		    arena_printf(arena, "is not gone: " STR_FMT,
			STR_ARG(act->last_refusal)).data;
	case PH_QUEUED:
		return arena_printf(arena, "again: " STR_FMT,
		    STR_ARG(act->reason)).data;
	default:
		return arena_printf(arena, "waits: " STR_FMT,
		    STR_ARG(act->reason)).data;
	}
}

/* --------------------------------------------------------------- running - */

/* A status word is intent, not life. */
static void
test_run_wait_needs_life_a_port_and_a_time(void **state)
{
	static const struct {
		enum pod_status status;
		bool runtime, maps_ssh;
		uint16_t port;
		const char *start, *became;
	} rows[] = {
		{ POD_RUNNING, true, true, 2222, "t1", "done" },
		{ POD_PROVISIONING, false, true, 0, "",
		    "waits: provisioning" },
		{ POD_PROVISIONING, true, true, 2222, "t1",
		    "waits: provisioning" },
		{ POD_STARTING, true, true, 2222, "t1",
		    "waits: container is starting" },
		{ POD_UNKNOWN, true, true, 2222, "t1",
		    "waits: container is starting" },
		{ POD_RUNNING, false, true, 2222, "t1",
		    "waits: container is starting" },
		{ POD_RUNNING, true, true, 0, "t1",
		    "waits: waiting for its ports" },
		{ POD_RUNNING, true, true, 2222, "",
		    "waits: waiting for its time of start" },
		{ POD_RUNNING, true, false, 2222, "",
		    "waits: waiting for its time of start" },
		/* Nobody will log in to it: neither is needed. */
		{ POD_RUNNING, true, false, 0, "", "done" },
		{ POD_RUNNING, true, false, 0, "t1", "done" },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct desk *d = *state;
		begin(d, ACTION_POD_RUNNING);
		d->pod.status = rows[i].status;
		d->pod.has_runtime = rows[i].runtime;
		d->pod.config.nports = rows[i].maps_ssh ? 2 : 1;
		d->pod.ssh.port = rows[i].port;
		d->pod.started_at = str_from(rows[i].start);
		listed(d, true, 0);
		assert_text(became(d), rows[i].became);
		if (d->act->phase == PH_DONE) {
			assert_int_equal(d->subject.ssh.port, rows[i].port);
			assert_true(str_is(d->subject.start, rows[i].start));
		}
		desk_teardown(state);
		desk_setup(state);
	}
}

static void
test_run_wait_probes_again_where_it_is_listed_now(void **state)
{
	struct desk *d = *state;

	begin(d, ACTION_POD_SSH);
	assert_text(became(d), "waits: waiting for SSH to answer");
	d->pod.ssh = (struct ssh_endpoint){ STR("5.6.7.8"), 99,
		STR("ubuntu") };
	listed(d, true, 0);
	assert_text(became(d), "probes");
	const struct run_effect *effect =
	    &d->run.effects.items[d->run.effects.n - 1];
	while (effect->type != RUN_BANNER)
		effect--;
	assert_true(str_is(effect->host, "5.6.7.8"));
	assert_int_equal(effect->port, 99);
	assert_int_equal(effect->timeout_ms, 10000);
	assert_true(str_is(d->subject.ssh.user, "ubuntu"));
	wait_banner(&d->run, d->act, true, (struct str){0});
	assert_text(became(d), "done");
}

/* Its time of start is waited for half a minute, and no longer. */
static void
test_run_wait_can_do_without_a_time_of_start(void **state)
{
	struct desk *d = *state;

	begin(d, ACTION_POD_RUNNING);
	d->pod.started_at = (struct str){0};
	listed(d, true, 0);
	d->run.now_ms += 29999;
	listed(d, true, 0);
	assert_text(became(d), "waits: waiting for its time of start");
	d->run.now_ms++;
	listed(d, true, 0);
	assert_text(became(d), "done");
}

static void
test_run_wait_learns_the_price(void **state)
{
	static const struct { bool known; int64_t price, wanted; } rows[] = {
		{ true, 500, 500 }, { true, 1, 1 }, { true, 0, 7 }, { false, 500, 7 },
	};
	struct desk *d = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		d->subject.per_hour = 7;
		begin(d, ACTION_POD_RUNNING);
		d->pod.cost_known = rows[i].known;
		d->pod.cost_per_hour = rows[i].price;
		listed(d, true, 0);
		assert_int_equal(d->subject.per_hour, rows[i].wanted);
	}
}

/* Dead twice in a row is dead: one that this run has made, that has lived,
 * or that had its time; a start shows as EXITED for a while. */
static void
test_run_wait_believes_a_death_that_is_seen_twice(void **state)
{
	static const struct { enum pod_status status; const char *why; }
	    deaths[] = {
		{ POD_EXITED, "failed: its container has exited" },
		{ POD_ERROR, "failed: the service reports it as WORD" },
		{ POD_TERMINATED, "failed: the service reports it as WORD" },
	};

	for (size_t k = 0; k < COUNTOF(deaths); k++)
		for (unsigned i = 0; i < 16; i++) {
			struct desk *d = *state;
			bool made = i & 1, lived = i & 2, late = i & 4;
			bool starting = i & 8;
			d->subject.id = made ? STR("p1") : (struct str){0};
			begin(d, ACTION_POD_RUNNING);
			if (lived) {
				d->pod.status = starting ? POD_STARTING :
				    POD_RUNNING;
				d->pod.has_runtime = false;
				listed(d, true, 0);
			}
			if (late)
				d->run.now_ms += SETTLE_MS;
			d->pod.status = deaths[k].status;
			listed(d, true, 0);
			/* Once is nothing, and twice is if it was in a row. */
			assert_int_equal(d->act->phase, PH_WATCH);
			d->pod.status = POD_UNKNOWN;
			listed(d, true, 0);
			d->pod.status = deaths[k].status;
			listed(d, true, 0);
			assert_int_equal(d->act->phase, PH_WATCH);
			listed(d, true, 0);
			assert_text(became(d), made || lived || late ?
			    deaths[k].why : "waits: container is starting");
			desk_teardown(state);
			desk_setup(state);
		}
}

/* Just before its time it is not yet late. */
static void
test_run_wait_gives_a_start_its_time(void **state)
{
	struct desk *d = *state;

	begin(d, ACTION_POD_RUNNING);
	d->pod.status = POD_EXITED;
	d->run.now_ms += SETTLE_MS - 1;
	for (int i = 0; i < 5; i++)
		listed(d, true, 0);
	assert_int_equal(d->act->phase, PH_WATCH);
	d->run.now_ms++;
	listed(d, true, 0);
	assert_int_equal(d->act->phase, PH_WATCH);
	listed(d, true, 0);
	assert_text(became(d), "failed: its container has exited");
}

/* Of three listings that lack it, asked for since it was last seen, and the
 * time, each alone proves nothing. */
static void
test_run_wait_ends_for_what_has_vanished(void **state)
{
	struct desk *d = *state;

	begin(d, ACTION_POD_RUNNING);
	d->run.now_ms += SETTLE_MS - 1;
	for (int i = 0; i < 5; i++)
		listed(d, false, 0);
	assert_text(became(d), "waits: waiting for it to be listed");
	/* Listed once: it begins anew. */
	d->pod.status = POD_PROVISIONING;
	listed(d, true, 0);
	d->run.now_ms += SETTLE_MS;
	listed(d, false, SETTLE_MS + 1);	/* asked for before that */
	listed(d, false, 0);
	listed(d, false, 0);
	assert_int_equal(d->act->phase, PH_WATCH);
	listed(d, false, 0);
	assert_text(became(d), "failed: it has vanished from the account");
}

static void
test_run_wait_ends_where_the_mark_is_another(void **state)
{
	struct desk *d = *state;
	struct lock_entry *entry = lock_find_id(&d->lock, KIND_POD,
	    STR("p1"));
	struct id128 op, other;

	assert_true(id128_parse(STR("01010101010101010101010101010101"),
	    &op));
	assert_true(id128_parse(STR("99999999999999999999999999999999"),
	    &other));
	for (unsigned i = 0; i < 4; i++) {
		bool imported = i & 1, ours = i & 2;
		struct id128 *lineage = ours ? &d->run.options.lineage :
		    &other;
		entry->op = imported ? (struct id128){0} : op;
		d->pod.config.name = mark_name(&d->arena, STR("a"), lineage,
		    &op);
		d->pod.mark = mark_env(&d->arena, lineage, &op,
		    STR("pod.a"));
		begin(d, ACTION_POD_RUNNING);
		listed(d, true, 0);
		assert_text(became(d), imported || ours ? "done" :
		    "failed: it is listed with another mark than ours; see "
		    "podform audit");
	}
	/* Renamed in the console, it is ours by its environment. */
	d->pod.config.name = STR("mine");
	d->pod.mark = mark_env(&d->arena, &d->run.options.lineage, &op,
	    STR("pod.a"));
	entry->op = op;
	begin(d, ACTION_POD_RUNNING);
	listed(d, true, 0);
	assert_text(became(d), "done");
}

/* ------------------------------------------------------------- deadlines - */

/* No wait is without one; what ends an older pod's is said. */
static void
test_run_wait_ends_when_its_time_is_up(void **state)
{
	static const struct { enum plan_op op; const char *way_out; } rows[] = {
		{ PLAN_CREATE, "" }, { PLAN_REPLACE, "" },
		{ PLAN_UPDATE, "; if it stays so: podform apply --replace "
		    "pod.a" },
		{ PLAN_NOOP, "; if it stays so: podform apply --replace "
		    "pod.a" },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct desk *d = *state;
		d->change.op = rows[i].op;
		begin(d, ACTION_POD_RUNNING);
		d->run.now_ms += 10 * MINUTE_MS - 1;
		wait_time(&d->run, d->act);
		assert_int_equal(d->act->phase, PH_WATCH);
		d->run.now_ms++;
		wait_time(&d->run, d->act);
		assert_text(became(d), arena_printf(&d->arena,
		    "failed: not ready after 10m: waiting for the container"
		    "%s", rows[i].way_out).data);
		assert_int_equal(d->act->failure, FAIL_TIMEOUT);
		desk_teardown(state);
		desk_setup(state);
	}
}

/* What nobody ever tells ends, too: a create's result, and an end. */
static void
test_run_wait_ends_what_stays_unclear(void **state)
{
	static const struct { enum phase phase; const char *why; } rows[] = {
		{ PH_RESOLVE, "failed: it is still unclear whether it was "
		    "made" },
		{ PH_WATCH, "failed: it is still unclear whether it is gone" },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct desk *d = *state;
		d->act = act_add(&d->run, ACTION_POD_DELETE, &d->change,
		    &d->subject);
		d->act->ended_ms = d->run.now_ms;
		act_phase(&d->run, d->act, rows[i].phase);
		d->run.now_ms += SETTLE_MS + 10 * MINUTE_MS;
		wait_time(&d->run, d->act);
		assert_int_equal(d->act->phase, rows[i].phase);
		d->run.now_ms++;
		wait_time(&d->run, d->act);
		assert_text(became(d), rows[i].why);
		assert_int_equal(d->act->failure, FAIL_TIMEOUT);
		desk_teardown(state);
		desk_setup(state);
	}
}

/* One that has a time of its own is not ended by that. */
static void
test_run_wait_with_a_deadline_lasts_until_then(void **state)
{
	struct desk *d = *state;

	d->spec.ready_timeout_ms = 60 * MINUTE_MS;
	begin(d, ACTION_POD_RUNNING);
	d->run.now_ms += 30 * MINUTE_MS;
	wait_time(&d->run, d->act);
	assert_int_equal(d->act->phase, PH_WATCH);
	d->run.now_ms += 30 * MINUTE_MS;
	wait_time(&d->run, d->act);
	assert_int_equal(d->act->phase, PH_FAILED);
}

/* ------------------------------------------------------------------ gone - */

static void
test_run_wait_calls_gone_what_a_get_calls_so(void **state)
{
	struct cloud_pod ended = { .status = POD_TERMINATED };
	struct cloud_pod alive = { .status = POD_EXITED };
	struct {
		struct cloud_answer answer;
		bool gone;
	} rows[] = {
		{ { .outcome = OUTCOME_NO_EFFECT,
		    .reason = REASON_NOT_FOUND }, true },
		{ { .outcome = OUTCOME_NO_EFFECT, .reason = REASON_AUTH },
		    false },
		{ { .outcome = OUTCOME_UNKNOWN,
		    .reason = REASON_NOT_FOUND }, false },
		{ { .outcome = OUTCOME_OK, .pods = &ended, .npods = 1 },
		    true },
		{ { .outcome = OUTCOME_OK, .pods = &alive, .npods = 1 },
		    false },
		{ { .outcome = OUTCOME_OK, .npods = 0 }, false },
		{ { .outcome = OUTCOME_UNKNOWN, .pods = &ended, .npods = 1 },
		    false },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++)
		assert_int_equal(answer_says_gone(&rows[i].answer),
		    rows[i].gone);
}

static void
get(struct desk *d, bool gone, int64_t retry_after_ms)
{
	struct cloud_answer answer = {
		.outcome = gone ? OUTCOME_NO_EFFECT : OUTCOME_OK,
		.reason = gone ? REASON_NOT_FOUND : REASON_NONE,
		.pods = &d->pod, .npods = 1,
		.retry_after_ms = retry_after_ms };

	action_rows[d->act->kind].answer(&d->run, d->act, &answer);
	listing_pump(&d->run);
}

static void
ended(struct desk *d)
{
	d->act = act_add(&d->run, ACTION_POD_DELETE, &d->change,
	    &d->subject);
	d->act->id = STR("p1");
	d->act->intended = true;
	gone_start(&d->run, d->act);
}

/* After a delete: a GET and a listing that was asked for after it. */
static void
test_run_wait_believes_an_end_that_both_say(void **state)
{
	for (unsigned i = 0; i < 16; i++) {
		struct desk *d = *state;
		bool got = i & 1, there = i & 2, older = i & 4;
		bool undo = i & 8;
		struct act undone = {0};
		d->run.billing = 1000;
		d->subject.per_hour = 30;
		ended(d);
		d->act->undoes = undo ? &undone : NULL;
		assert_text(became(d), "asks");
		d->run.now_ms += 10;
		gone_answer(&d->run, d->act, &(struct cloud_answer){
			.outcome = got ? OUTCOME_NO_EFFECT : OUTCOME_OK,
			.reason = REASON_NOT_FOUND });
		listing_pump(&d->run);
		listed(d, there, older ? 1 : 0);
		bool gone = got && !there && !older;
		assert_text(became(d), gone ? "is gone" :
		    /* The two disagree: it is asked for again. */
		    !got && !older ? "asks" : "waits: waiting until it is "
			"gone");
		assert_int_equal(d->run.billing, !gone ? 1000 :
		    undo ? 970 : 600);
		desk_teardown(state);
		desk_setup(state);
	}
	/* One that is listed as terminated is not there. */
	struct desk *d = *state;
	ended(d);
	d->pod.status = POD_TERMINATED;
	get(d, true, 0);
	listed(d, true, 0);
	assert_text(became(d), "is gone");
}

/* It is not asked again before it may be. */
static void
test_run_wait_obeys_retry_after_while_it_looks(void **state)
{
	struct desk *d = *state;

	ended(d);
	get(d, false, 5000);
	d->run.now_ms += 4999;
	listed(d, false, 0);
	assert_text(became(d), "waits: waiting until it is gone");
	d->run.now_ms++;
	listed(d, false, 0);
	assert_text(became(d), "asks");
}

static void
zeros(void *ctx, void *out, size_t n)
{
	(void)ctx;
	memset(out, 0, n);
}

/* It is there after its time: the delete is given once more, whatever it has
 * cost so far, and then no more. */
static void
test_run_wait_deletes_once_more_what_stays(void **state)
{
	static const unsigned had[] = { 0, 3, 4, 5 };
	struct desk *d = *state;

	d->run.options.chance = (struct chance){ NULL, zeros };
	for (size_t i = 0; i < COUNTOF(had); i++) {
		ended(d);
		d->act->retries = had[i];
		get(d, false, 0);
		d->run.now_ms += SETTLE_MS - 1;
		listed(d, true, 0);
		assert_text(became(d), "asks");
		get(d, false, 0);
		d->run.now_ms++;
		listed(d, true, 0);
		assert_text(became(d), had[i] < 5 ? "again: it is still "
		    "there after the delete" : "failed: it is still there "
		    "after the delete");
		assert_int_equal(d->act->retries, 5);
	}
}

/* ----------------------------------------------------------- confirming - */

static void
confirming(struct desk *d)
{
	d->act = act_add(&d->run, ACTION_POD_CONFIRM_GONE, &d->change,
	    &d->subject);
	d->act->id = STR("p1");
	d->act->confirms = true;
	confirm_journaled(&d->run, d->act);
	assert_text(became(d), "waits: making sure that it is gone");
}

/* What was not ended by us needs the time, three listings and a GET. */
static void
test_run_wait_confirms_by_time_listings_and_a_get(void **state)
{
	struct desk *d = *state;

	confirming(d);
	d->run.now_ms += SETTLE_MS - 1;
	for (int i = 0; i < 5; i++)
		listed(d, false, 0);
	assert_text(became(d), "waits: making sure that it is gone");
	d->run.now_ms++;
	listed(d, false, 1);		/* asked for before that */
	listed(d, false, 0);
	listed(d, false, 0);
	assert_text(became(d), "waits: making sure that it is gone");
	listed(d, false, 0);
	assert_text(became(d), "asks");
	/* The GET says otherwise: all of it begins anew. */
	get(d, false, 3000);
	listed(d, false, 0);
	listed(d, false, 0);
	listed(d, false, 0);
	assert_text(became(d), "waits: making sure that it is gone");
	d->run.now_ms += 3000;
	listed(d, false, 0);
	assert_text(became(d), "asks");
	get(d, true, 0);
	assert_text(became(d), "is gone");
}

static void
test_run_wait_confirms_at_once_what_the_service_calls_ended(void **state)
{
	struct desk *d = *state;

	confirming(d);
	d->pod.status = POD_TERMINATED;
	listed(d, true, 0);
	assert_text(became(d), "asks");
	get(d, true, 0);
	assert_text(became(d), "is gone");
}

static void
test_run_wait_confirms_nothing_that_is_there(void **state)
{
	struct desk *d = *state;

	confirming(d);
	listed(d, true, 0);
	assert_text(became(d), "is not gone: it is there after all; plan "
	    "again");
	assert_int_equal(d->act->last_failure, FAIL_ERROR);
}

/* Of a volume the listing of volumes says it, by its id. */
static void
test_run_wait_looks_for_volumes_among_volumes(void **state)
{
	struct desk *d = *state;
	struct cloud_volume volumes[] = { { .id = STR("v0") },
		{ .id = STR("p1") } };

	d->change.kind = KIND_VOLUME;
	for (size_t n = 0; n <= COUNTOF(volumes); n++) {
		struct cloud_answer answer = { .outcome = OUTCOME_OK,
			.volumes = volumes, .nvolumes = n };
		struct listed seen = { .answer = &answer,
			.sent_ms = d->run.now_ms };
		confirming(d);
		gone_listed(&d->run, d->act, &seen);
		listing_pump(&d->run);
		assert_text(became(d), n == 2 ? "is not gone: it is there "
		    "after all; plan again" :
		    "waits: making sure that it is gone");
	}
	gone_start(&d->run, begin(d, ACTION_VOLUME_DELETE));
	const struct run_effect *effect =
	    &d->run.effects.items[d->run.effects.n - 1];
	assert_int_equal(effect->request.op, CLOUD_GET_VOLUME);
}

int
main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, desk_setup, desk_teardown)
	const struct CMUnitTest tests[] = {
		ROW(test_run_wait_needs_life_a_port_and_a_time),
		ROW(test_run_wait_probes_again_where_it_is_listed_now),
		ROW(test_run_wait_can_do_without_a_time_of_start),
		ROW(test_run_wait_learns_the_price),
		ROW(test_run_wait_believes_a_death_that_is_seen_twice),
		ROW(test_run_wait_gives_a_start_its_time),
		ROW(test_run_wait_ends_for_what_has_vanished),
		ROW(test_run_wait_ends_where_the_mark_is_another),
		ROW(test_run_wait_ends_when_its_time_is_up),
		ROW(test_run_wait_ends_what_stays_unclear),
		ROW(test_run_wait_with_a_deadline_lasts_until_then),
		ROW(test_run_wait_calls_gone_what_a_get_calls_so),
		ROW(test_run_wait_believes_an_end_that_both_say),
		ROW(test_run_wait_obeys_retry_after_while_it_looks),
		ROW(test_run_wait_deletes_once_more_what_stays),
		ROW(test_run_wait_confirms_by_time_listings_and_a_get),
		ROW(test_run_wait_confirms_at_once_what_the_service_calls_ended),
		ROW(test_run_wait_confirms_nothing_that_is_there),
		ROW(test_run_wait_looks_for_volumes_among_volumes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
