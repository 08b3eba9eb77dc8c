/*
 * main.c - run stories.
 *
 *	stories --seeds N [--from S] [--jobs J]
 *					many, a summary at the end
 *	stories --seed S [--trace]	one, told in full
 *	stories --every-step S		the story of one seed, with a crash
 *					before each step of its first command
 *
 * --only LIST and --without LIST turn kinds of faults off (see faults.h).
 * With --meant I4 no other invariant counts, to see whether this one sees a
 * planted bug, too.
 * With --bare no story has guests (see guests.h), nor any fault of disk or
 * clock: those that were told before there were any are told as they were.
 * --canary fails one seed in a hundred, to show that failures are reported.
 */
#include "crew.h"
#include "tale.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#ifdef PODFORM_PLANT
int podform_plant;
#endif

struct wanted_run {
	struct crew_options crew;
	struct fault_mask mask;
	const char *every;
};

static void
say_failure(const struct crew_options *options, uint64_t seed,
    const char *violation)
{
	static unsigned shrunk;

	printf("seed %" PRIu64 ": %s\n", seed, violation);
	if (shrunk++ < 5)
		shrink_and_say(options, seed, violation);
	fflush(stdout);
}

static bool
tell_here(const struct crew_options *options, uint64_t seed,
    struct totals *totals)
{
	char violation[VIOLATION];
	bool ok = crew_tell(options, seed, totals, violation);

	if (!ok)
		printf("seed %" PRIu64 ": %s\n", seed, violation);
	return ok;
}

static void
every_step(struct crew_options *options, uint64_t seed,
    struct totals *totals)
{
	struct story_result result;

	options->story.seed = seed;
	options->story.quiet_cloud = true;
	options->story.crash_at = INT64_MAX;
	story_run(&options->story, &result);
	free(result.violation);
	for (int64_t k = 0; k < result.steps; k++)
		for (int loss = 0; loss < 2; loss++) {
			options->story.crash_at = k;
			options->story.crash_is_power_loss = loss == 1;
			if (!tell_here(options, seed, totals))
				printf("    with a crash before step %" PRId64
				       "%s\n", k,
				    loss ? ", power lost" : "");
		}
	printf("%" PRId64 " steps, each crashed twice\n", result.steps);
}

static double
seconds_of(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* CPU of this process and of its children. */
static double
cpu_seconds(void)
{
	struct rusage own, children;

	getrusage(RUSAGE_SELF, &own);
	getrusage(RUSAGE_CHILDREN, &children);
	return seconds_of(own.ru_utime) + seconds_of(own.ru_stime) +
	    seconds_of(children.ru_utime) + seconds_of(children.ru_stime);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(probes_name(*(const size_t *)a),
	    probes_name(*(const size_t *)b));
}

/* In an order that does not depend on who linked the program. */
static void
report_probes(const struct totals *totals)
{
	size_t order[PROBES_MAX] = {0};
	size_t count = probes_count();

	for (size_t i = 0; i < count; i++)
		order[i] = i;
	qsort(order, count, sizeof order[0], by_name);
	for (size_t i = 0; i < count; i++)
		printf("  probe %s seen %" PRIu64 " times\n",
		    probes_name(order[i]), totals->probes[order[i]]);
}

static void
report(const struct totals *totals)
{
	double ms = totals->stories == 0
	    ? 0
	    : cpu_seconds() * 1000 / (double)totals->stories;

	printf("%" PRIu64 " stories, %" PRIu64 " commands, %" PRIu64
	       " crashes, %" PRIu64 " changes of the cloud; %.2f ms of one "
	       "core each; digest %016" PRIx64 "\n",
	    totals->stories, totals->commands, totals->crashes,
	    totals->mutations, ms, totals->digest);
	for (int i = 0; i < FAULT_KINDS; i++) {
		char name[FAULT_NAME];
		fault_name(i, name);
		printf("  %s struck %" PRId64 " times\n", name,
		    totals->struck[i]);
	}
	report_probes(totals);
	printf("%" PRIu64 " jobs for runners; %" PRIu64 " times a second "
	       "podform came, %" PRIu64 " times it was locked out\n",
	    totals->jobs, totals->rivals, totals->locked);
	printf("the greediest command took %" PRId64 " KiB\n",
	    totals->memory_peak / 1024);
	for (size_t i = 0; i < PACES; i++)
		printf("the longest %s took %" PRId64 " s, the busiest %"
		       PRIu64 " requests\n", pace_name(i),
		    totals->paces[i].ms / 1000, totals->paces[i].requests);
	printf("%" PRIu64 " passed, %" PRIu64 " failed\n",
	    totals->stories - totals->failed, totals->failed);
}

/* --only turns all off first. */
static bool
read_mask(struct wanted_run *run, const char *option, const char *list)
{
	bool only = strcmp(option, "--only") == 0;

	if (only)
		memset(run->mask.off, true, sizeof run->mask.off);
	run->crew.story.mask = &run->mask;
	if (fault_mask_list(&run->mask, list, !only))
		return true;
	fprintf(stderr, "stories: no fault has a name of '%s'\n", list);
	return false;
}

/* A whole number, or an invariant's name: a typing error must not run
 * something else, or nothing, and call it passed. */
static bool
is_number(const char *text)
{
	return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static bool
is_invariant(const char *text)
{
	enum { LAST = 18 };		/* README.md: the table */
	unsigned long number = strtoul(text + (*text != '\0'), NULL, 10);

	return text[0] == 'I' && is_number(text + 1) && number >= 1 &&
	    number <= LAST;
}

static bool
read_text(struct wanted_run *run, const char *option, const char *value)
{
	if (strcmp(option, "--only") == 0 || strcmp(option, "--without") == 0)
		return read_mask(run, option, value);
	if (strcmp(option, "--meant") != 0 || !is_invariant(value))
		return false;
	run->crew.story.meant = value;
	return true;
}

/* An option with a value; false: there is none such. */
static bool
read_value(struct wanted_run *run, const char *option, const char *value)
{
	struct crew_options *crew = &run->crew;
	uint64_t number = strtoull(value, NULL, 10);

	if (!is_number(value))
		return read_text(run, option, value);
	if (strcmp(option, "--seeds") == 0)
		crew->seeds = number;
	else if (strcmp(option, "--from") == 0)
		crew->from = number;
	else if (strcmp(option, "--seed") == 0)
		crew->from = number, crew->seeds = 1;
	else if (strcmp(option, "--stop-after") == 0)
		crew->stop_after = number;
	else if (strcmp(option, "--jobs") == 0)
		crew->jobs = number > 0 ? (unsigned)number : 1;
	else if (strcmp(option, "--every-step") == 0)
		run->every = value;
#ifdef PODFORM_PLANT
	else if (strcmp(option, "--plant") == 0)
		podform_plant = (int)number;
#endif
	else
		return false;
	return true;
}

static bool
read_options(struct wanted_run *run, char **argv)
{
	for (char **at = argv + 1; *at != NULL; at++) {
		if (strcmp(*at, "--bare") == 0)
			run->crew.story.bare = true;
		else if (strcmp(*at, "--stores") == 0)
			run->crew.story.stores = true;
		else if (strcmp(*at, "--canary") == 0)
			run->crew.canary = true;
		else if (strcmp(*at, "--trace") == 0)
			run->crew.story.trace = stdout;
		else if (at[1] != NULL && read_value(run, at[0], at[1]))
			at++;
		else
			return fprintf(stderr, "stories: what is '%s'?\n",
				   *at), false;
	}
	return true;
}

int
main(int argc, char **argv)
{
	struct wanted_run run = { .crew = { .from = 1,
		.story = { .crash_at = -1, .program = &program } } };
	struct crew_options *crew = &run.crew;
	struct totals totals = {0};
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	(void)argc;
	crew->jobs = cores > 0 ? (unsigned)cores : 1;
	if (!read_options(&run, argv))
		return 3;
	if (crew->seeds == 0 && run.every == NULL)
		return fprintf(stderr, "stories: say --seeds N or --seed N; see "
		    "tests/simulation/README.md\n"), 3;
	if (run.every != NULL)
		every_step(crew, strtoull(run.every, NULL, 10), &totals);
	else if (crew->seeds == 1 || crew->story.trace != NULL)
		for (uint64_t i = 0; i < crew->seeds; i++)
			tell_here(crew, crew->from + i, &totals);
	else
		crew_run(crew, &totals, say_failure);
	report(&totals);
	return totals.failed > 0;
}
