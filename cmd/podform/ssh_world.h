/*
 * ssh_world.h - SSH in the loop of the real outside.
 *
 * The one place where pkg/ssh meets pkg/io: the sessions as a guest of the
 * loop, the keys of the project and of the user, the worker's program.  All of it is made when
 * it is first needed; a command that goes into no pod pays nothing.
 */
#ifndef CMD_SSH_WORLD_H
#define CMD_SSH_WORLD_H

#include "app.h"
#include "spec/spec.h"
#include "ssh/ssh.h"

/* Begin and end; app_connect() and app_release() do it. */
void ssh_world_attach(struct app *app);
void ssh_world_free(struct app *app);

/*
 * The sessions, and the keys they log in with.  A session of run/session.h
 * must be loaded (app->session): its lineage names the project's key.
 */
struct ssh *ssh_world_ssh(struct app *app);
struct ssh_keys *ssh_world_keys(struct app *app);

/*
 * Have the keys ready that somebody named for a pod: that of its spec (want
 * may be NULL) and SSH_KEY_PATH.  A passphrase is asked for now, since no
 * session can; a key that cannot be used is reported before anything is
 * connected or made.
 */
bool ssh_world_load_keys(struct app *app, const struct pod_spec *want);

/*
 * Would it succeed?  Asks nobody, for plan: what cannot be used is reported
 * at its place.
 */
bool ssh_world_check_keys(struct app *app, const struct pod_spec *want);
/*
 * What files alone tell of the keys that a spec names, for validate: without
 * a session, and a key that is not on this machine is worth a warning.
 */
void ssh_world_validate_keys(struct app *app, const struct spec *spec);

/*
 * Wake app->world->wait() with an event WORLD_SSH of this token and without
 * an answer: for callbacks of pkg/ssh that ended what a command waits for.
 */
void ssh_world_wake(struct app *app, uint64_t token);

/* What came of it, for people: "cannot be reached: connection refused". */
struct str ssh_world_words(struct arena *arena,
    const struct ssh_answer *answer);

/* What to do about it, for the diagnostic that was reported last. */
void ssh_world_hint(struct app *app, enum ssh_outcome outcome);

#endif
