/*
 * promises.c - what one command promises: I12 (it does what its plan says),
 * I13 (it comes to an end), I18 (its exit is honest).
 */
#include "tale.h"

#include "deeds.h"
#include "faults.h"
#include "stored.h"

#include <json-c/json.h>
#include <string.h>

/* Whoever stands still is not to blame for the time. */
static int64_t
stood_still(const struct sim *sim)
{
	return sim->own_struck[OWN_SUSPENDED] + sim->own_struck[OWN_PAUSED] +
	    sim->guests->fired[GUEST_SLEEP];
}

void
promises_begin(struct sim *sim)
{
	sim->stood_still = stood_still(sim);
	sim->command = sim->commands;
	sim->begun_ms = sim->now_ms;
	if (sim->process == 1)
		sim->rivals_before = sim->rivals;
	sim->sent = 0;
	sim->odd_before = model_fired(sim->model, MODEL_ODD);
	sim->before = sim->flight_number;
	sim->ntold = sim->early = 0;
}

/* ----------------------------------------------------------------- I13 --- */

static uint64_t
request_hash(const struct sim_flight *flight)
{
	return (str_hash(str_from(flight->path)) * 31 +
		   (uint64_t)flight->method) * 31 +
	    str_hash((struct str){ flight->body, flight->body_len });
}

/* An answer is on its way: when may this be asked again? */
void
promises_told(struct sim *sim, const struct sim_flight *flight)
{
	struct str wait = flight->answer.retry_after;
	int64_t seconds = 0;

	/* Two questions to GraphQL may be in the same words. */
	if (flight->answer.outcome != HTTP_ANSWERED || flight->holds ||
	    flight->github || strcmp(flight->path, "/graphql") == 0 ||
	    flight->answer.status != 429 || flight->number <= sim->before ||
	    wait.len == 0 || wait.len > 2 || sim->ntold == TOLD)
		return;
	for (size_t i = 0; i < wait.len; i++) {
		if (wait.data[i] < '0' || wait.data[i] > '9')
			return;
		seconds = seconds * 10 + (wait.data[i] - '0');
	}
	sim->told[sim->ntold++] = (struct told){
		.request = request_hash(flight) + flight->process,
		.until_ms = flight->at_ms + seconds * 1000,
	};
}

void
promises_sent(struct sim *sim, const struct sim_flight *flight)
{
	uint64_t request = request_hash(flight) + flight->process;

	sim->sent++;
	for (size_t i = 0; i < sim->ntold; i++) {
		struct told *told = &sim->told[i];
		/* It may not have heard of it yet. */
		if (told->request != request || told->until_ms <= sim->now_ms)
			continue;
		/* Another question may be in the same words. */
		if (++sim->early < 3)
			continue;
		sim_violate(sim, "I13", "asked again %lld ms before it was to",
		    (long long)(told->until_ms - sim->now_ms));
	}
}

/* ----------------------------------------------------------------- I18 --- */

static bool
names(const struct sim *sim, struct str text)
{
	return str_search(strbuf_str(&sim->out), text) >= 0 ||
	    str_search(strbuf_str(&sim->err), text) >= 0;
}

/* What this command has made, is billed, and is in no record that will be
 * read: the user is told of it. */
static void
must_be_named(struct sim *sim, struct str id, const char *address)
{
	if (names(sim, id) || names(sim, str_from(address)))
		return;
	sim_violate(sim, "I18", "%s of %s may bill, is in no record, and the "
	    "output does not say so", id.data, address);
}

/* The same of volumes. */
static void
check_made_volumes(struct sim *sim)
{
	/* Late is what another command has sent; and who comes second finds
	 * what the first is making. */
	if (sim->late || sim->of_before || sim->process != 1)
		return;
	for (size_t i = 0; i < model_volume_count(sim->model); i++) {
		const struct model_volume *volume =
		    model_volume_at(sim->model, i);
		if (volume->ended_ms == -1 && !volume->by_console &&
		    volume->created_ms - EPOCH_MS >= sim->begun_ms &&
		    !check_lock_knows(sim, volume->id))
			must_be_named(sim, volume->id, "volume.v");
	}
}

/* Is an op open in the lock file? */
static bool
has_pending(struct sim *sim)
{
	struct str text = stored_record(sim);
	json_object *lock, *pending;
	bool open = false;

	/* Nobody needs a parser to see that there is none. */
	if (text.data == NULL ||
	    str_search(text, STR("\"pending\": []")) >= 0)
		return false;
	lock = json_tokener_parse(text.data);
	if (lock != NULL &&
	    json_object_object_get_ex(lock, "pending", &pending))
		open = json_object_array_length(pending) > 0;
	json_object_put(lock);
	return open;
}

static void
check_honest(struct sim *sim, const char *command, int code)
{
	if (code == EXIT_OK) {
		if (str_eq(stored_record(sim),
			stored_safe(sim)))
			sim->unsafe_untold = false;
		else if (!sim->unsafe_untold)
			sim_violate(sim, "I18", "%s exits 0, and the lock is "
			    "not safe on the disk", command);
		/* Who leaves a part out leaves its ops open, too; and who
		 * found nothing to do before a second podform came need not
		 * know what that one has left. */
		if (sim->whole && sim->rivals == sim->rivals_before &&
		    has_pending(sim))
			sim_violate(sim, "I18", "%s exits 0 with an op that "
			    "is open", command);
		return;
	}
	check_made(sim, must_be_named);
	check_made_volumes(sim);
	if (code == EXIT_UNDONE)
		check_undone(sim);
	if (code == EXIT_UNDONE)
		deeds_check_undone(sim);
	if (code == EXIT_LEFT && !names(sim, STR("podform ")))
		sim_violate(sim, "I18", "%s exits %d and does not say what "
		    "to type next", command, code);
}

/* Twice what the slowest and the busiest of 20,000 seeds took: 3,949 s and 786
 * requests of an apply, which may drain a runner, and so on down. */
static const struct {
	const char *name;
	struct pace most;
} commands[PACES] = {
	{ "apply", { 7900000, 1570 } }, { "destroy", { 4000000, 300 } },
	{ "plan", { 1900000, 32 } }, { "import", { 680000, 8 } },
	{ "forget", { 10000, 2 } },
};

const char *
pace_name(size_t i)
{
	return commands[i].name;
}

void
pace_most(struct pace *pace, const struct pace *more)
{
	if (more->ms > pace->ms)
		pace->ms = more->ms;
	if (more->requests > pace->requests)
		pace->requests = more->requests;
}

static void
check_pace(struct sim *sim, const char *command)
{
	struct pace pace = { .requests = sim->sent };

	if (stood_still(sim) == sim->stood_still)
		pace.ms = sim->now_ms - sim->begun_ms;
	for (size_t i = 0; i < PACES; i++) {
		if (strcmp(command, commands[i].name) != 0)
			continue;
		pace_most(&sim->paces[i], &pace);
		/* A store that is away is tried twice, one held waited for. */
		if (pace.ms > commands[i].most.ms +
		    (stored_is_on(sim) ? 120000 + STORED_WAIT_MS : 0))
			sim_violate(sim, "I13", "%s took %lld s", command,
			    (long long)pace.ms / 1000);
		if (pace.requests > commands[i].most.requests)
			sim_violate(sim, "I13", "%s sent %llu requests",
			    command, (unsigned long long)pace.requests);
	}
}

void
promises_end(struct sim *sim, const char *command, int code)
{
	bool changes = strcmp(command, "apply") == 0 ||
	    strcmp(command, "destroy") == 0;

	check_pace(sim, command);
	if (sim->program != NULL && code >= 0 && changes)
		check_honest(sim, command, code);
}
