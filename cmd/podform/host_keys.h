/*
 * host_keys.h - .podform/known_hosts: keys that the worker saw, for the
 * user's own ssh.
 *
 * A cache: it may be missing or stale without harm, since a key out of it is
 * compared with the pin, and one that is not there is looked for by a login.
 */
#ifndef CMD_HOST_KEYS_H
#define CMD_HOST_KEYS_H

#include "app.h"
#include "base/ssh.h"

/* Remember a key (a blob of RFC 4253) for the target's container; those of
 * pods without a record go.  Failures are of no consequence. */
void host_keys_remember(struct app *app, const struct lock *lock,
    const struct ssh_target *target, struct str blob);

/*
 * Make sure that a key of the target's container is there: the one that is,
 * or one that ssh-keyscan sees now.  It must be one of the pins; without
 * pins it is taken, and *first says so.  False is reported.
 */
bool host_keys_ensure(struct app *app, const struct lock *lock,
    struct str address, const struct ssh_target *target, bool *first);

/* The fingerprint of the key that was seen in this container from here, in
 * the arena; absent if none was. */
struct str host_keys_seen(struct app *app, const struct ssh_target *target);

/* Is a key of the target's container there, and is it one of the pins? */
bool host_keys_has(struct app *app, const struct ssh_target *target);

#endif
