/*
 * main.c - run stories.
 *
 *	stories --seeds N [--from S]	many, a summary at the end
 *	stories --seed S [--trace]	one, told in full
 *	stories --every-step S		the story of one seed, with a crash
 *					before each step of its first command
 *
 * With --bare none of them has guests (see guests.h): those that were told
 * before there were any are told as they were.
 */
#include "tale.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef PODFORM_PLANT
int podform_plant;
#endif

struct totals {
	uint64_t stories, failed, commands, crashes, mutations, jobs, hash;
	uint64_t rivals, locked;
	int64_t fired[MODEL_FAULT_COUNT];
	int64_t guest_fired[GUEST_FAULT_COUNT], hub_fired[HUB_FAULT_COUNT];
	int64_t people[PEOPLE_ACTS];
};

static bool
run_one(const struct story_options *options, struct totals *totals,
    struct story_result *result)
{
	story_run(options, result);
	totals->stories++;
	totals->commands += result->commands;
	totals->crashes += result->crashes;
	totals->mutations += result->mutations;
	totals->hash = totals->hash * 31 + result->hash;
	for (int i = 0; i < MODEL_FAULT_COUNT; i++)
		totals->fired[i] += result->fired[i];
	for (int i = 0; i < GUEST_FAULT_COUNT; i++)
		totals->guest_fired[i] += result->guest_fired[i];
	for (int i = 0; i < HUB_FAULT_COUNT; i++)
		totals->hub_fired[i] += result->hub_fired[i];
	for (int i = 0; i < PEOPLE_ACTS; i++)
		totals->people[i] += result->people[i];
	totals->jobs += result->jobs;
	totals->rivals += result->rivals;
	totals->locked += result->locked;
	bool ok = result->violation == NULL;
	if (!ok) {
		totals->failed++;
		printf("seed %" PRIu64 ": %s\n    replay: make sim "
		       "SEED=%" PRIu64 "\n",
		    options->seed, result->violation, options->seed);
	}
	free(result->violation);
	return ok;
}

static void
every_step(uint64_t seed, struct totals *totals)
{
	struct story_options options = { .seed = seed, .crash_at = -1,
		.quiet_cloud = true, .program = &program };
	struct story_result result;
	options.crash_at = INT64_MAX;
	run_one(&options, totals, &result);
	int64_t steps = result.steps;
	for (int64_t k = 0; k < steps; k++)
		for (int loss = 0; loss < 2; loss++) {
			options.crash_at = k;
			options.crash_is_power_loss = loss == 1;
			if (!run_one(&options, totals, &result))
				printf("    with a crash before step %" PRId64
				       "%s\n", k,
				    loss ? ", power lost" : "");
		}
	printf("%" PRId64 " steps, each crashed twice\n", steps);
}

static void
report(const struct totals *totals, double seconds)
{
	printf("%" PRIu64 " stories, %" PRIu64 " commands, %" PRIu64
	       " crashes, %" PRIu64 " changes of the cloud; %.2f ms each; "
	       "digest %016" PRIx64 "\n",
	    totals->stories, totals->commands, totals->crashes,
	    totals->mutations,
	    totals->stories ? seconds * 1000 / (double)totals->stories : 0,
	    totals->hash);
	for (int i = 0; i < MODEL_FAULT_COUNT; i++)
		if (totals->fired[i] > 0)
			printf("  %s struck %" PRId64 " times\n",
			    model_fault_name(i), totals->fired[i]);
	for (int i = 0; i < GUEST_FAULT_COUNT; i++)
		if (totals->guest_fired[i] > 0)
			printf("  %s struck %" PRId64 " times\n",
			    guest_fault_name(i), totals->guest_fired[i]);
	for (int i = 0; i < HUB_FAULT_COUNT; i++)
		if (totals->hub_fired[i] > 0)
			printf("  github %s struck %" PRId64 " times\n",
			    hub_fault_name(i), totals->hub_fired[i]);
	for (int i = 0; i < PEOPLE_ACTS; i++)
		if (totals->people[i] > 0)
			printf("  F14 %s struck %" PRId64 " times\n",
			    people_act_name(i), totals->people[i]);
	printf("%" PRIu64 " jobs for runners; %" PRIu64 " times a second "
	       "podform came, %" PRIu64 " times it was locked out\n",
	    totals->jobs, totals->rivals, totals->locked);
	printf("%" PRIu64 " passed, %" PRIu64 " failed\n",
	    totals->stories - totals->failed, totals->failed);
}

int
main(int argc, char **argv)
{
	struct totals totals = {0};
	struct story_result result;
	uint64_t from = 1, seeds = 0, stop_after = 0;
	struct story_options options = { .crash_at = -1, .program = &program };
	const char *every = NULL;
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "0";
		if (strcmp(argv[i], "--seeds") == 0 && ++i)
			seeds = strtoull(value, NULL, 10);
		else if (strcmp(argv[i], "--from") == 0 && ++i)
			from = strtoull(value, NULL, 10);
		else if (strcmp(argv[i], "--seed") == 0 && ++i)
			from = strtoull(value, NULL, 10), seeds = 1;
		else if (strcmp(argv[i], "--stop-after") == 0 && ++i)
			stop_after = strtoull(value, NULL, 10);
		else if (strcmp(argv[i], "--every-step") == 0 && ++i)
			every = value;
#ifdef PODFORM_PLANT
		else if (strcmp(argv[i], "--plant") == 0 && ++i)
			podform_plant = (int)strtol(value, NULL, 10);
#endif
		else if (strcmp(argv[i], "--bare") == 0)
			options.bare = true;
		else if (strcmp(argv[i], "--trace") == 0)
			options.trace = stdout;
		else
			return fprintf(stderr, "stories: what is '%s'?\n",
				   argv[i]), 3;
	}
	struct timespec before, after;
	clock_gettime(CLOCK_MONOTONIC, &before);
	if (every != NULL)
		every_step(strtoull(every, NULL, 10), &totals);
	for (uint64_t seed = from; seed < from + seeds; seed++) {
		options.seed = seed;
		run_one(&options, &totals, &result);
		if (stop_after > 0 && totals.failed >= stop_after)
			break;
	}
	clock_gettime(CLOCK_MONOTONIC, &after);
	report(&totals, (double)(after.tv_sec - before.tv_sec) +
	    (double)(after.tv_nsec - before.tv_nsec) / 1e9);
	return totals.failed > 0;
}
