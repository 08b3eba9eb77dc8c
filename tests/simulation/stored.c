/* stored.c - see stored.h */
#include "stored.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"
#include "tale.h"

#define ERRORED LOCK_PATH ".errored"
#define SEEN WORK_DIR "/seen"

static const char *const urls[] = {
	[DEPOT_HTTP] = "https://store.example/state/podform",
	[DEPOT_S3] = "s3://bucket/podform.lock?region=eu-west-1",
	[DEPOT_ETCD] = "etcd://store.example:2379/podform/lock",
};
static const char *const names[] = { "/state/podform", "/podform.lock",
    "podform/lock" };

void
stored_begin(struct sim *sim)
{
	struct stored *stored = calloc(1, sizeof *stored);
	struct depot_config config = { .kind = (enum depot_kind)(sim->seed %
	    3) };
	struct str why;

	stored->depot = depot_new(&config);
	stored->name = str_from(names[config.kind]);
	rng_seed(&stored->rng, sim->seed ^ UINT64_C(0x5708ed));
	if (!store_parse(&stored->arena, str_from(urls[config.kind]),
		&stored->place, &why))
		abort();
	sim->stored = stored;
	sim_trace(sim, "the record is in %s", urls[config.kind]);
}

void
stored_end(struct sim *sim)
{
	if (sim->stored == NULL)
		return;
	depot_free(sim->stored->depot);
	arena_release(&sim->stored->arena);
	free(sim->stored);
	sim->stored = NULL;
}

bool
stored_is_on(const struct sim *sim)
{
	return sim->stored != NULL;
}

struct str
stored_record(const struct sim *sim)
{
	return sim->stored != NULL ?
	    depot_get(sim->stored->depot, sim->stored->name) :
	    disk_get(sim->disk, LOCK_PATH);
}

struct str
stored_safe(const struct sim *sim)
{
	return sim->stored != NULL ? stored_record(sim) :
	    disk_get_safe(sim->disk, LOCK_PATH);
}

/* ------------------------------------------------------------ requests ---- */

static void
ask(struct sim *sim, struct arena *arena, const char *method, struct str path,
    struct str etag, struct str if_match, struct str body,
    struct model_reply *reply)
{
	struct str query;
	struct depot_request request = {
		.method = str_from(method),
		.path = str_cut(path, '?', &query), .if_none_match = etag,
		.if_match = if_match, .body = body,
	};

	request.query = query;
	depot_http(sim->stored->depot, sim->now_ms, arena, &request, reply);
}

/* The link of a person, whom nothing disturbs. */
static void
exchange(void *ctx, struct arena *arena, const struct http_request *request,
    struct http_answer *answer)
{
	struct sim *sim = ctx;
	struct model_reply reply;

	depot_strike(sim->stored->depot, DEPOT_FINE, 0, 0);
	ask(sim, arena, http_method_name(request->method), request->path,
	    request->etag, request->if_match, request->body, &reply);
	*answer = (struct http_answer){
		.outcome = HTTP_ANSWERED, .status = reply.status,
		.body = arena_str(arena, reply.body),
	};
	for (size_t i = 0; i < reply.nheaders; i++)
		if (strcmp(reply.headers[i].name, "ETag") == 0)
			answer->etag = reply.headers[i].value;
}

static bool
no_sleep(void *ctx, int64_t ms)
{
	(void)ctx, (void)ms;
	return true;
}

static void
open_store(struct sim *sim, struct store *store, struct arena *arena,
    struct diags *diags)
{
	struct store_link link = { sim, &sim->world.clock, exchange,
	    no_sleep };

	*diags = (struct diags){ .arena = arena };
	store_open(store, arena, &sim->stored->place, &link, diags);
}

/* podform unlock, by somebody elsewhere; false: there was no hold. */
static bool
break_hold(struct sim *sim)
{
	struct stored *stored = sim->stored;
	struct arena arena = {0};
	struct mutex_holder holder = {0};
	struct store store;
	struct diags diags;

	open_store(sim, &store, &arena, &diags);
	enum store_result result = store_holder(&store, &holder);
	struct str id = stored->place.kind == STORE_HTTP ?
	    arena_str(&arena, depot_lock_id(stored->depot)) : holder.id;
	if (id.len > 0) {
		result = store_break(&store, id, &holder);
		if (result != STORE_OK)
			sim_violate(sim, "I11", "a hold cannot be broken");
		sim_trace(sim, "the hold " STR_FMT " is broken", STR_ARG(id));
	}
	arena_release(&arena);
	return id.len > 0;
}

static bool
may_show_old(const struct sim *sim, const struct sim_flight *flight)
{
	/* Who has never seen it cannot know what is old; nor, perhaps, who
	 * has forgotten by losing power. */
	return flight->method == HTTP_GET && sim->crashes == 0 &&
	    disk_get(sim->disk, SEEN).data != NULL;
}

static void
strike(struct sim *sim, const struct sim_flight *flight)
{
	struct stored *stored = sim->stored;
	struct depot *depot = stored->depot;
	struct rng *rng = &stored->rng;

	depot_strike(depot, DEPOT_FINE, 0, 0);
	if (sim->calm)
		return;
	if (sim->now_ms < stored->gone_ms) {
		depot_strike(depot, rng_chance(rng, 500) ? DEPOT_BUSY :
		    DEPOT_DROPPED, 0, 1);
		return;
	}
	switch (rng_below(rng, 120)) {
	case 0: case 1: case 2:
		if (own_strikes(sim, OWN_STORE_LOST))
			depot_strike(depot, DEPOT_LOST, 0, 1);
		break;
	case 3: case 4:
		if (own_strikes(sim, OWN_STORE_DROPPED))
			depot_strike(depot, rng_chance(rng, 500) ?
			    DEPOT_BUSY : DEPOT_DROPPED, 0, 1);
		break;
	case 5: case 8: case 9: case 10: case 11: case 12: case 13:
		if (may_show_old(sim, flight) &&
		    own_strikes(sim, OWN_STORE_OLD))
			depot_strike(depot, DEPOT_OLD, 0, 1);
		break;
	case 6:
		if (own_strikes(sim, OWN_STORE_GONE))
			stored->gone_ms = sim->now_ms +
			    rng_range(rng, 1000, 120000);
		break;
	case 7:
		if (sim->running && own_strikes(sim, OWN_HOLD_BROKEN) &&
		    break_hold(sim))
			stored->broken = sim->command;
		break;
	default:
		break;
	}
}

void
stored_arrive(struct sim *sim, const struct sim_flight *flight,
    struct arena *arena, struct model_reply *reply)
{
	strike(sim, flight);
	ask(sim, arena, http_method_name(flight->method),
	    str_from(flight->path), flight->etag == NULL ? (struct str){0} :
	    str_from(flight->etag), flight->if_match == NULL ?
	    (struct str){0} : str_from(flight->if_match),
	    (struct str){ flight->body, flight->body_len }, reply);
	sim_trace(sim, "store: %s %s -> %d%s",
	    http_method_name(flight->method), flight->path, reply->status,
	    reply->transport != MODEL_ANSWERED ? " (lost)" : "");
}

void
stored_check_hold(struct sim *sim, const char *what)
{
	struct stored *stored = sim->stored;
	struct arena arena = {0};
	struct mutex_holder holder = {0};
	struct store store;
	struct diags diags;
	bool held;

	/* Nobody can know at once that somebody else broke it; nor that he
	 * has slept after he looked at the clock. */
	if (stored == NULL || stored->broken == sim->command ||
	    sim->away_at == sim->steps)
		return;
	if (stored->place.kind == STORE_HTTP) {
		held = depot_lock_id(stored->depot).len > 0;
	} else {
		open_store(sim, &store, &arena, &diags);
		held = store_holder(&store, &holder) == STORE_OK &&
		    holder.pid == (int64_t)sim->holder_pid[sim->process];
	}
	arena_release(&arena);
	if (!held)
		sim_violate(sim, "I11", "%s by who has no hold in the store",
		    what);
}

/* -------------------------------------------------------------- people ---- */

void
stored_obey(struct tale *tale)
{
	static const char *const push[] = { "state", "push", ERRORED };
	struct sim *sim = tale->sim;
	bool empty;

	if (sim->stored == NULL || sim->process != 1 || sim->obeying ||
	    sim->now_ms < sim->stored->gone_ms)
		return;
	/* A lease ends by itself, for who has the time. */
	if (sim->stored->place.kind == STORE_ETCD && !sim->calm &&
	    rng_chance(&sim->stored->rng, 300))
		return;
	sim->obeying = true;
	break_hold(sim);
	if (disk_get(sim->disk, ERRORED).data != NULL) {
		sim_trace(sim, "the outcome is put into the store");
		int code = tale_run(tale, push, 3, &empty);
		/* Or somebody has worked there since: what the file has and
		 * the store lacks is found by its mark. */
		if (code == 0 || str_search(strbuf_str(&sim->said),
			STR("is older than what is there")) >= 0)
			disk_remove(sim->disk, ERRORED);
		break_hold(sim);
	}
	sim->obeying = false;
}

void
stored_lose_machine(struct sim *sim)
{
	disk_remove(sim->disk, SEEN);
	disk_remove(sim->disk, ERRORED);
}
