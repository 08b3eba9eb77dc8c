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
	VEC_OF(struct copy_item) items;	/* a directory before what is in it */
	size_t at;			/* of the one in progress */
	uint64_t total, before;		/* bytes: in all, of finished files */
	struct strbuf left_out;		/* lines for people */
	const char *temporary;		/* local file that is half there */
	struct channel channel;
	bool asked;			/* an answer is outstanding */
	void (*begin)(struct copy *copy);
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
/* Was it refused?  Then the copy has ended. */
bool copy_failed(struct copy *copy, const struct wire *message,
    struct str about);
void copy_add_sum(struct copy *copy, const struct wire *done,
    struct str remote);
void copy_verify(struct copy *copy);	/* and end */
struct str copy_base_name(struct str path);
struct str copy_join(struct copy *copy, struct str directory,
    struct str name);
/* NULL: there are too many. */
struct copy_item *copy_add(struct copy *copy, struct str local,
    struct str remote, unsigned mode, uint64_t size);

#endif
