/*
 * host_keys.h - .podform/known_hosts: keys that the worker saw, for the
 * user's own ssh.
 *
 * Which key is the right one, everywhere:
 *
 *	1. the one that the lock pins for this start of the container (apply
 *	   writes it there: docs/decisions/0011);
 *	2. those that the container's log vouches for, which is looked at when
 *	   a start is met for the first time;
 *	3. the one that was seen in this container from here: this file, written
 *	   by whatever logs in, and read by apply as well as by commands;
 *	4. the first that is seen, which is said.
 *
 * Only 3 comes from here, so the file may be missing without harm; ssh gets
 * its known_hosts from it, after a comparison with 1 and 2.
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
