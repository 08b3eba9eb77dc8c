/*
 * tale.h - what one story is about, for those who tell it: story.c has the
 * spec, the commands and the course of it, trouble.c what goes wrong.
 */
#ifndef SIMULATION_TALE_H
#define SIMULATION_TALE_H

#include "guests.h"

enum { PODS = 4, LIFE_MAX = 6, CALM_ROUNDS = 6, REPLACES_MAX = 8 };

struct tale_pod {
	bool there;
	unsigned image, gpu, replicas, env;
	bool volume, create_first;
};

struct tale {
	struct sim *sim;
	struct tale_pod pods[PODS];
	struct tale_guest guests[PODS];
	bool has_volume, has_secret;
	/* --replace, as the messages said: of the next apply. */
	char replaces[REPLACES_MAX][48];
	size_t nreplaces;
	/* Memory of the process under test, which may die in any place. */
	struct arena arena;
	struct session session;
	struct github_world *github;
};

/* story.c: apply or destroy as a process that may die; its exit code, or -1.
 * *empty: there was nothing to do. */
int tale_process(struct tale *tale, bool destroy, bool *empty);
/* Any command: its words, without "podform". */
int tale_run(struct tale *tale, const char *const *words, size_t n,
    bool *empty);

/* For those who run commands: what is told of them. */
struct session_config tale_session_config(struct sim *sim,
    const char *operation);
void tale_note_plan(struct sim *sim, const struct plan *plan);
void tale_note_end(struct sim *sim, const struct diags *diags,
    const struct run_summary *summary);
bool tale_is_empty(const struct session *session, const struct plan *plan);

/* program.c: the commands of cmd/podform, with words as people type them.
 * Whoever links it may set sim->program to it. */
struct tale_program {
	int (*run)(struct tale *tale, const char *const *words, size_t n,
	    bool *empty);
	void (*end)(struct tale *tale);	/* the process is gone */
	/* What the process that runs has shown of it, if it may do this now by
	 * what it has planned; or NULL. */
	const struct plan_change *(*shown)(enum model_op op, struct str id,
	    const char *address);
};
extern const struct tale_program program;

/* A world without anything in it, and its end.  What was found to be wrong,
 * sim->violation, stays the caller's. */
void tale_open(struct tale *tale, uint64_t seed,
    const struct model_config *config);
void tale_close(struct tale *tale);
/* The spec as the pods of the tale want it now. */
void tale_write_spec(struct tale *tale);
/* Faults end; all must come right, and go with a last destroy. */
void tale_calm(struct tale *tale);
/* people.c: what people and hosts do to pods between two commands; then what
 * the messages of podform tell its user to do (false: nothing). */
void people_meddle(struct tale *tale);
const char *people_act_name(int act);
bool people_obey(struct tale *tale);
/* A new key, and money on the account (F15). */
void people_repair(struct tale *tale);

/* lives.c: what else people do with podform: saved plans, targets, imports,
 * things that are forgotten.  One of them, now. */
void lives_turn(struct tale *tale);
const char *lives_name(int life);
/* An apply of the saved plan was let go on, and does this. */
void lives_applies(struct sim *sim, struct str does);
/* The serial that the plan was made of; UNKNOWN_SERIAL where the disk has
 * played with the lock file since. */
enum { UNKNOWN_SERIAL = -2 };
int64_t lives_serial(struct sim *sim);

/* story.c: another wish. */
void tale_edit(struct tale *tale);
/* A pod of the spec that was not there, as one replica; or -1. */
int tale_add_pod(struct tale *tale);

/* trouble.c: the faults of the cloud that this story has; then what happens
 * after a command, before it, and while it runs. */
void trouble_draw(struct tale *tale);
void trouble_lose_machine(struct tale *tale);
void trouble_death(struct tale *tale);
void trouble_guests(struct sim *sim);
void trouble_rival(struct sim *sim);

#endif
