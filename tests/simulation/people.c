/*
 * people.c - what people do in the cloud's console, and what a host does to
 * the pods on it; see tale.h.
 */
#include "tale.h"

#include "faults.h"

#include <string.h>

static const struct model_pod *
any_pod(struct tale *tale)
{
	size_t n = model_pod_count(tale->sim->model);
	for (int tries = 0; n > 0 && tries < 8; tries++) {
		const struct model_pod *pod = model_pod_at(tale->sim->model,
		    rng_below(&tale->sim->rng, n));
		if (model_pod_billed(pod))
			return pod;
	}
	return NULL;
}

/* -------------------------------------------------------- pods and hosts -- */

static void
stop(struct sim *sim, int64_t now, const struct model_pod *pod)
{
	model_console_stop(sim->model, now, pod->id);
}

static void
start(struct sim *sim, int64_t now, const struct model_pod *pod)
{
	model_console_start(sim->model, now, pod->id);
}

static void
restart(struct sim *sim, int64_t now, const struct model_pod *pod)
{
	model_console_restart(sim->model, now, pod->id);
}

static void
end(struct sim *sim, int64_t now, const struct model_pod *pod)
{
	model_console_delete(sim->model, now, pod->id);
}

static void
rename_it(struct sim *sim, int64_t now, const struct model_pod *pod)
{
	model_console_rename(sim->model, now, pod->id, STR("mine"));
}

/* A name that a terminal would obey. */
static void
rename_hostile(struct sim *sim, int64_t now, const struct model_pod *pod)
{
	model_console_rename(sim->model, now, pod->id,
	    str_from(sinks_hostile()));
}

/* The name of another pod of ours, mark and all. */
static void
rename_alike(struct sim *sim, int64_t now, const struct model_pod *pod)
{
	const struct model_pod *other = model_pod_at(sim->model,
	    rng_below(&sim->more, model_pod_count(sim->model)));

	model_console_rename(sim->model, now, pod->id, other->asked_name);
}

static void
lock_it(struct sim *sim, int64_t now, const struct model_pod *pod)
{
	model_console_lock(sim->model, now, pod->id, !pod->locked);
}

static void
other_image(struct sim *sim, int64_t now, const struct model_pod *pod)
{
	model_console_edit(sim->model, now, pod->id, STR("other/image:1"), 0);
}

static void
larger_disk(struct sim *sim, int64_t now, const struct model_pod *pod)
{
	model_console_edit(sim->model, now, pod->id, (struct str){0},
	    pod->disk_gb + rng_range(&sim->more, -5, 20));
}

static void
edit_env(struct sim *sim, int64_t now, const struct model_pod *pod)
{
	model_console_edit_env(sim->model, now, pod->id, STR("MODE"),
	    STR("drifted"));
}

static void
remove_env(struct sim *sim, int64_t now, const struct model_pod *pod)
{
	model_console_edit_env(sim->model, now, pod->id, STR("MODE"),
	    (struct str){0});
}

static void
add_env(struct sim *sim, int64_t now, const struct model_pod *pod)
{
	model_console_edit_env(sim->model, now, pod->id, STR("ADDED"),
	    STR("by hand"));
}

static void
take_mark(struct sim *sim, int64_t now, const struct model_pod *pod)
{
	model_console_edit_env(sim->model, now, pod->id, STR("PODFORM_MARK"),
	    (struct str){0});
}

static void
alike(struct sim *sim, int64_t now, const struct model_pod *pod)
{
	model_console_lookalike(sim->model, now, pod->id, false);
}

static void
copy(struct sim *sim, int64_t now, const struct model_pod *pod)
{
	model_console_lookalike(sim->model, now, pod->id, true);
}

static void
end_volume(struct sim *sim, int64_t now, const struct model_pod *pod)
{
	(void)pod;
	if (model_volume_count(sim->model) > 0)
		model_console_delete_volume(sim->model, now,
		    model_volume_at(sim->model, 0)->id);
}

static void
host_takes(struct sim *sim, int64_t now, const struct model_pod *pod)
{
	model_host_takes(sim->model, now, pod->id,
	    rng_chance(&sim->more, 500) ? rng_range(&sim->more, 0, 300000)
					: -1);
}

static const struct {
	const char *name;
	void (*act)(struct sim *sim, int64_t now, const struct model_pod *pod);
} acts[PEOPLE_ACTS] = {
	{ "stop", stop }, { "start", start }, { "restart", restart },
	{ "delete", end }, { "rename", rename_it },
	{ "rename hostile", rename_hostile },
	{ "rename as another", rename_alike }, { "lock", lock_it },
	{ "image", other_image }, { "disk", larger_disk },
	{ "env edited", edit_env }, { "env removed", remove_env },
	{ "env added", add_env }, { "mark taken off", take_mark },
	{ "look-alike", alike }, { "copy", copy },
	{ "volume deleted", end_volume }, { "host takes it", host_takes },
};

const char *
people_act_name(int act)
{
	return acts[act].name;
}

void
people_meddle(struct tale *tale)
{
	struct sim *sim = tale->sim;
	const struct model_pod *pod = any_pod(tale);
	size_t act = rng_below(&sim->more, PEOPLE_ACTS);

	if (pod == NULL || !fault_is_on(sim, FAULT_PEOPLE + (int)act))
		return;
	sim->still_since_ms = -1;
	sim->people[act]++;
	sim_trace(sim, "console: %s, pod %s", acts[act].name, pod->id.data);
	acts[act].act(sim, EPOCH_MS + sim->now_ms, pod);
	check_cloud(sim);
}

void
people_repair(struct tale *tale)
{
	struct sim *sim = tale->sim;

	model_set_key_revoked(sim->model, false);
	model_set_balance(sim->model, EPOCH_MS + sim->now_ms,
	    INT64_C(10000) * 1000000);
}

/* ---------------------------------------------------------------- obeying -- */

/* What is never going to be ready is made anew. */
static bool
note_replaces(struct tale *tale, struct str said)
{
	static const struct str words = STR_INIT("--replace ");
	ptrdiff_t at;

	while ((at = str_search(said, words)) >= 0) {
		struct str rest = str_sub(said, (size_t)at + words.len,
		    said.len);
		ptrdiff_t end = str_find(rest, '\n');
		said = rest;
		if (tale->nreplaces == REPLACES_MAX || end <= 0)
			continue;
		snprintf(tale->replaces[tale->nreplaces++],
		    sizeof tale->replaces[0], "%.*s", (int)end, rest.data);
	}
	return tale->nreplaces > 0;
}

/* The user does what the messages say: unlocks what is said to be locked, and
 * ends what is named and has but half a mark. */
bool
people_obey(struct tale *tale)
{
	struct sim *sim = tale->sim;
	struct str said = strbuf_str(&sim->said);
	int64_t now = EPOCH_MS + sim->now_ms;
	bool done = note_replaces(tale, said);

	for (size_t i = 0; i < model_pod_count(sim->model); i++) {
		const struct model_pod *pod = model_pod_at(sim->model, i);
		if (!model_pod_billed(pod))
			continue;
		if (pod->locked && str_search(said, STR("locked")) >= 0) {
			sim_trace(sim, "console: unlock %s as told",
			    pod->id.data);
			done |= model_console_lock(sim->model, now, pod->id,
			    false);
		}
		/* One that was forgotten may be in the way of others. */
		if (str_search(said, pod->id) < 0 ||
		    !(check_is_half(pod) || check_is_forgotten(sim, pod)))
			continue;
		sim_trace(sim, "console: delete %s as told", pod->id.data);
		done |= model_console_delete(sim->model, now, pod->id);
	}
	if (done)
		sim->still_since_ms = -1;
	check_cloud(sim);
	return done;
}
