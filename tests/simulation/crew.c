/* crew.c - see crew.h */
#include "crew.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BATCH = 50, JOBS_MAX = 64, FAILURES = 32 };

struct failure {
	uint64_t seed;
	char violation[VIOLATION];
};

/* What a child writes, where its parent can read it after its death. */
struct board {
	struct totals totals;
	struct failure failures[FAILURES];
	size_t nfailures;
	uint64_t next, end;		/* the seed that is being told */
	bool in_time;			/* no: its CPU time ran out */
	pid_t pid;			/* 0: nobody */
};

/* ------------------------------------------------------------ one story -- */

static void
add_up(struct totals *totals, const struct story_result *result,
    uint64_t seed)
{
	uint64_t mixed = seed ^ result->hash;

	totals->stories++;
	totals->commands += result->commands;
	totals->crashes += result->crashes;
	totals->mutations += result->mutations;
	totals->digest += rng_mix(&mixed);	/* in any order */
	totals->jobs += result->jobs;
	totals->rivals += result->rivals;
	totals->locked += result->locked;
	if (result->memory_peak > totals->memory_peak)
		totals->memory_peak = result->memory_peak;
	for (size_t i = 0; i < PACES; i++)
		pace_most(&totals->paces[i], &result->paces[i]);
	for (int i = 0; i < FAULT_KINDS; i++)
		totals->struck[i] += result->struck[i];
}

/* Does the canary sing?  Where the first fault of a story struck. */
static bool
canary_sings(const struct crew_options *options, uint64_t seed,
    const struct story_result *result, char violation[VIOLATION])
{
	if (!options->canary || seed % CANARY_EVERY != 0)
		return false;
	for (int i = 0; i < FAULT_KINDS; i++)
		if (result->struck[i] > 0) {
			snprintf(violation, VIOLATION, "CANARY at 0 ms: a "
			    "fault has struck, and this failure is on "
			    "purpose");
			return true;
		}
	return false;
}

bool
crew_tell(const struct crew_options *options, uint64_t seed,
    struct totals *totals, char violation[VIOLATION])
{
	struct story_options story = options->story;
	struct story_result result;
	bool ok;

	story.seed = seed;
	probes_begin(totals->probes);
	story_run(&story, &result);
	add_up(totals, &result, seed);
	ok = result.violation == NULL;
	if (!ok)
		snprintf(violation, VIOLATION, "%s", result.violation);
	else if (canary_sings(options, seed, &result, violation))
		ok = false;
	if (!ok)
		totals->failed++;
	free(result.violation);
	return ok;
}

/* -------------------------------------------------------------- children -- */

static void
note(struct board *board, uint64_t seed, const char *violation)
{
	if (board->nfailures == FAILURES)
		return;
	struct failure *failure = &board->failures[board->nfailures++];
	failure->seed = seed;
	snprintf(failure->violation, VIOLATION, "%s", violation);
}

_Noreturn static void
child(const struct crew_options *options, struct board *board)
{
	struct itimerval limit = { .it_value.tv_sec = STORY_SECONDS };
	char violation[VIOLATION];

	for (; board->next < board->end; board->next++) {
		setitimer(ITIMER_VIRTUAL, &limit, NULL);
		if (!crew_tell(options, board->next, &board->totals,
			violation))
			note(board, board->next, violation);
	}
	_exit(0);
}

static void
start(const struct crew_options *options, struct board *board)
{
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		child(options, board);
	if (pid < 0) {
		perror("stories: fork");
		exit(3);
	}
	board->pid = pid;	/* here alone: the child shares the board */
}

/* A child has ended: it is done, or the story that it was telling did it. */
static void
ended(struct board *board, int status)
{
	char text[VIOLATION];

	board->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGVTALRM)
		snprintf(text, sizeof text, "I13 at the end: more than %d s "
		    "of CPU", STORY_SECONDS);
	else if (WIFSIGNALED(status))
		snprintf(text, sizeof text, "CRASH at the end: %s",
		    strsignal(WTERMSIG(status)));
	else
		snprintf(text, sizeof text, "CRASH at the end: exit %d",
		    WEXITSTATUS(status));
	board->totals.failed++;
	board->totals.stories++;
	note(board, board->next++, text);
}

static struct board *
boards_new(size_t n)
{
	struct board *boards = mmap(NULL, n * sizeof *boards,
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (boards == MAP_FAILED) {
		perror("stories: mmap");
		exit(3);
	}
	return boards;
}

bool
crew_try(const struct crew_options *options, uint64_t seed,
    char violation[VIOLATION])
{
	struct board *board = boards_new(1);
	int status;

	board->next = seed;
	board->end = seed + 1;
	start(options, board);
	waitpid(board->pid, &status, 0);
	ended(board, status);
	bool ok = board->nfailures == 0;
	if (!ok)
		memcpy(violation, board->failures[0].violation, VIOLATION);
	munmap(board, sizeof *board);
	return ok;
}

/* ------------------------------------------------------------------ many -- */

static void
add_totals(struct totals *all, const struct totals *more)
{
	all->stories += more->stories;
	all->failed += more->failed;
	all->commands += more->commands;
	all->crashes += more->crashes;
	all->mutations += more->mutations;
	all->jobs += more->jobs;
	all->digest += more->digest;
	all->rivals += more->rivals;
	all->locked += more->locked;
	if (more->memory_peak > all->memory_peak)
		all->memory_peak = more->memory_peak;
	for (size_t i = 0; i < PACES; i++)
		pace_most(&all->paces[i], &more->paces[i]);
	for (int i = 0; i < FAULT_KINDS; i++)
		all->struck[i] += more->struck[i];
	for (int i = 0; i < PROBES_MAX; i++)
		all->probes[i] += more->probes[i];
}

static struct board *
board_of(struct board *boards, size_t n, pid_t pid)
{
	for (size_t i = 0; i < n; i++)
		if (boards[i].pid == pid)
			return &boards[i];
	return NULL;
}

/* Where one invariant is meant, a story that dies of a planted bug is none. */
static bool
is_meant(const struct crew_options *options, const char *violation)
{
	const char *meant = options->story.meant;
	size_t n = meant == NULL ? 0 : strlen(meant);

	return n == 0 ||
	    (strncmp(violation, meant, n) == 0 && violation[n] == ' ');
}

void
crew_run(const struct crew_options *options, struct totals *totals,
    void (*failed)(const struct crew_options *options, uint64_t seed,
	const char *violation))
{
	size_t jobs = options->jobs < JOBS_MAX ? options->jobs : JOBS_MAX;
	struct board *boards = boards_new(jobs);
	uint64_t next = options->from, end = next + options->seeds;
	size_t running = 0;
	bool enough = false;

	for (;;) {
		for (size_t i = 0; i < jobs && !enough && next < end; i++) {
			if (boards[i].pid != 0)
				continue;
			boards[i] = (struct board){ .next = next };
			next += end - next < BATCH ? end - next : BATCH;
			boards[i].end = next;
			start(options, &boards[i]);
			running++;
		}
		if (running == 0)
			break;
		int status;
		pid_t pid = wait(&status);
		if (pid < 0) {
			perror("stories: wait");
			exit(3);
		}
		struct board *board = board_of(boards, jobs, pid);
		if (board == NULL)
			continue;
		ended(board, status);
		if (board->next < board->end && !enough) {
			start(options, board);
			continue;
		}
		running--;
		add_totals(totals, &board->totals);
		for (size_t i = 0; i < board->nfailures && !enough; i++) {
			if (!is_meant(options, board->failures[i].violation)) {
				totals->failed--;
				continue;
			}
			failed(options, board->failures[i].seed,
			    board->failures[i].violation);
			enough = options->stop_after > 0 &&
			    totals->failed >= options->stop_after;
		}
	}
	munmap(boards, jobs * sizeof *boards);
}
