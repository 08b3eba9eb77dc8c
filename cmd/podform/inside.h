/*
 * inside.h - what every command that goes into a pod begins with.
 *
 *	inside_open -> inside_find -> inside_look -> inside_target
 *	 lock, spec     addresses      one request    pins, user, key
 *
 * The spec is a help, no condition: these commands work from the lock alone,
 * so that a mistake in a file keeps nobody from looking at a pod.
 */
#ifndef CMD_INSIDE_H
#define CMD_INSIDE_H

#include "app.h"
#include "run/target.h"

struct inside_pod {
	const struct lock_entry *entry;
	const struct pod_spec *want;	/* NULL: the spec has it not */
	const struct cloud_pod *live;	/* NULL: gone, or not asked yet */
	struct ssh_target target;	/* of inside_target() */
	enum target_pin pin;
};

struct inside {
	struct app *app;
	const struct spec *spec;	/* NULL: none, or it has mistakes */
	struct session session;
	struct inside_pod *pods;
	size_t npods;
};

/*
 * Connect, load spec and lock.  inside_close() is due in any case.  All of
 * these give EXIT_OK or the code to leave with, reported.
 */
int inside_open(struct inside *inside, struct app *app,
    const char *operation);
void inside_close(struct inside *inside);

/* Add the pod that address means; with `many`, all replicas of it, or (an
 * absent address) all pods.  None twice. */
int inside_find(struct inside *inside, struct str address, bool many);

/* Ask the service about the pods found: one of them by its id, more by one
 * listing. */
int inside_look(struct inside *inside);

/*
 * Make the target of a pod, or say why it cannot be logged in to
 * (EXIT_ERROR).  The pin is that of the lock; else the key that was seen in
 * this container from here; else what its log says; else there is none, and
 * the first key is the right one (TARGET_FIRST_USE).
 */
int inside_target(struct inside *inside, struct inside_pod *pod);

/* Say on standard error that a key was taken because nobody knew better. */
void inside_say_first(struct inside *inside, const struct inside_pod *pod,
    struct str fingerprint);

/* Absolute path of the private key to log in with: that of the spec, else
 * the project's; absent if the file is not there. */
struct str inside_key_file(struct inside *inside,
    const struct inside_pod *pod);

/* Where the project's own key is, or would be: absolute, in the arena. */
struct str inside_key_directory(struct app *app, const struct id128 *lineage);

/* Absolute path of a file in .podform, in the arena; absent if the current
 * directory has no name. */
struct str inside_work_path(struct app *app, const char *name);

#endif
