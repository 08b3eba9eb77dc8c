/*
 * sim.h - one seed, one whole story.
 *
 * A story is a cloud (pkg/model), a disk, a clock, and a user who edits a
 * spec, runs commands, kills them, and plays with the console.  First comes
 * chaos, with the faults that the seed has drawn and every safety check on;
 * then calm, in which things must settle.  The program under test is real:
 * spec, lock, journal, planner, engine, RunPod client; only the seams of
 * base/seams.h are ours.
 */
#ifndef SIMULATION_SIM_H
#define SIMULATION_SIM_H

#include <setjmp.h>
#include <stdio.h>

#include "base/seams.h"
#include "model/model.h"
#include "run/session.h"

#include "disk.h"
#include "rng.h"

#define EPOCH_MS INT64_C(1795000000000)	/* wall clock at the start */
#define LOCK_PATH "podform.lock"
#define WORK_DIR ".podform"
#define SPEC_DIR "specs"
#define SPEC_PATH "specs/main.yaml"
#define PLAN_PATH "saved.json"

enum { FLIGHTS = 4096, FAMILIES = 16, PEOPLE_ACTS = 18 };

enum { TOKENS = 8, TOKEN_LEN = 20, TOLD = 64 };

enum { BY_HAND = 16, LIVES = 6 };

/* Imported, or forgotten. */
struct by_hand { char id[40], address[64]; bool forgotten; };
/* What `plan --out` promised: "op address" lines. */
struct saved_plan { bool there, used; int64_t serial; struct strbuf does; };

/* The longest time and the most requests that a command has taken. */
enum { PACES = 5 };
struct pace { int64_t ms; uint64_t requests; };

/* A 429 that said when to come again. */
struct told { uint64_t request; int64_t until_ms; };

enum flight_state { FLIGHT_NONE, FLIGHT_OUT, FLIGHT_BACK, FLIGHT_BANNER };

struct stored;
struct guests;
struct guest_task;
struct tale_program;
struct fault_mask;
struct hardware;

enum { OWN_KINDS_MAX = 64, FAULT_KINDS_MAX = 192 };	/* see faults.h */

/* A request on its way to the cloud, or its answer on its way back. */
struct sim_flight {
	enum flight_state state;
	uint64_t token;
	struct arena arena;		/* of what has no other home */
	unsigned process;		/* whose it is */
	bool abandoned;			/* the process died or cancelled it */
	int64_t at_ms;			/* when it arrives where it goes */
	int64_t gives_up_ms;
	uint64_t number;		/* order of equal times */
	enum http_method method;
	char *path, *body;		/* malloc'ed */
	size_t body_len, max_body;
	struct str host;		/* banner; malloc'ed data */
	uint16_t port;
	struct http_answer answer;	/* headers in the arena */
	char *answer_body;		/* malloc'ed */

	/* Of guests: see guests.h. */
	bool github;			/* it goes to GitHub */
	bool holds;			/* of the holder, not of the process */
	struct cloud_request ask;	/* that the holder asked */
	bool talks;			/* to the holder */
	struct str line;		/* what is said to it, or what it says */
	bool fetches, ok;		/* a file; it will come */
	struct guest_task *task;	/* inside a pod */
	const char *etag, *if_match, *bearer;	/* in the arena; or NULL */
	bool stored;			/* it goes to the store */
};

struct sim {
	uint64_t seed;
	struct rng rng;			/* of the story */
	struct rng chance;		/* of the program */
	struct rng more;		/* of what came later: stories without
					   it are told as before */
	struct disk *disk;
	struct model *model;
	struct guests *guests;
	struct hardware *hardware;	/* see hardware.h */
	int64_t memory_peak;		/* of a command: see meter.h */
	struct world world;
	int64_t now_ms;
	bool calm;
	const struct fault_mask *mask;	/* kinds that never strike; or NULL */
	const char *meant;		/* the one invariant that counts; or
					   NULL: each does */
	int64_t own_struck[OWN_KINDS_MAX];

	struct sim_flight *flights;	/* FLIGHTS */
	size_t nflights;		/* highest used */
	uint64_t flight_number;

	/* The process under test. */
	bool running;
	jmp_buf crash;
	int64_t steps, crash_at;	/* -1: lives on */
	bool crash_is_power_loss;
	int64_t signal_at_ms, signal_again_ms;	/* -1: none */
	uint64_t pid, holder_pid[3];	/* the last one; by process */
	struct stored *stored;		/* see stored.h; or NULL */
	bool obeying;			/* a person does as told */
	int64_t away_at;		/* the step in which it was away last */
	/* A second one may come while the first is paused (F18, F33). */
	unsigned process;		/* 1 or 2 */
	int64_t rival_at;		/* step of the first; -1: none */
	void (*rival)(struct sim *sim);

	const struct tale_program *program; /* see tale.h; or NULL */
	/* What the process that ran last has printed. */
	struct strbuf out, err;
	bool json;			/* it was told to print JSON */

	/* Secrets of this seed: no sink may have them (sinks.c). */
	char spec_secret[64], github_token[64], cloud_key[64];
	bool gives_secret;		/* the spec's goes to pods */
	char words[200];		/* of hostile errors */
	char tokens[TOKENS][TOKEN_LEN + 1];	/* that GitHub gave out */
	size_t ntokens;

	/* Pods that the user took in or let go by hand (lives.c). */
	struct by_hand by_hand[BY_HAND];
	size_t nby_hand;
	struct saved_plan saved;
	uint64_t lived[LIVES];		/* how often, see lives.c */

	/* Of the command that runs (promises.c). */
	uint64_t command;		/* its number */
	int64_t begun_ms, stood_still;
	bool whole;			/* no part is left out */
	uint64_t sent;			/* requests */
	struct pace paces[PACES];	/* of the slowest commands so far */
	uint64_t before;		/* the last flight before it */
	uint64_t rivals_before;		/* of the first process */
	int64_t odd_before;		/* odd answers before it: of a status
					   that nobody knows nothing follows */
	int64_t restless_ms;		/* when something last happened that
					   no running command did */
	bool own;			/* what is being served was sent by it */
	struct told told[TOLD];
	size_t ntold, early;		/* asked before it was to be */
	/* Who could have told that the lock is not on the disk is gone. */
	bool unsafe_untold;

	/* What the checkers keep. */
	struct check *check;
	struct deeds *deeds;		/* see deeds.h */
	/* Listings that are cut while a pod of ours is in no record. */
	unsigned cuts_per_mille, cuts_in_row;
	int64_t hides_ms;		/* effects later than this are the
					   cloud's own fault */
	bool direct;			/* the request being served changes
					   something now, not later */

	/* The last apply converged, and nobody has changed the spec or the
	 * cloud since this time (-1: not so): nothing has to change. */
	int64_t still_since_ms;
	bool of_before;			/* a request of a command that has ended
					   changed something during this one */
	bool other_spec;		/* not the one that spec_* describes */
	bool late;			/* an old request, or a second podform,
					   struck during this command */
	struct strbuf said;		/* what the user was told by the last
					   command */
	struct strbuf reported;		/* ids shown as ours by half */

	/* The outcome. */
	char *violation;		/* malloc'ed; NULL: none so far */
	FILE *trace;			/* or NULL */
	uint64_t hash;			/* of the trace */
	uint64_t commands, crashes, mutations, rivals, locked;
	int64_t people[PEOPLE_ACTS];	/* what people did, and hosts */
};

/* sim_world.c */
struct sim_flight *sim_flight_new(struct sim *sim, uint64_t token,
    enum flight_state state, int64_t after_ms);
void sim_flight_request(struct sim_flight *flight,
    const struct http_request *request);
void sim_flight_end(struct sim_flight *flight);
void sim_world_init(struct sim *sim);
void sim_world_release(struct sim *sim);
void sim_step(void *sim, const char *what);
/* The process is gone; what it had sent may still arrive. */
void sim_process_end(struct sim *sim);
/* Nothing runs; time passes. */
void sim_pass(struct sim *sim, int64_t ms);
/* The process that runs does nothing for that long, in the middle of what it
 * does; where the machine sleeps its connections die. */
void sim_be_away(struct sim *sim, int64_t ms, bool sleeps);
void sim_trace(struct sim *sim, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void sim_violate(struct sim *sim, const char *invariant, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

/* story.c */
struct story_options {
	uint64_t seed;
	bool verbose;
	FILE *trace;
	const struct fault_mask *mask;	/* or NULL: none is off */
	const char *meant;		/* only this invariant counts; NULL */
	int64_t crash_at;		/* of the first command; -1 by chance */
	bool quiet_cloud;		/* no faults */
	bool bare;			/* no guests: see guests.h */
	bool stores;			/* the record is in one: stored.h */
	const struct tale_program *program; /* NULL: sessions, no words */
	bool crash_is_power_loss;
};
struct story_result {
	char *violation;		/* malloc'ed, NULL if all held */
	uint64_t hash;
	int64_t steps;			/* of the first command */
	uint64_t commands, crashes, mutations, jobs, rivals, locked;
	int64_t memory_peak;		/* bytes, of the greediest command */
	struct pace paces[PACES];	/* of the slowest commands */
	int64_t struck[FAULT_KINDS_MAX];	/* by kind of faults.h */
};
void story_run(const struct story_options *options,
    struct story_result *result);

/* checks.c */
struct check *check_new(void);
void check_free(struct check *check);
/* Before a request reaches the cloud, and after it has had its effect. */
void check_request(struct sim *sim, const struct sim_flight *flight);
void check_cloud(struct sim *sim);
/* What the spec wants now: "pod.x" or "pod.x[n]", volumes too. */
struct wanted {
	char address[64], image[24], mode[12];	/* absent image: a volume */
	const char *gpu;		/* as the spec lists them */
	bool surge, volume, secret;
	bool stopped;			/* it need not be there */
};
/* All of it, as it was told last. */
const struct wanted *check_wants(const struct sim *sim, size_t *n);
/* The address that a pod of ours has, by its mark or as people said, where
 * the record knows it; in out, "" for none. */
void check_address(const struct sim *sim, const struct model_pod *pod,
    char out[64]);
void check_want(struct sim *sim, const struct wanted *wanted, size_t n);
void check_lock_file(struct sim *sim);
/* After a command that says that all it did was undone (I8). */
void check_undone(struct sim *sim);
/* Something is about to be changed by the process that runs now. */
void check_one_writer(struct sim *sim, const char *what);
void check_exit(struct sim *sim, const char *command, int code,
    const struct run_summary *summary);
void check_settled(struct sim *sim, bool destroyed);
/* Among the pods: are those with that mark's op billed and in no record?
 * Calls found() for each that this command has made. */
void check_made(struct sim *sim,
    void (*found)(struct sim *sim, struct str id, const char *address));
/* Has it lost its mark, or a part of it, or got but a part?  Then it is
 * shown, for a person to decide. */
bool check_is_half(const struct model_pod *pod);
bool check_is_forgotten(const struct sim *sim, const struct model_pod *pod);
bool check_lock_knows(const struct sim *sim, struct str id);
/* Is one billed and has our mark, and neither lock nor journal names it?
 * What a listing says decides what becomes of it. */
bool check_has_unknown(const struct sim *sim);
/* A listing is on its way of which nobody can read which pods are there. */
void check_damaged(struct sim *sim);
/* Is it there for that address, by its mark or as people said? */
bool check_is_of(const struct sim *sim, const struct model_pod *pod,
    const char *address);
/* Or does the journal name it? */
bool check_record_knows(const struct sim *sim, struct str id);
/* The serial of the lock file as it is; -1: there is none. */
int64_t check_serial(struct sim *sim);
/* The billed and recorded pod whose mark has that address ("pod.x" is its
 * first replica too), or NULL. */
const struct model_pod *check_pod_of(struct sim *sim, const char *address);

/* sinks.c: I6 and I15.  Secrets are drawn at the start of a story. */
void sinks_begin(struct sim *sim);
/* What leaves for elsewhere; `where` is for people. */
enum sink { SINK_GITHUB, SINK_CLOUD, SINK_POD, SINK_HOLDER };
void sinks_sent(struct sim *sim, enum sink sink, struct str bytes,
    const char *where);
/* Tokens that an answer of GitHub has in it. */
void sinks_github_gave(struct sim *sim, struct str body);
/* What a command has printed and written; killed: it had no time to end. */
void sinks_look(struct sim *sim, bool killed);
/* Text as nobody should have it on a terminal, with the secret in it. */
const char *sinks_hostile(void);

/* promises.c: I12, I13, I18.  Around one command; code -1: it was killed. */
void promises_begin(struct sim *sim);
void promises_sent(struct sim *sim, const struct sim_flight *flight);
void promises_told(struct sim *sim, const struct sim_flight *flight);
void promises_end(struct sim *sim, const char *command, int code);
void pace_most(struct pace *pace, const struct pace *more);
const char *pace_name(size_t i);

#endif
