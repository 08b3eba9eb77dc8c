/*
 * picture.h - records beside what the service reports, without a spec: for
 * status and output.
 */
#ifndef CMD_PICTURE_H
#define CMD_PICTURE_H

#include "app.h"
#include "base/map.h"

struct picture {
	struct session session;
	struct map pods, volumes;	/* by id: struct cloud_pod ... */
};

/* Open a session and, unless --refresh=false, list what there is.
 * session_close() is due when it returns EXIT_OK. */
int picture_take(struct picture *picture, struct app *app,
    const char *operation);

const struct cloud_pod *picture_pod(const struct picture *picture,
    struct str id);
const struct cloud_volume *picture_volume(const struct picture *picture,
    struct str id);

/* What GitHub reports of a recorded runner; NULL: none of that id, or its
 * scope is not known.  *scope: where it was looked for, or NULL. */
const struct github_runner *picture_runner(const struct picture *picture,
    const struct lock_entry *entry, const struct live_scope **scope);

/* "running", "starting", "gone", of runners "online", "busy" ... and how it
 * is painted.  What GitHub does not tell is "unknown". */
struct str picture_state(const struct picture *picture,
    const struct lock_entry *entry, enum paint *paint);

#endif
