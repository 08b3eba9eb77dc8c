/*
 * target.h - which pod an address means, and how to log in to it.
 *
 * Values in, values out, for every command that goes into a pod.  An address
 * is that of a pod (`pod.trainer`, short `trainer`, `pod.trainer[1]`), or of
 * a runner or tunnel, which stands for the pod that it is on.
 */
#ifndef RUN_TARGET_H
#define RUN_TARGET_H

#include "base/cloud.h"
#include "base/diag.h"
#include "base/ssh.h"
#include "lock/lock.h"
#include "spec/spec.h"

/*
 * The record of the pod that address means.  spec may be NULL: then only the
 * lock says where a runner is, and nothing says it of a tunnel.  NULL when
 * there is none, or several (`trainer` with replicas), which is reported.
 */
const struct lock_entry *target_find(struct lock *lock,
    const struct spec *spec, struct str address, struct diags *diags);

/*
 * The same for what may mean many: every replica of `trainer`; with an
 * absent address every pod on record.  In the order of the lock, in the
 * arena; 0 when reported.
 */
size_t target_find_all(struct arena *arena, struct lock *lock,
    const struct spec *spec, struct str address,
    const struct lock_entry ***out, struct diags *diags);

/* What the spec says about a recorded pod, or NULL. */
const struct pod_spec *target_spec(const struct spec *spec,
    const struct lock_entry *entry);

/*
 * Can anybody log in to it now?  pod is NULL when the service knows none of
 * that id.  False: why not is reported, with what helps.
 */
bool target_usable(const struct lock_entry *entry,
    const struct cloud_pod *pod, struct diags *diags);

/* How the host key is known that the pod must have. */
enum target_pin {
	TARGET_RECORDED,	/* pinned in the lock, for this start */
	TARGET_LOGGED,		/* its container printed it */
	TARGET_SEEN,		/* seen before from this machine; never from
				   target_make() */
	TARGET_FIRST_USE,	/* not at all */
};

/* Does the lock hold a pin for the container that runs now? */
bool target_is_pinned(const struct lock_entry *entry,
    const struct cloud_pod *pod);

/*
 * How to log in: endpoint of the live pod, user and key as the spec has them
 * (want may be NULL; key is its resolved path or absent), pins from the lock
 * or else from the lines of the log.  Everything is borrowed or in the arena.
 */
enum target_pin target_make(struct arena *arena,
    const struct lock_entry *entry, const struct cloud_pod *pod,
    const struct pod_spec *want, struct str key,
    const struct log_line *lines, size_t nlines, struct ssh_target *out);

/*
 * The name under which a container's host key is remembered, for
 * HostKeyAlias: "podform-<pod id>-<start>".  Letters, digits, `-` and `_`.
 */
struct str target_alias(struct arena *arena, struct str pod_id,
    struct str start);

#endif
