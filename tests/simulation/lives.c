/*
 * lives.c - what else people do with podform beside apply and destroy: plans
 * that are saved and applied later, or twice; a part of the fleet; pods that
 * are imported and forgotten; see tale.h.
 */
#include "tale.h"

#include "hardware.h"

#include <string.h>

enum { FORGETS = 256 };	/* pods that one may be among */

static int
run(struct tale *tale, const char *a, const char *b, const char *c)
{
	const char *words[] = { a, b, c };
	bool empty;

	trouble_guests(tale->sim);
	tale->sim->guests->forced = false;
	if (rng_chance(&tale->sim->more, 500))
		trouble_death(tale);
	int code = tale_run(tale, words, c != NULL ? 3 : b != NULL ? 2 : 1,
	    &empty);
	tale->sim->rival_at = -1;
	return code;
}

/* ---------------------------------------------------------- saved plans --- */

int64_t
lives_serial(struct sim *sim)
{
	int64_t serial = check_serial(sim);
	struct str plan = disk_get(sim->disk, PLAN_PATH);

	return serial != -1 || str_search(plan, STR("\"serial\": 0,")) >= 0
	    ? serial
	    : UNKNOWN_SERIAL;
}

void
lives_applies(struct sim *sim, struct str does)
{
	/* It may have been taken away after it was read (F25). */
	bool away = sim->hardware->taken != NULL || sim->hardware->damaged;

	if (sim->saved.serial != UNKNOWN_SERIAL && !away &&
	    check_serial(sim) != sim->saved.serial)
		sim_violate(sim, "I12", "a plan of serial %lld is applied to "
		    "serial %lld", (long long)sim->saved.serial,
		    (long long)check_serial(sim));
	if (!str_eq(does, strbuf_str(&sim->saved.does)))
		sim_violate(sim, "I12", "a saved plan is applied as another");
	if (sim->saved.used)
		sim_violate(sim, "I12", "a plan is applied twice");
}

static void
apply_saved(struct tale *tale)
{
	struct sim *sim = tale->sim;
	int64_t before = check_serial(sim);
	bool moved = sim->saved.serial != UNKNOWN_SERIAL &&
	    before != sim->saved.serial;
	int code = run(tale, "apply", PLAN_PATH, NULL);

	if (moved && code == EXIT_OK)
		sim_violate(sim, "I12", "a plan of serial %lld is applied, "
		    "and the lock has %lld", (long long)sim->saved.serial,
		    (long long)before);
	/* What it has changed is recorded, so it is of no use any more. */
	sim->saved.used |= check_serial(sim) != before;
}

static const char *const targets[] = {
	"--target=pod.a", "--target=pod.b", "--target=pod.c",
	"--exclude=pod.a", "--exclude=pod.b", "--replace=pod.a",
};

static void
save_and_apply(struct tale *tale)
{
	static const char out[] = "--out=" PLAN_PATH;
	struct sim *sim = tale->sim;

	run(tale, "plan", out, NULL);
	if (!sim->saved.there)
		return;
	if (rng_chance(&sim->more, 200))
		people_meddle(tale);
	if (rng_chance(&sim->more, 150))
		tale_edit(tale);
	if (rng_chance(&sim->more, 250))
		run(tale, "apply", rng_chance(&sim->more, 500) ? NULL
		    : targets[rng_below(&sim->more, COUNTOF(targets))], NULL);
	sim_pass(sim, rng_range(&sim->more, 0,
	    rng_chance(&sim->more, 100) ? 4000000 : 60000));
	apply_saved(tale);
	if (rng_chance(&sim->more, 400))
		apply_saved(tale);
}

/* -------------------------------------------------------- parts, looks ---- */

static void
apply_part(struct tale *tale)
{
	run(tale, "apply", targets[rng_below(&tale->sim->more,
	    COUNTOF(targets))], NULL);
}

static void
look(struct tale *tale)
{
	run(tale, "plan", "--concise", NULL);
}

static void
accept_drift(struct tale *tale)
{
	run(tale, "apply", "--refresh-only", NULL);
}

/* ------------------------------------------------------------- by hand ---- */

static struct by_hand *
note_by_hand(struct sim *sim, struct str id, const char *address)
{
	struct by_hand *hand = &sim->by_hand[sim->nby_hand];

	if (sim->nby_hand == BY_HAND)
		return NULL;
	*hand = (struct by_hand){0};
	snprintf(hand->id, sizeof hand->id, STR_FMT, STR_ARG(id));
	snprintf(hand->address, sizeof hand->address, "%s", address);
	sim->nby_hand++;
	return hand;
}

/* Somebody has a pod, and writes it into the spec. */
static void
import(struct tale *tale)
{
	struct sim *sim = tale->sim;
	size_t n = model_pod_count(sim->model);
	int64_t now = EPOCH_MS + sim->now_ms;
	char address[32], id[40];
	int added;

	if (n == 0 || sim->nby_hand == BY_HAND)
		return;
	struct str like = model_console_lookalike(sim->model, now,
	    model_pod_at(sim->model, rng_below(&sim->more, n))->id, false);
	added = like.data == NULL ? -1 : tale_add_pod(tale);
	if (added < 0)
		return;
	model_console_rename(sim->model, now, like, STR("by-hand"));
	check_cloud(sim);
	sim_pass(sim, rng_range(&sim->more, 0, 30000));
	snprintf(address, sizeof address, "pod.%s", guest_pods[added]);
	snprintf(id, sizeof id, STR_FMT, STR_ARG(like));
	/* It may be taken in though the process dies, so this comes first;
	 * what no record knows is none of ours. */
	note_by_hand(sim, like, address);
	run(tale, "import", address, id);
}

/*
 * Of an address there may be two, one that was made and one that it replaces:
 * what was in the record and is not any more was let go, also by a command
 * that was killed or whose disk failed.
 */
static void
forget(struct tale *tale)
{
	struct sim *sim = tale->sim;
	char address[32];
	bool known[FORGETS] = {0};

	snprintf(address, sizeof address, "pod.%s",
	    guest_pods[rng_below(&sim->more, PODS)]);
	/* Whoever forgets a pod under a runner is on his own. */
	if (check_pod_of(sim, address) == NULL || sim->guests->any)
		return;
	size_t n = model_pod_count(sim->model);
	for (size_t i = 0; i < n && i < FORGETS; i++)
		known[i] = check_is_of(sim, model_pod_at(sim->model, i),
			       address) &&
		    check_record_knows(sim, model_pod_at(sim->model, i)->id);
	int64_t serial = check_serial(sim);
	run(tale, "forget", address, NULL);
	for (size_t i = 0; i < n && i < FORGETS &&
	     check_serial(sim) != serial; i++) {
		struct str id = model_pod_at(sim->model, i)->id;
		struct by_hand *hand = !known[i] || check_lock_knows(sim, id)
		    ? NULL
		    : note_by_hand(sim, id, address);
		if (hand != NULL)
			hand->forgotten = true;
	}
}

static const struct {
	const char *name;
	void (*live)(struct tale *tale);
} lives[LIVES] = {
	{ "saved plan", save_and_apply }, { "part", apply_part },
	{ "look", look }, { "drift accepted", accept_drift },
	{ "import", import }, { "forget", forget },
};

const char *
lives_name(int life)
{
	return lives[life].name;
}

void
lives_turn(struct tale *tale)
{
	size_t life = rng_below(&tale->sim->more, LIVES);

	if (!fault_is_on(tale->sim, FAULT_LIFE + (int)life))
		return;
	tale->sim->lived[life]++;
	lives[life].live(tale);
}
