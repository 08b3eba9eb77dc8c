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

/* Is a key of the target's container there, and is it one of the pins? */
bool host_keys_has(struct app *app, const struct ssh_target *target);

#endif
