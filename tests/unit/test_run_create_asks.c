/*
 * test_run_create_asks.c - what a create sends and records, which candidates
 * the budget lets it have, and which answers it believes: one act by itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "act_world.h"
#include "run_world.h"

/* A pod that may be an A40 or an RTX A5000, the latter where it is cheap. */
static void
begin_pod(struct act_world *f, const char *more)
{
	act_begin(f, ACTION_POD_CREATE, more);
	f->plan.spec = f->w.spec;
	f->change.config = (struct pod_config){ .name = STR("a"),
		.image = STR("x:1") };
	f->change.candidates.n = 0;
	*ARENA_PUSH(&f->w.arena, &f->change.candidates) = (struct candidate){
		.gpu = STR("NVIDIA A40"), .gpu_name = STR("A40"),
		.tier = TIER_SECURE, .data_center = STR("EU-RO-1"),
		.price_per_hour = 400000 };
	*ARENA_PUSH(&f->w.arena, &f->change.candidates) = (struct candidate){
		.gpu = STR("NVIDIA RTX A5000"), .tier = TIER_COMMUNITY,
		.price_per_hour = 160000 };
	f->act.phase = PH_QUEUED;
	f->run.inside_in_flight = 0;
	f->run.billing = 0;
	f->run.summary.refused.n = 0;
}

static void
begin_volume(struct act_world *f)
{
	world_spec(&f->w, "volumes: { d: { size: 10GB, data_center: EU-RO-1, "
	    "protect: true } }\n");
	f->plan.spec = f->w.spec;
	f->want = f->w.spec->resources[0];
	f->change = (struct plan_change){ .kind = KIND_VOLUME,
		.address = STR("volume.d"), .want = &f->want,
		.host_change = SIZE_MAX,
		.volume_config = { .name = STR("d"), .size_gb = 10 } };
	act_renew(f, ACTION_VOLUME_CREATE);
	f->act.phase = PH_QUEUED;
	f->run.inside_in_flight = 0;
	f->run.open = 1;
}

/* Its intent is on disk, and it was sent. */
static void
send(struct act_world *f)
{
	create_start(&f->run, &f->act);
	f->act.intended = true;
	create_journaled(&f->run, &f->act);
	assert_int_equal(f->act.phase, PH_SENT);
	f->run.effects.n = f->run.effects_at = 0;
}

/* ----------------------------------------------------------------- asking */

static void
test_run_create_records_what_it_asks_for(void **state)
{
	struct act_world *f = *state;

	begin_pod(f, ", protect: true");
	f->change.name_pattern = STR("{name}");
	create_start(&f->run, &f->act);
	struct lock_op op = act_effect(f, RUN_JOURNAL).record.op;
	assert_int_equal(op.action, OP_CREATE);
	assert_true(op.entry.protect);
	assert_true(str_is(op.entry.name_pattern, "{name}"));
	assert_true(str_is(op.entry.gpu_name, "A40"));
	assert_true(str_is(op.entry.pod.gpu, "NVIDIA A40"));
	assert_true(str_is(op.entry.pod.data_center, "EU-RO-1"));
	assert_int_equal(op.entry.pod.tier, TIER_SECURE);
	assert_int_equal(op.entry.price_per_hour, 400000);
	/* What it will cost is spoken for from now on. */
	assert_int_equal(f->run.billing, 400000);
	assert_int_equal(f->subject.per_hour, 400000);
	begin_pod(f, "");
	create_start(&f->run, &f->act);
	assert_false(act_effect(f, RUN_JOURNAL).record.op.entry.protect);

	begin_volume(f);
	create_start(&f->run, &f->act);
	op = act_effect(f, RUN_JOURNAL).record.op;
	assert_true(op.entry.protect);
	assert_int_equal(op.entry.volume.size_gb, 10);
	assert_true(str_starts(op.entry.volume.name, STR("d-pf")));
}

static void
test_run_create_needs_the_id_of_its_volume(void **state)
{
	struct act_world *f = *state;

	for (int i = 0; i < 3; i++) {
		begin_pod(f, "");
		world_spec(&f->w, "pods: { a: { image: x:1, gpu: A40, "
		    "network_volume: { volume: d, path: /w } } }\n"
		    "volumes: { d: { size: 10GB, data_center: EU-RO-1 } }\n");
		f->want = f->w.spec->resources[0];
		f->w.lock.entries.n = 0;
		f->w.lock.index = NULL;
		if (i > 0)
			lock_add_entry(&f->w.lock, &(struct lock_entry){
				.kind = KIND_VOLUME, .address = STR("volume.d"),
				.id = i > 1 ? STR("vol9") : (struct str){0} });
		create_start(&f->run, &f->act);
		if (i < 2) {
			assert_act_failed(f, FAIL_ERROR,
			    "its network volume has no id yet");
			continue;
		}
		assert_true(str_is(act_effect(f, RUN_JOURNAL).record.op.entry
		    .pod.volume_id, "vol9"));
	}
}

static void
test_run_create_sends_nothing_with_a_value_missing(void **state)
{
	struct act_world *f = *state;
	struct env_var lost = { STR("E"), STR("${secret.LOST}"), true };

	begin_pod(f, "");
	f->change.config.env = &lost;
	f->change.config.nenv = 1;
	create_start(&f->run, &f->act);
	assert_act_failed(f, FAIL_ERROR, "the value of env E is not known");
	assert_int_equal(f->run.billing, 0);
	assert_int_equal(act_effect(f, RUN_NOTE).note.type,
	    NOTE_ACTION_ERROR);
	assert_no_effect(f);
}

/* Before and after: PUBLIC_KEY goes where the order of names has it, to pods
 * that listen for SSH, unless the spec has one. */
static void
test_run_create_gives_keys_to_pods_with_ssh(void **state)
{
	static const struct {
		const char *port, *keys, *names[3], *wanted;
	} rows[] = {
		{ "22/tcp", "k1", { NULL }, "PUBLIC_KEY=k1 " },
		{ "22/tcp", "k1", { "A", "Z" }, "A=v PUBLIC_KEY=k1 Z=v " },
		{ "22/tcp", "k1", { "A", "B" }, "A=v B=v PUBLIC_KEY=k1 " },
		{ "22/tcp", "k1", { "X", "Y" }, "PUBLIC_KEY=k1 X=v Y=v " },
		{ "22/tcp", "k1", { "A", "PUBLIC_KEY" },
		  "A=v PUBLIC_KEY=v " },
		{ "22/tcp", "k1", { "PUBLIC_KEY", "Z" },
		  "PUBLIC_KEY=v Z=v " },
		{ "22/tcp", NULL, { "A" }, "A=v " },
		{ "80/http", "k1", { "A" }, "A=v " },
		{ NULL, "k1", { "A" }, "A=v " },
	};
	struct act_world *f = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct env_var env[3];
		struct str ports[] = { str_from(rows[i].port),
			STR("8888/http") };
		struct strbuf found = {0};
		size_t n = 0;

		begin_pod(f, "");
		for (; n < 3 && rows[i].names[n] != NULL; n++)
			env[n] = (struct env_var){ .value = STR("v"),
				.name = str_from(rows[i].names[n]) };
		f->change.config.env = env;
		f->change.config.nenv = n;
		f->change.config.ports = rows[i].port != NULL ? ports
							      : &ports[1];
		f->change.config.nports = rows[i].port != NULL ? 2 : 1;
		f->run.options.public_keys = str_from(rows[i].keys);
		create_start(&f->run, &f->act);
		for (size_t j = 0; j < f->act.config.nenv; j++)
			strbuf_addf(&found, STR_FMT "=" STR_FMT " ",
			    STR_ARG(f->act.config.env[j].name),
			    STR_ARG(f->act.config.env[j].value));
		assert_text(found.data, rows[i].wanted);
		strbuf_release(&found);
		/* It is no part of the record. */
		assert_int_equal(act_effect(f, RUN_JOURNAL).record.op.entry
		    .pod.nenv, n);
	}
}

/* What it would cost with what bills already, at most the budget. */
static void
test_run_create_takes_what_the_budget_lets_it(void **state)
{
	static const struct {
		const char *budget;
		bool over;
		int64_t billing, first_price;
		const char *gpu;		/* NULL: none */
	} rows[] = {
		{ NULL, false, 9000000, 400000, "NVIDIA A40" },
		{ NULL, false, 0, -1, "NVIDIA A40" },
		{ "0.40", false, 0, 400000, "NVIDIA A40" },
		{ "0.40", false, 1, 400000, "NVIDIA RTX A5000" },
		{ "0.40", false, 240000, 400000, "NVIDIA RTX A5000" },
		{ "0.40", false, 240001, 400000, NULL },
		{ "0.40", true, 240001, 400000, "NVIDIA A40" },
		{ "0.40", false, 0, -1, "NVIDIA RTX A5000" },
		{ "0.40", false, 0, 0, "NVIDIA A40" },
	};
	struct act_world *f = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		begin_pod(f, "");
		if (rows[i].budget != NULL) {
			world_spec(&f->w, arena_printf(&f->w.arena,
			    "settings: { budget: { per_hour: %s } }\n"
			    "pods: { a: { image: x:1, gpu: A40 } }\n",
			    rows[i].budget).data);
			f->plan.spec = f->w.spec;
		}
		f->run.options.over_budget = rows[i].over;
		f->run.billing = rows[i].billing;
		f->change.candidates.items[0].price_per_hour =
		    rows[i].first_price;
		create_start(&f->run, &f->act);
		if (rows[i].gpu == NULL) {
			assert_act_failed(f, FAIL_BUDGET, "none of 2 "
			    "candidates could be had; last: over the budget of "
			    "settings.budget.per_hour");
			assert_int_equal(f->run.summary.refused.n, 2);
			assert_true(str_is(f->run.summary.refused.items[1],
			    "pod.a: NVIDIA RTX A5000 community: over the "
			    "budget of settings.budget.per_hour"));
			continue;
		}
		assert_true(str_is(f->act.entry.pod.gpu, rows[i].gpu));
		/* A price that nobody knows is not counted as less. */
		int64_t price = f->act.entry.price_per_hour;
		assert_int_equal(f->run.billing,
		    rows[i].billing + (price > 0 ? price : 0));
	}
	f->run.options.over_budget = false;
}

/* -------------------------------------------------------------- sending - */

static void
test_run_create_that_may_not_be_sent_is_withdrawn(void **state)
{
	struct act_world *f = *state;

	for (int stopping = 0; stopping < 2; stopping++) {
		begin_pod(f, "");
		create_start(&f->run, &f->act);
		(void)act_effect(f, RUN_JOURNAL);
		f->act.intended = true;
		f->run.stopping = stopping;
		f->run.fatal = FAIL_AUTH;
		create_journaled(&f->run, &f->act);
		struct record record = act_effect(f, RUN_JOURNAL).record;
		assert_int_equal(record.type, RECORD_RESULT);
		assert_int_equal(record.outcome, OP_NONE);
		assert_int_equal(f->act.next, NEXT_FAIL);
		assert_int_equal(f->act.last_failure, stopping
			? FAIL_INTERRUPTED : FAIL_ERROR);
		assert_true(str_is(f->act.last_refusal,
		    "stopped before anything was sent"));
		assert_int_equal(f->run.billing, 0);
		assert_int_equal(f->subject.per_hour, 0);
		f->run.stopping = false;
		f->run.fatal = FAIL_NONE;
	}
}

static void
test_run_create_sends_what_it_has_journaled(void **state)
{
	struct act_world *f = *state;

	begin_pod(f, "");
	create_start(&f->run, &f->act);
	(void)act_effect(f, RUN_JOURNAL);
	f->act.intended = true;
	/* Started again, after a backoff: under the same op. */
	create_start(&f->run, &f->act);
	struct run_effect effect = act_effect(f, RUN_REQUEST);
	assert_int_equal(effect.request.op, CLOUD_CREATE_POD);
	assert_true(str_eq(effect.request.pod->name, f->act.config.name));
	assert_true(effect.request.mark.len > 0);
	assert_int_equal(effect.timeout_ms, 60000);

	begin_volume(f);
	create_start(&f->run, &f->act);
	(void)act_effect(f, RUN_JOURNAL);
	create_journaled(&f->run, &f->act);
	effect = act_effect(f, RUN_REQUEST);
	assert_int_equal(effect.request.op, CLOUD_CREATE_VOLUME);
	assert_int_equal(effect.request.volume.size_gb, 10);
}

/* -------------------------------------------------------------- answers - */

static struct cloud_pod
our_pod(const struct act_world *f)
{
	return (struct cloud_pod){ .id = STR("new1"),
		.config.name = f->act.config.name, .mark = f->act.mark,
		.created_at = STR("2026-11-21T09:00:00Z") };
}

static void
test_run_create_believes_a_price_that_is_told(void **state)
{
	struct act_world *f = *state;

	/* Not told; told; told to be nothing. */
	for (int known = 0; known < 3; known++) {
		begin_pod(f, "");
		f->run.summary.changed = false;
		send(f);
		struct cloud_pod pod = our_pod(f);
		pod.cost_known = known > 0;
		pod.cost_per_hour = known == 2 ? 0 : 390000;
		create_answer(&f->run, &f->act, &(struct cloud_answer){
			.outcome = OUTCOME_OK, .pods = &pod, .npods = 1 });
		assert_int_equal(act_effect(f, RUN_NOTE).note.type,
		    NOTE_ID_ASSIGNED);
		struct record record = act_effect(f, RUN_JOURNAL).record;
		assert_int_equal(record.outcome, OP_DONE);
		assert_true(str_is(record.id, "new1"));
		assert_true(str_is(record.created_at,
		    "2026-11-21T09:00:00Z"));
		assert_false(record.adopted);
		int64_t price = known == 0 ? 400000 : pod.cost_per_hour;
		assert_int_equal(record.price_per_hour, price);
		assert_int_equal(f->subject.per_hour, price);
		assert_int_equal(f->run.billing, price);
		assert_true(f->run.summary.changed);
		assert_ptr_equal(map_get(&f->run.made,
		    id128_str(&f->act.op)), &f->act);
	}
}

static const struct {
	const char *id;
	bool ours, again;	/* with our mark; a second one beside it */
	const char *said;	/* NULL: it is believed */
	const char *claimed;	/* an id that may bill */
} volumes[] = {
	{ "v", true, false, NULL, NULL },
	{ "v1", false, false, "it does not show our mark", "v1" },
	{ "", true, false, "it does not show our mark", NULL },
	{ "v1", true, true, "it does not show our mark", NULL },
	{ NULL, true, false, "it does not show our mark", NULL },
	{ "o", true, false, "it names a thing that we already have", NULL },
};

static void
test_run_create_believes_a_volume_with_our_mark(void **state)
{
	struct act_world *f = *state;

	lock_add_entry(&f->w.lock, &(struct lock_entry){ .kind = KIND_VOLUME,
		.address = STR("volume.old"), .id = STR("o") });
	for (size_t i = 0; i < COUNTOF(volumes); i++) {
		begin_volume(f);
		send(f);
		struct cloud_volume answer[2] = { {
			.id = str_from(volumes[i].id),
			.name = volumes[i].ours ? f->act.entry.volume.name
						: STR("d") } };
		answer[1] = answer[0];
		create_answer(&f->run, &f->act, &(struct cloud_answer){
			.outcome = OUTCOME_OK, .volumes = answer,
			.nvolumes = volumes[i].id == NULL ? 0 :
			    volumes[i].again ? 2 : 1 });
		if (volumes[i].said == NULL) {
			assert_int_equal(f->act.phase, PH_RESULT);
			assert_true(str_is(f->act.id, "v"));
			(void)act_effect(f, RUN_NOTE);
			assert_false(act_effect(f, RUN_JOURNAL).record.adopted);
			continue;
		}
		assert_int_equal(f->act.phase, PH_RESOLVE);
		assert_text(arena_cstr(&f->w.arena, f->act.reason),
		    arena_printf(&f->w.arena, "unclear answer (%s); looking "
			"whether it was made", volumes[i].said).data);
		assert_true(str_eq(f->act.claimed,
		    str_from(volumes[i].claimed)));
	}
}

/* Success without a pod, or with two: which one would it be? */
static void
test_run_create_believes_no_other_number_of_pods(void **state)
{
	struct act_world *f = *state;

	for (size_t n = 0; n < 3; n++) {
		begin_pod(f, "");
		send(f);
		struct cloud_pod pods[] = { our_pod(f), our_pod(f) };
		create_answer(&f->run, &f->act, &(struct cloud_answer){
			.outcome = OUTCOME_OK, .pods = pods, .npods = n });
		assert_int_equal(f->act.phase, n == 1 ? PH_RESULT
						      : PH_RESOLVE);
		assert_int_equal(f->act.claimed.len, 0);
	}
}

static const struct {
	enum cloud_reason reason;
	int status;
	bool next;		/* the next candidate may do */
	enum run_failure failure, of_volume;
} refusals[] = {
	{ REASON_NO_CAPACITY, 400, true, FAIL_CAPACITY, FAIL_CAPACITY },
	{ REASON_FORBIDDEN, 403, true, FAIL_CAPACITY, FAIL_AUTH },
	{ REASON_BAD_REQUEST, 400, true, FAIL_ERROR, FAIL_ERROR },
	{ REASON_BAD_REQUEST, 422, false, FAIL_ERROR, FAIL_ERROR },
	{ REASON_NO_CAPACITY, 422, false, FAIL_CAPACITY, FAIL_CAPACITY },
	{ REASON_FORBIDDEN, 422, false, FAIL_AUTH, FAIL_AUTH },
	{ REASON_AUTH, 401, false, FAIL_AUTH, FAIL_AUTH },
	{ REASON_BALANCE, 402, false, FAIL_BALANCE, FAIL_BALANCE },
	{ REASON_NOT_FOUND, 404, false, FAIL_ERROR, FAIL_ERROR },
	{ REASON_CONFLICT, 409, false, FAIL_ERROR, FAIL_ERROR },
	{ REASON_RETIRED, 410, false, FAIL_ERROR, FAIL_ERROR },
	{ REASON_NONE, 418, false, FAIL_ERROR, FAIL_ERROR },
};

static void
test_run_create_refused_takes_the_next_or_says_why(void **state)
{
	struct act_world *f = *state;

	/* The first candidate, the last one, a volume. */
	for (size_t i = 0; i < 3 * COUNTOF(refusals); i++) {
		size_t row = i / 3, way = i % 3;
		if (way == 2)
			begin_volume(f);
		else
			begin_pod(f, "");
		f->act.candidate = way;
		send(f);
		create_answer(&f->run, &f->act, &(struct cloud_answer){
			.outcome = OUTCOME_NO_EFFECT,
			.reason = refusals[row].reason,
			.status = refusals[row].status,
			.message = STR("no") });
		bool next = way == 0 && refusals[row].next;
		assert_int_equal(f->act.phase, PH_RESULT);
		assert_int_equal(f->act.next, next ? NEXT_RETRY : NEXT_FAIL);
		assert_int_equal(f->act.candidate, next ? 1 : way);
		assert_int_equal(f->act.last_failure, way == 2
			? refusals[row].of_volume : refusals[row].failure);
		assert_int_equal(f->run.summary.refused.n, way < 2);
		assert_text(arena_cstr(&f->w.arena, f->act.last_refusal),
		    way == 1 && refusals[row].next
		    ? "none of 2 candidates could be had; last: no" : "no");
		assert_int_equal(f->run.billing, 0);
		f->run.summary.refused.n = 0;
	}
}

static void
test_run_create_refused_by_its_only_candidate_says_that(void **state)
{
	struct act_world *f = *state;

	begin_pod(f, "");
	f->change.candidates.n = 1;
	f->change.candidates.items[0].gpu_name = STR("T");
	f->change.candidates.items[0].data_center = STR("E");
	send(f);
	create_answer(&f->run, &f->act, &(struct cloud_answer){
		.outcome = OUTCOME_NO_EFFECT, .reason = REASON_NO_CAPACITY,
		.message = STR("no") });
	assert_true(str_is(f->act.last_refusal, "no"));
	assert_true(str_is(f->run.summary.refused.items[0],
	    "pod.a: T secure in E: no"));
}

/* Nothing left us, or it was too early: the same op, five times. */
static void
test_run_create_gives_up_what_is_never_sent(void **state)
{
	static const struct {
		unsigned retries;
		bool stopping, again;
	} rows[] = {
		{ 0, false, true }, { 4, false, true }, { 5, false, false },
		{ 0, true, false },
	};
	struct act_world *f = *state;

	for (size_t i = 0; i < 2 * COUNTOF(rows); i++) {
		begin_pod(f, "");
		send(f);
		f->act.retries = rows[i / 2].retries;
		f->run.stopping = rows[i / 2].stopping;
		create_answer(&f->run, &f->act, &(struct cloud_answer){
			.outcome = i % 2 ? OUTCOME_NOT_SENT
					 : OUTCOME_NO_EFFECT,
			.reason = i % 2 ? REASON_TRANSIENT
					: REASON_RATE_LIMITED,
			.message = STR("later") });
		f->run.stopping = false;
		if (rows[i / 2].again) {
			assert_int_equal(f->act.phase, PH_QUEUED);
			assert_true(f->act.intended);
			assert_int_equal(f->run.billing, 400000);
			continue;
		}
		assert_int_equal(f->act.phase, PH_RESULT);
		assert_int_equal(f->act.next, NEXT_FAIL);
		assert_int_equal(f->act.last_failure, FAIL_ERROR);
		assert_true(str_is(f->act.last_refusal, "later"));
		assert_int_equal(f->run.billing, 0);
	}
}

/* ------------------------------------------------------------ resolving - */

static void
listed(struct act_world *f, const struct cloud_answer *answer,
    int64_t sent_ms)
{
	const struct listed seen = { .answer = answer, .sent_ms = sent_ms };

	create_listed(&f->run, &f->act, &seen);
}

/* Three complete listings that were asked for after the settling time. */
static void
test_run_create_is_dead_after_three_late_listings(void **state)
{
	const struct cloud_answer nothing = { .outcome = OUTCOME_OK };
	struct act_world *f = *state;

	f->run.options.settle_ms = 60000;
	for (int i = 0; i < 4; i++) {
		bool stopping = i % 2;
		if (i < 2)
			begin_pod(f, "");
		else
			begin_volume(f);
		send(f);
		f->act.clean = 2;	/* of an op before */
		f->act.last_failure = FAIL_CAPACITY;
		create_answer(&f->run, &f->act, &(struct cloud_answer){
			.outcome = OUTCOME_UNKNOWN, .message = STR("oops") });
		f->run.stopping = stopping;
		for (int j = 0; j < 5; j++)
			listed(f, &nothing, 5000 + 59999);
		for (int j = 0; j < 2; j++)
			listed(f, &nothing, 5000 + 60000);
		assert_int_equal(f->act.phase, PH_RESOLVE);
		listed(f, &nothing, 5000 + 60000);
		assert_int_equal(f->act.phase, PH_RESULT);
		assert_int_equal(f->act.next, stopping ? NEXT_FAIL
						       : NEXT_BACKOFF);
		assert_int_equal(f->act.last_failure, FAIL_ERROR);
		assert_int_equal(f->run.billing, 0);
		f->run.stopping = false;
	}
}

static void
test_run_create_finds_its_volume_among_others(void **state)
{
	struct act_world *f = *state;

	begin_volume(f);
	send(f);
	create_answer(&f->run, &f->act, &(struct cloud_answer){
		.outcome = OUTCOME_UNKNOWN, .message = STR("oops") });
	struct cloud_volume all[] = { { .id = STR("v1"), .name = STR("d") },
		{ .id = STR("v2"), .name = f->act.entry.volume.name } };
	listed(f, &(struct cloud_answer){ .volumes = all, .nvolumes = 1 },
	    6000);
	assert_int_equal(f->act.phase, PH_RESOLVE);
	f->act.clean = 2;
	listed(f, &(struct cloud_answer){ .volumes = all, .nvolumes = 2 },
	    6000);
	assert_int_equal(f->act.phase, PH_RESULT);
	assert_true(str_is(f->act.id, "v2"));
	assert_int_equal(f->act.next, NEXT_DONE);
}

static void
test_run_create_finds_its_pod_among_others(void **state)
{
	struct act_world *f = *state;

	for (int known = 0; known < 2; known++) {
		begin_pod(f, "");
		send(f);
		create_answer(&f->run, &f->act, &(struct cloud_answer){
			.outcome = OUTCOME_UNKNOWN, .message = STR("oops") });
		struct cloud_pod all[] = { { .id = STR("p7"),
			.config.name = STR("trainer") }, our_pod(f) };
		all[1].cost_known = known;
		all[1].cost_per_hour = 1000;
		f->act.clean = 2;
		listed(f, &(struct cloud_answer){ .pods = all, .npods = 2 },
		    6000);
		assert_int_equal(f->act.phase, PH_RESULT);
		assert_int_equal(f->act.next, NEXT_DONE);
		assert_true(str_is(f->act.id, "new1"));
		assert_int_equal(f->subject.per_hour, known ? 1000 : 400000);
	}
}

/* It failed for what it saw, and has no other end. */
static void
test_run_create_that_saw_half_its_mark_ends_there(void **state)
{
	struct act_world *f = *state;

	begin_pod(f, "");
	send(f);
	f->run.summary.changed = false;
	create_answer(&f->run, &f->act, &(struct cloud_answer){
		.outcome = OUTCOME_UNKNOWN, .message = STR("oops") });
	/* It may have been made. */
	assert_true(f->run.summary.changed);
	assert_int_equal(f->act.told_ms, 5000);
	struct cloud_pod half = our_pod(f);
	half.config.name = STR("mine");
	f->act.clean = 2;
	f->run.effects.n = f->run.effects_at = 0;
	listed(f, &(struct cloud_answer){ .pods = &half, .npods = 1 }, 6000);
	assert_int_equal(f->act.phase, PH_FAILED);
	assert_int_equal(f->act.failure, FAIL_SUSPECT);
	assert_int_equal(act_effect(f, RUN_NOTE).note.type,
	    NOTE_ACTION_ERROR);
	assert_no_effect(f);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, act_setup, \
	act_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_run_create_records_what_it_asks_for),
		TEST(test_run_create_needs_the_id_of_its_volume),
		TEST(test_run_create_sends_nothing_with_a_value_missing),
		TEST(test_run_create_gives_keys_to_pods_with_ssh),
		TEST(test_run_create_takes_what_the_budget_lets_it),
		TEST(test_run_create_that_may_not_be_sent_is_withdrawn),
		TEST(test_run_create_sends_what_it_has_journaled),
		TEST(test_run_create_believes_a_price_that_is_told),
		TEST(test_run_create_believes_a_volume_with_our_mark),
		TEST(test_run_create_believes_no_other_number_of_pods),
		TEST(test_run_create_refused_takes_the_next_or_says_why),
		TEST(test_run_create_refused_by_its_only_candidate_says_that),
		TEST(test_run_create_gives_up_what_is_never_sent),
		TEST(test_run_create_is_dead_after_three_late_listings),
		TEST(test_run_create_finds_its_volume_among_others),
		TEST(test_run_create_finds_its_pod_among_others),
		TEST(test_run_create_that_saw_half_its_mark_ends_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
