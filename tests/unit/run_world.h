/*
 * run_world.h - a run of the engine, told what happens, asked what it does.
 *
 * A plan is made over a plan_world (spec, lock, live), the engine runs it,
 * and what it wants is written down, a line each:
 *
 *	start create pod.trainer            a note
 *	intent create pod.trainer #01       for the journal (op number 1)
 *	send create trainer#01 A40          a request
 *	result done #01 new1
 *	probe 1.2.3.4:2222
 *
 * Journal writes succeed at once unless the test says otherwise.  Requests
 * wait until the test answers them, or until run_drive() lets an honest
 * cloud answer, one that the test may script to lie.
 */
#ifndef TESTS_RUN_WORLD_H
#define TESTS_RUN_WORLD_H

#include "plan_world.h"
#include "run/run.h"

struct run_script {
	enum cloud_op op;
	unsigned after;			/* honest answers before this one */
	bool effect;			/* it happens all the same */
	struct cloud_answer answer;
};

struct ssh_script {
	enum ssh_task task;
	unsigned after;
	struct ssh_answer answer;
};

struct github_script {
	enum github_op op;
	unsigned after;
	bool effect;
	struct github_answer answer;
};

struct run_world {
	struct plan_world w;
	struct run_options options;
	struct run *run;
	VEC_OF(struct run_effect) waiting;	/* requests and probes */
	VEC_OF(struct run_script) scripts;
	int64_t now_ms;
	bool disk_fails;		/* journal writes fail from now on */
	bool hold_journal;		/* they wait for run_journal() */
	VEC_OF(struct run_effect) held;
	bool silent_lists;		/* listings and progress: not written */
	bool no_banner;			/* probes fail */
	uint8_t ops, made;
	size_t sent[CLOUD_OP_COUNT];
	enum pod_status born_as;	/* status of what is created */
	/* Inside: pods, GitHub, the holder. */
	VEC_OF(struct ssh_script) ssh_scripts;
	VEC_OF(struct github_script) github_scripts;
	VEC_OF(struct github_runner) runners;
	bool never_online;		/* runners that are started */
	bool config_fails;		/* none registers itself */
	bool listener, worker;		/* what a look sees */
	const char *jit;		/* of a registration; NULL: "hello" */
	const char *log_line;		/* of the container; NULL: none */
	const char *tunnel_fails;	/* why; NULL: it comes up */
	struct strbuf log;
};

void run_init(struct run_world *r);
void run_release(struct run_world *r);
/* For cmocka: a world for each test, which is its *state. */
int run_setup(void **state);
int run_teardown(void **state);

/* Make the plan of the world as it is and start it. */
void run_start(struct run_world *r);
/* A spec of one trainer that may be an A40 or an A5000; started. */
void run_trainer(struct run_world *r);

/* What was written since the last call. */
const char *run_said(struct run_world *r);
/* Compare it. */
void run_expect(struct run_world *r, const char *wanted);

/* Answer the oldest waiting request of that kind. */
void run_answer(struct run_world *r, enum cloud_op op,
    struct cloud_answer answer);
bool run_waits_for(const struct run_world *r, enum cloud_op op);
/* Let the honest cloud answer it. */
void run_honest(struct run_world *r, enum cloud_op op);
/* The effect without the answer: as honest, and nobody hears of it. */
void run_effect_only(struct run_world *r, enum cloud_op op);
void run_banner(struct run_world *r, bool ok);

void run_pass(struct run_world *r, int64_t ms);
/* To the next deadline, which must be there. */
void run_tick(struct run_world *r);
/* Until a listing of pods is asked for. */
void run_to_listing(struct run_world *r);
void run_signal(struct run_world *r);
/* Journal writes that were held: they succeed or fail now. */
void run_journal(struct run_world *r, bool ok);

/* The nth honest answer (from 0) to op becomes this one. */
void run_lie(struct run_world *r, enum cloud_op op, unsigned after,
    bool effect, struct cloud_answer answer);
/* The honest cloud and the clock do the rest; at most a day. */
void run_drive(struct run_world *r);
/* One event of that. */
void run_step(struct run_world *r);
/* The same until so many requests of that kind were sent. */
void run_drive_until(struct run_world *r, enum cloud_op op, size_t sent);

/* The same for what is asked inside pods and of GitHub. */
void run_ssh_lie(struct run_world *r, enum ssh_task task, unsigned after,
    struct ssh_answer answer);
void run_github_lie(struct run_world *r, enum github_op op, unsigned after,
    bool effect, struct github_answer answer);
struct ssh_answer ssh_exits(int status, const char *output);
struct ssh_answer ssh_cut(enum ssh_outcome outcome, const char *reason);

/* What is answered, lies included: for those who ask by themselves, as the
 * session does (session_world.h). */
void run_cloud_says(struct run_world *r, const struct cloud_request *request,
    struct cloud_answer *answer);
void run_github_says(struct run_world *r,
    const struct github_request *request, struct github_answer *answer);
struct ssh_answer run_ssh_says(struct run_world *r,
    const struct ssh_request *request);
struct holder_answer run_holder_says(struct run_world *r,
    const struct holder_request *request);

/* Answers. */
struct cloud_answer says(int status, enum cloud_reason reason,
    const char *message);			/* NO_EFFECT */
struct cloud_answer unclear(int status, const char *message);
struct cloud_answer not_sent(void);
struct cloud_answer one_pod(struct run_world *r, struct cloud_pod pod);

/* "exit 9: undone 2" and the failures and what is left, a line each. */
const char *run_outcome(struct run_world *r);

#endif
