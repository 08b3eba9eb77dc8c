/*
 * deeds.h - what became of pods, attribute by attribute: what a plan showed
 * of a change is what is done (I12), and what a rollback says it has taken
 * back is as it was (I8).
 *
 * A shadow of each pod is kept, as it was after the last thing that happened
 * to it.  What it points to is the model's, which forgets nothing.
 */
#ifndef SIMULATION_DEEDS_H
#define SIMULATION_DEEDS_H

#include "tale.h"

enum { SHADOWS = 256 };

/* Of one pod what can be asked for. */
struct shadow {
	bool there, billed, runs;
	struct str name, image, args, volume_id, volume_path;
	int64_t disk_gb, gpu_count;
	const struct model_gpu *gpu;
	const struct model_env *env;
	size_t nenv;
	char ports[64];			/* "22/tcp 80/http " */
	bool community;
	int64_t changed_ms;		/* when something last happened to it */
	int64_t others_ms;		/* that no running command did; -1 */
};

/* Things as they were before a command. */
struct before {
	struct shadow pods[SHADOWS];	/* by their place in the model */
	size_t npods;
	size_t nrunners;		/* that there had been at GitHub */
	char *lock;			/* malloc'ed; NULL: not to be compared */
	size_t lock_len;
};

struct deeds {
	struct shadow now[SHADOWS];
	struct before before;
	size_t log_at;
};

struct deeds *deeds_new(void);
void deeds_free(struct deeds *deeds);

/* A command begins; it has ended with EXIT_UNDONE. */
void deeds_begin(struct sim *sim);
void deeds_check_undone(struct sim *sim);

/* Something has happened to a pod; `change` is what the process that did it
 * has shown of it, NULL where nobody could have shown it.  `alone`: nothing
 * else has happened to that pod at the same time. */
struct plan_change;
void deeds_entry(struct sim *sim, const struct model_entry *entry,
    const struct plan_change *change, bool alone);

#endif
