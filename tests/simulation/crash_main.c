/*
 * crash_main.c - every operation of every scenario, crashed; see crash.h
 *
 *	crashes [--runs N | --all] [--jobs N] [--only SCENARIO]
 *	crashes --list SCENARIO		its operations
 *	crashes --run RUN [--trace]	one, as a failure names it:
 *
 *		create-one			undisturbed
 *		create-one/17:before:kept	crashed before operation 17
 *		create-one/17:after:torn/4:before:lost
 *						and the run after it before
 *						its operation 4
 *		create-one/17:ENOSPC		which gives an error
 *
 * The runs that there are come in one order; N of them are taken evenly.
 * Workers do them, processes of their own, so that one which dies (by an
 * assertion, or by our alarm) is one failure and no more.
 */
#include "crash.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef PODFORM_PLANT
int podform_plant;
#endif

enum { JOBS_MAX = 64, SCENARIOS_MAX = 64, SECONDS = 20, NAME = 160 };

static const char *const image_names[DISK_IMAGES] = {
	[DISK_KEPT] = "kept", [DISK_LOST] = "lost", [DISK_TORN] = "torn",
	[DISK_REORDERED] = "reordered", [DISK_UNDONE] = "undone",
	[DISK_MIXED] = "mixed",
};

static const struct strike none = { .when = NEVER };

struct item {
	size_t scenario;
	struct strike strike;
	bool pairs;			/* and in the run after it, too */
};

struct counts { uint64_t crashes, errors, pairs, missed, failed; };

/* What a worker tells: in memory that is shared. */
struct worker {
	pid_t pid;
	size_t next;			/* item */
	char now[NAME];
	struct counts counts[SCENARIOS_MAX];
};

struct campaign {
	struct crash_op ops[SCENARIOS_MAX][OPS_MAX];
	size_t nops[SCENARIOS_MAX];
	struct item *items;
	size_t nitems;
	uint64_t npairs;		/* about so many there are, */
	uint64_t pairs_every;		/* of which one in so many is run */
	struct worker *workers;
	size_t jobs, stop_after;
	struct counts before;		/* of the workers: undisturbed */
};

/* ----------------------------------------------------------------- names -- */

static void
name_strike(char *out, size_t size, const struct strike *strike)
{
	if (strike->when == NEVER)
		out[0] = '\0';
	else if (strike->when == ERROR)
		snprintf(out, size, "/%zu:%s", strike->at,
		    crash_faults[strike->fault].name);
	else
		snprintf(out, size, "/%zu:%s:%s", strike->at,
		    strike->when == BEFORE ? "before" : "after",
		    image_names[strike->image]);
}

static void
name_run(char *out, size_t scenario, const struct strike *first,
    const struct strike *second)
{
	char one[48], two[48];

	name_strike(one, sizeof one, first);
	name_strike(two, sizeof two, second);
	snprintf(out, NAME, "%s%s%s", scenarios[scenario].name, one, two);
}

static bool
find_scenario(struct str name, size_t *out)
{
	for (*out = 0; *out < nscenarios; ++*out)
		if (str_is(name, scenarios[*out].name))
			return true;
	return false;
}

/* An error of that name which this kind of operation can give. */
static bool
find_fault(struct str name, enum op_kind kind, size_t *out)
{
	for (*out = 0; *out < ncrash_faults; ++*out)
		if (str_is(name, crash_faults[*out].name) &&
		    crash_fault_fits(*out, kind))
			return true;
	return false;
}

static bool
parse_strike(struct str text, const struct crash_op *ops,
    struct strike *strike)
{
	struct str what, image, number = str_cut(text, ':', &what);
	char digits[24];

	*strike = none;
	if (text.len == 0)
		return true;
	snprintf(digits, sizeof digits, STR_FMT, STR_ARG(number));
	strike->at = strtoull(digits, NULL, 10);
	what = str_cut(what, ':', &image);
	if (image.len == 0) {
		strike->when = ERROR;
		return ops != NULL && strike->at < OPS_MAX &&
		    find_fault(what, ops[strike->at].kind, &strike->fault);
	}
	strike->when = str_is(what, "before") ? BEFORE : AFTER;
	for (int i = 0; i < DISK_IMAGES; i++)
		if (str_is(image, image_names[i])) {
			strike->image = (enum disk_image)i;
			return true;
		}
	return false;
}

/* ------------------------------------------------------------ which runs -- */

static void
add_item(struct campaign *all, size_t scenario, const struct strike *strike)
{
	if ((all->nitems & (all->nitems + 1)) == 0)
		all->items = realloc(all->items,
		    (all->nitems + 1) * 2 * sizeof *all->items);
	all->items[all->nitems++] = (struct item){ scenario, *strike,
		scenarios[scenario].twice && strike->when != ERROR };
}

/* A crash with each image; where all is safe, of a process and of power. */
static void
add_crashes(struct campaign *all, size_t scenario, size_t at, enum when when)
{
	const struct crash_op *op = &all->ops[scenario][at];
	bool dirty = when == BEFORE ? op->dirty_before : op->dirty_after;
	int images = op->rival ? 1 : dirty ? DISK_IMAGES : DISK_LOST + 1;

	for (int i = 0; i < images; i++)
		add_item(all, scenario, &(struct strike){ .when = when,
			.at = at, .image = (enum disk_image)i });
}

static void
add_scenario(struct campaign *all, size_t scenario)
{
	for (size_t at = 0; at < all->nops[scenario]; at++) {
		enum op_kind kind = all->ops[scenario][at].kind;
		/* Looking changes nothing: the crash before it is the one
		 * after what came before. */
		if (kind != CALL_LOOK && kind != CALL_ANSWER)
			add_crashes(all, scenario, at, BEFORE);
		if (kind != CALL_LOOK)
			add_crashes(all, scenario, at, AFTER);
		for (size_t f = 0; f < ncrash_faults; f++)
			if (crash_fault_fits(f, kind))
				add_item(all, scenario, &(struct strike){
					.when = ERROR, .at = at,
					.fault = f });
	}
}

/* How often the run after it can be crashed, if it is as long. */
static uint64_t
pairs_of(const struct campaign *all, size_t scenario)
{
	uint64_t n = 0;

	for (size_t i = 0; i < all->nops[scenario]; i++) {
		enum op_kind kind = all->ops[scenario][i].kind;
		n += kind == CALL_LOOK ? 0 : kind == CALL_ANSWER ? 1 : 2;
	}
	return n;
}

/* Keep about so many: all of those that lead to pairs, the rest evenly. */
static void
sample(struct campaign *all, uint64_t runs)
{
	uint64_t fixed = 0, rest = 0, kept = 0, seen = 0, wanted;

	for (size_t i = 0; i < all->nitems; i++) {
		const struct item *item = &all->items[i];
		fixed += item->pairs;
		rest += !item->pairs;
		if (item->pairs)
			all->npairs += pairs_of(all, item->scenario);
	}
	all->pairs_every = 1;
	if (runs == 0 || fixed + rest + all->npairs <= runs)
		return;
	wanted = runs > fixed ? (runs - fixed) * 7 / 10 : 0;
	if (wanted > rest)
		wanted = rest;
	for (size_t i = 0; i < all->nitems; i++) {
		struct item item = all->items[i];
		if (!item.pairs) {
			seen++;
			if (seen * wanted / rest == (seen - 1) * wanted / rest)
				continue;
		}
		all->items[kept++] = item;
	}
	all->nitems = kept;
	wanted = runs > kept ? runs - kept : 1;
	if (all->npairs > wanted)
		all->pairs_every = all->npairs / wanted;
}

/* ------------------------------------------------------------- workers --- */

/* Did all hold? */
static bool
run_one(struct worker *worker, size_t scenario, const struct strike *first,
    const struct strike *second, struct crash_result *result)
{
	struct counts *counts = &worker->counts[scenario];

	name_run(worker->now, scenario, first, second);
	alarm(SECONDS);
	crash_run(&scenarios[scenario], first, second, NULL, NULL, result);
	alarm(0);
	*(second->when != NEVER ? &counts->pairs
	    : first->when == ERROR ? &counts->errors
				   : &counts->crashes) += 1;
	counts->missed += !result->struck;
	if (result->violation == NULL)
		return true;
	counts->failed++;
	printf("FAILED %s: %s\n    replay: crashes --run %s --trace\n",
	    worker->now, result->violation, worker->now);
	fflush(stdout);
	free(result->violation);
	return false;
}

static void
run_item(struct campaign *all, struct worker *worker, size_t at)
{
	const struct item *item = &all->items[at];
	struct crash_result result, again;

	run_one(worker, item->scenario, &item->strike, &none, &result);
	if (!item->pairs)
		return;
	for (size_t j = 0; j < 2 * result.nrecovery; j++) {
		uint8_t kind = result.recovery[j / 2];
		if (kind == CALL_LOOK || (kind == CALL_ANSWER && j % 2 == 0))
			continue;
		struct strike second = {
			.when = j % 2 == 0 ? BEFORE : AFTER, .at = j / 2,
			.image = (enum disk_image)((j / 2 + at) % DISK_IMAGES),
		};
		if ((j + at * 37) % all->pairs_every == 0)
			run_one(worker, item->scenario, &item->strike, &second,
			    &again);
	}
}

static void
work(struct campaign *all, struct worker *worker)
{
	size_t step = all->jobs;

	while (worker->next < all->nitems) {
		size_t at = worker->next;
		worker->next += step;
		run_item(all, worker, at);
		for (size_t i = 0, failed = 0; i < nscenarios; i++) {
			failed += worker->counts[i].failed;
			if (all->stop_after > 0 && failed >= all->stop_after)
				return;
		}
	}
}

static void
start(struct campaign *all, struct worker *worker)
{
	fflush(stdout);
	worker->pid = fork();
	if (worker->pid != 0)
		return;
	work(all, worker);
	fflush(stdout);
	_exit(0);
}

/* A worker has died: what it was doing has failed; another goes on. */
static void
take_over(struct campaign *all, struct worker *worker, int status)
{
	size_t scenario;
	struct str rest, name = str_cut(str_from(worker->now), '/', &rest);

	worker->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	printf("FAILED %s: %s\n    replay: crashes --run %s --trace\n",
	    worker->now, WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM
		? "it does not end"
		: "the program dies", worker->now);
	if (find_scenario(name, &scenario))
		worker->counts[scenario].failed++;
	if (all->stop_after == 0)
		start(all, worker);
}

static void
run_all(struct campaign *all)
{
	size_t size = all->jobs * sizeof *all->workers;

	all->workers = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (all->workers == MAP_FAILED) {
		perror("crashes: mmap");
		exit(3);
	}
	for (size_t i = 0; i < all->jobs; i++) {
		all->workers[i].next = i;
		start(all, &all->workers[i]);
	}
	for (;;) {
		int status;
		pid_t pid = wait(&status);
		if (pid < 0)
			return;
		for (size_t i = 0; i < all->jobs; i++)
			if (all->workers[i].pid == pid)
				take_over(all, &all->workers[i], status);
	}
}

/* ------------------------------------------------------------ the report -- */

static uint64_t
report(const struct campaign *all, double seconds)
{
	uint64_t runs = 0, missed = 0, failed = all->before.failed;

	printf("%-24s %10s %8s %8s %8s %7s\n", "scenario", "operations",
	    "crashes", "errors", "pairs", "failed");
	for (size_t s = 0; s < nscenarios; s++) {
		struct counts sum = {0};
		if (all->nops[s] == 0)
			continue;
		for (size_t i = 0; i < all->jobs; i++) {
			const struct counts *one = &all->workers[i].counts[s];
			sum.crashes += one->crashes;
			sum.errors += one->errors;
			sum.pairs += one->pairs;
			sum.missed += one->missed;
			sum.failed += one->failed;
		}
		printf("%-24s %10zu %8" PRIu64 " %8" PRIu64 " %8" PRIu64
		       " %7" PRIu64 "\n", scenarios[s].name, all->nops[s],
		    sum.crashes, sum.errors, sum.pairs, sum.failed);
		runs += sum.crashes + sum.errors + sum.pairs;
		missed += sum.missed;
		failed += sum.failed;
	}
	printf("%" PRIu64 " runs, %" PRIu64 " of them never came to their "
	       "point; %.2f ms of one core each\n", runs, missed,
	    runs > 0 ? seconds * 1000 / (double)runs : 0);
	printf("%" PRIu64 " passed, %" PRIu64 " failed\n",
	    runs > failed ? runs - failed : 0, failed);
	return failed;
}

/* Of the workers, all of which have ended. */
static double
core_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* ------------------------------------------------------------------ main -- */

static bool
record(struct campaign *all, size_t scenario)
{
	struct crash_result result;

	crash_run(&scenarios[scenario], &none, &none, NULL,
	    all->ops[scenario], &result);
	all->nops[scenario] = result.nops;
	if (result.violation == NULL)
		return true;
	all->before.failed++;
	printf("FAILED %s: %s\n    replay: crashes --run %s --trace\n",
	    scenarios[scenario].name, result.violation,
	    scenarios[scenario].name);
	free(result.violation);
	return false;
}

static int
replay(struct campaign *all, const char *text, FILE *trace)
{
	struct str rest, one, two, name = str_cut(str_from(text), '/', &rest);
	struct crash_result result;
	struct strike first, second;
	size_t scenario;

	one = str_cut(rest, '/', &two);
	if (!find_scenario(name, &scenario))
		return fprintf(stderr, "crashes: no such scenario\n"), 3;
	record(all, scenario);
	if (!parse_strike(one, all->ops[scenario], &first) ||
	    !parse_strike(two, NULL, &second))
		return fprintf(stderr, "crashes: no such run\n"), 3;
	crash_run(&scenarios[scenario], &first, &second, trace, NULL,
	    &result);
	printf("%s: %s%s\n", text, result.violation == NULL ? "all held"
		: result.violation, result.struck ? ""
		: " (it never came to its point)");
	if (!result.struck)
		return 3;		/* what was asked for was not run */
	return result.violation != NULL;
}

static int
list(struct campaign *all, const char *name)
{
	size_t scenario;

	if (!find_scenario(str_from(name), &scenario))
		return fprintf(stderr, "crashes: no such scenario\n"), 3;
	record(all, scenario);
	for (size_t i = 0; i < all->nops[scenario]; i++)
		printf("%4zu %s%s\n", i, all->ops[scenario][i].what,
		    all->ops[scenario][i].dirty_after ? " *" : "");
	return 0;
}

int
main(int argc, char **argv)
{
	static struct campaign all = { .jobs = 2 };
	const char *run = NULL, *listed = NULL, *only = NULL;
	uint64_t runs = 20000;
	FILE *trace = NULL;

	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "0";
		if (strcmp(argv[i], "--runs") == 0 && ++i)
			runs = strtoull(value, NULL, 10);
		else if (strcmp(argv[i], "--all") == 0)
			runs = 0;
		else if (strcmp(argv[i], "--jobs") == 0 && ++i)
			all.jobs = strtoull(value, NULL, 10);
		else if (strcmp(argv[i], "--stop-after") == 0 && ++i)
			all.stop_after = strtoull(value, NULL, 10);
		else if (strcmp(argv[i], "--only") == 0 && ++i)
			only = value;
		else if (strcmp(argv[i], "--run") == 0 && ++i)
			run = value;
		else if (strcmp(argv[i], "--list") == 0 && ++i)
			listed = value;
		else if (strcmp(argv[i], "--trace") == 0)
			trace = stdout;
#ifdef PODFORM_PLANT
		else if (strcmp(argv[i], "--plant") == 0 && ++i)
			podform_plant = (int)strtol(value, NULL, 10);
#endif
		else
			return fprintf(stderr, "crashes: what is '%s'?\n",
				   argv[i]), 3;
	}
	if (all.jobs < 1 || all.jobs > JOBS_MAX || nscenarios > SCENARIOS_MAX)
		return fprintf(stderr, "crashes: 1 to 64 jobs\n"), 3;
	if (run != NULL)
		return replay(&all, run, trace);
	if (listed != NULL)
		return list(&all, listed);
	size_t at;
	if (only != NULL && !find_scenario(str_from(only), &at))
		return fprintf(stderr, "crashes: no such scenario\n"), 3;
	for (size_t s = 0; s < nscenarios; s++)
		if ((only == NULL || strcmp(only, scenarios[s].name) == 0) &&
		    record(&all, s))
			add_scenario(&all, s);
	sample(&all, runs);
	run_all(&all);
	return report(&all, core_seconds()) > 0;
}
