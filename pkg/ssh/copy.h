/*
 * copy.h - what copying to a pod and from one have in common; private to
 * pkg/ssh.
 */
#ifndef SSH_COPY_H
#define SSH_COPY_H

#include "ssh/session.h"

enum { COPY_ITEMS_MAX = 200 * 1000, COPY_DEPTH_MAX = 64 };

struct copy_item {
	struct str local, remote;	/* followed by a NUL */
	unsigned mode;			/* as st_mode */
	uint64_t size;
	bool fresh;			/* a directory that this copy made */
};

struct copy {
	struct op op;
	struct ssh *ssh;
	struct arena arena;
	struct ssh_target target;
	struct use use;
	struct ssh_copy_calls calls;
	void *ctx;
	struct str local, remote;
	bool into;			/* the target was written with a slash */
	bool onto;			/* a directory becomes the target, also
					   where that is one already */
	VEC_OF(struct copy_item) items;	/* a directory before what is in it */
	size_t at;			/* of the one in progress */
	size_t left;			/* of items whose modes may be due */
	uint64_t total, before;		/* bytes: in all, of finished files */
	struct strbuf left_out;		/* lines for people */
	const char *temporary;		/* local file that is half there */
	struct str half;		/* file on the pod that is half there */
	bool ending;			/* it goes, then the copy ends: */
	struct ssh_answer ended;
	struct channel channel;
	bool asked;			/* an answer is outstanding */
	/* What is said of `remote`, which is asked first. */
	void (*looked)(struct copy *copy, const struct wire *message);
	void (*answered)(struct copy *copy, const struct wire *message);
	struct copy_item found;		/* by the last STAT */
	struct strbuf sums, said;	/* for sha256sum, and its words */
	size_t sums_sent;
	uint64_t verify;
};

struct copy *copy_new(struct ssh *ssh, const struct ssh_target *target,
    struct str local, struct str remote, const struct ssh_copy_calls *calls,
    void *ctx);
void copy_end(struct copy *copy, enum ssh_outcome outcome, struct str reason);
void copy_fail(struct copy *copy, enum ssh_outcome outcome,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
void copy_ask(struct copy *copy, const struct wire *message,
    void (*answered)(struct copy *copy, const struct wire *message));
/* The pod or its files do not allow it: SSH_DONE with status 1. */
void copy_refuse(struct copy *copy, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Was it refused?  Then the copy has ended. */
bool copy_failed(struct copy *copy, const struct wire *message,
    struct str about);
void copy_add_sum(struct copy *copy, const struct wire *done,
    struct str remote);
/* All is there: set the modes of directories, one by one (set_mode() calls
 * again when it is done), then compare digests, and end. */
void copy_finish(struct copy *copy, void (*set_mode)(struct copy *copy,
    const struct copy_item *item));
/* The last name of a path, as cp takes it: of ".." and the like, "". */
struct str copy_base_name(struct str path);
/* The name that a file has until it is whole; with a NUL. */
struct str copy_part(struct copy *copy, struct str path);
void copy_leave_out(struct copy *copy, struct str path, const char *why);
struct str copy_join(struct copy *copy, struct str directory,
    struct str name);
/* NULL: there are too many. */
struct copy_item *copy_add(struct copy *copy, struct str local,
    struct str remote, unsigned mode, uint64_t size);

#endif
