/* act_world.c - see act_world.h */
#include "act_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define THE_OP "11111111111111111111111111111111"
#define MADE_AT "2026-11-21T08:00:00Z"

static void
no_chance(void *ctx, void *out, size_t n)
{
	(void)ctx;
	memset(out, 0, n);
}

static bool
known_secret(void *ctx, struct arena *arena, struct str reference,
    struct str *value)
{
	(void)ctx;
	(void)arena;
	*value = STR("hunter2-hunter2");
	return str_is(reference, "${secret.KNOWN}");
}

int
act_setup(void **state)
{
	static struct act_world f;

	memset(&f, 0, sizeof f);
	world_init(&f.w);
	f.plan.live = &f.w.live;
	f.run = (struct run){ .arena = &f.w.arena, .plan = &f.plan,
		.lock = &f.w.lock, .now_ms = 5000,
		.change_subjects = f.subjects,
		.options = { .chance.bytes = no_chance,
			.resolve = known_secret,
			.lineage = f.w.lock.lineage },
	};
	f.change = (struct plan_change){ .kind = KIND_POD,
		.address = STR("pod.a"), .host_change = SIZE_MAX };
	f.act = (struct act){ .kind = ACTION_POD_PROCESS, .change = &f.change,
		.subject = &f.subject, .component = SIZE_MAX };
	*state = &f;
	return 0;
}

int
act_teardown(void **state)
{
	struct act_world *f = *state;

	world_release(&f->w);
	return 0;
}

void
act_renew(struct act_world *f, enum action_kind kind)
{
	f->act = (struct act){ .kind = kind, .change = &f->change,
		.subject = &f->subject, .component = SIZE_MAX,
		/* As an earlier op may have left it. */
		.next = NEXT_FAIL };
	act_asked(f);
	f->run.effects.n = f->run.effects_at = 0;
}

struct run_effect
act_effect(struct act_world *f, enum run_effect_type type)
{
	struct run_effect effect;

	if (!run_next_effect(&f->run, &effect))
		fail_msg("no effect");
	if (effect.type != type)
		fail_msg("effect %d, not %d: " STR_FMT, (int)effect.type,
		    (int)type, STR_ARG(effect.note.text));
	return effect;
}

void
assert_no_effect(struct act_world *f)
{
	struct run_effect effect;

	if (run_next_effect(&f->run, &effect))
		fail_msg("effect %d: " STR_FMT, (int)effect.type,
		    STR_ARG(effect.note.text));
}

void
act_asked(struct act_world *f)
{
	f->act.phase = PH_ASKED;
	f->run.inside_in_flight = 1;
}

void
act_begin(struct act_world *f, enum action_kind kind, const char *more)
{
	static const char *const digests[] = { "d0", "d1", "d2" };

	fake_fs_put(f->w.fake, "data.bin", STR("x"), 0600);
	world_spec(&f->w, arena_printf(&f->w.arena,
	    "secrets: { KNOWN: { env: K }, LOST: { env: L } }\n"
	    "pods: { a: { image: x:1, gpu: A40, ports: [22/tcp]%s } }\n",
	    more).data);
	f->want = f->w.spec->resources[0];
	f->pod = (struct cloud_pod){ .id = STR("p1"), .status = POD_RUNNING,
		.started_at = STR("2026-11-21T09:00:00Z"),
		.ssh = { STR("192.0.2.1"), 22, STR("root") } };
	f->change.want = &f->want;
	f->change.pod = &f->pod;
	f->change.inside.steps = ARENA_ARRAY(&f->w.arena, struct str, 3);
	for (size_t i = 0; i < COUNTOF(digests); i++)
		f->change.inside.steps[i] = str_from(digests[i]);
	f->change.inside.process_digest = STR("dp");
	f->subject = (struct subject){0};
	f->run.now_ms = 5000;
	f->run.open = 1;
	act_renew(f, kind);
}

struct lock_inside
act_fact_of(struct act_world *f)
{
	struct record record = act_effect(f, RUN_JOURNAL).record;

	assert_int_equal(record.type, RECORD_FACT);
	assert_true(str_is(record.id, "p1"));
	assert_int_equal(record.price_per_hour, -1);	/* not told */
	assert_int_equal(f->act.phase, PH_RESULT);
	assert_int_equal(f->act.next, NEXT_DONE);
	return record.inside;
}

void
assert_act_failed(const struct act_world *f, enum run_failure failure,
    const char *why)
{
	struct arena scratch = {0};

	assert_int_equal(f->act.phase, PH_FAILED);
	assert_int_equal(f->act.failure, failure);
	assert_text(arena_cstr(&scratch, f->act.reason), why);
	arena_release(&scratch);
}

void
assert_act_waits(const struct act_world *f, int64_t ms)
{
	assert_int_equal(f->act.phase, PH_QUEUED);
	assert_int_equal(f->act.not_before_ms - f->run.now_ms, ms);
}

static struct id128
op_id(void)
{
	struct id128 op;

	assert_true(id128_parse(STR(THE_OP), &op));
	return op;
}

void
act_begin_thing(struct act_world *f, struct act_thing *c, enum action_kind kind)
{
	bool volume = action_rows[kind].volume;
	struct id128 op = op_id();
	struct str name = mark_name(&f->w.arena, STR("a"), &f->w.lock.lineage,
	    &op);

	act_begin(f, kind, "");
	f->run.inside_in_flight = 0;
	f->act.phase = PH_QUEUED;
	f->change = (struct plan_change){
		.kind = volume ? KIND_VOLUME : KIND_POD,
		.address = volume ? STR("volume.d") : STR("pod.a"),
		.host_change = SIZE_MAX, .want = &f->want, .have = &c->have,
		.volume_config.size_gb = 20,
		.config = { .name = STR("a"), .image = STR("new:1"),
			.args = STR("new"), .disk_gb = 30 },
		.changes = CHANGE_IMAGE, .name_pattern = STR("{name}"),
	};
	c->have = (struct lock_entry){ .kind = f->change.kind,
		.address = f->change.address, .id = STR("p1"), .op = op,
		.created_at = STR(MADE_AT),
		.pod = { .name = name, .image = STR("old:1") },
		.volume = { .id = STR("p1"), .name = name, .size_gb = 10 } };
	c->pod = (struct cloud_pod){ .id = STR("p1"), .status = POD_RUNNING,
		.config = { .name = name, .image = STR("old:1") },
		.created_at = STR(MADE_AT),
		.mark = mark_env(&f->w.arena, &f->w.lock.lineage, &op,
		    STR("pod.a")) };
	c->volume = c->have.volume;
	f->w.lock.entries.n = 0;
	f->w.lock.index = NULL;
	lock_add_entry(&f->w.lock, &c->have);
	f->run.busy_pods = f->run.runners_on = (struct map){0};
	f->run.runners_counted = false;
}

struct cloud_answer
act_shown(struct act_world *f, struct act_thing *c)
{
	struct cloud_answer answer = { .outcome = OUTCOME_OK, .status = 200 };

	if (f->change.kind == KIND_VOLUME) {
		answer.volumes = &c->volume;
		answer.nvolumes = 1;
	} else {
		answer.pods = &c->pod;
		answer.npods = 1;
	}
	return answer;
}

void
act_send(struct act_world *f, struct act_thing *c)
{
	struct cloud_answer answer = act_shown(f, c);

	change_start(&f->run, &f->act);
	assert_int_equal(f->act.phase, PH_VERIFY);
	change_answer(&f->run, &f->act, &answer);
	assert_int_equal(f->act.phase, PH_INTENT);
	f->act.intended = true;
	change_journaled(&f->run, &f->act);
	assert_int_equal(f->act.phase, PH_SENT);
	f->run.effects.n = f->run.effects_at = 0;
}
