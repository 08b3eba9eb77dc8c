/*
 * mark.h - how a pod or volume says that it is ours.
 *
 * The mark is made of the lineage of the lock file and the id of the op
 * that created the thing.  In full it is the value of the environment
 * variable PODFORM_MARK of a pod:
 *
 *	v1 <lineage: 32 hex> <op: 32 hex> <address>
 *
 * In short form it ends the name, after what people read:
 *
 *	trainer-pf<lineage: first 6 hex><op: first 10 hex>
 *
 * Names are neither unique nor ours alone, and people can edit the
 * environment: only both together prove ownership.  Volumes have no
 * environment; theirs is the short form only.
 */
#ifndef BASE_MARK_H
#define BASE_MARK_H

#include "base/arena.h"
#include "base/seams.h"
#include "base/str.h"

#define MARK_ENV "PODFORM_MARK"
#define MARK_NAME_MAX 60	/* letters of a pod name known to be safe */
#define MARK_SHORT_LEN 18	/* "pf" and 16 hex digits */

struct id128 { char hex[33]; };	/* lower-case hex and a NUL; "" is none */

struct mark {
	struct str lineage;	/* 32 hex, or 6 in a short mark */
	struct str op;		/* 32 hex, or 10 in a short mark */
	struct str address;	/* absent in a short mark */
};

enum mark_owner {
	MARK_NONE,		/* neither form: not ours */
	MARK_OTHER,		/* another lineage's */
	MARK_OURS,		/* both forms, agreeing, of our lineage */
	MARK_RENAMED,		/* environment is ours, name has no mark */
	MARK_SUSPECT,		/* the two forms disagree, or the environment
				   lacks it while the name claims us */
};

bool id128_parse(struct str hex, struct id128 *out);
struct str id128_str(const struct id128 *id);
struct id128 id128_random(const struct chance *chance);

/* base cut to fit, "-", short mark. */
struct str mark_name(struct arena *arena, struct str base,
    const struct id128 *lineage, const struct id128 *op);
struct str mark_env(struct arena *arena, const struct id128 *lineage,
    const struct id128 *op, struct str address);

/* Parse; false if text is not a mark.  The strs borrow text. */
bool mark_parse_env(struct str value, struct mark *mark);
/* Split a live name into what people read and the mark; false if none. */
bool mark_parse_name(struct str name, struct str *base, struct mark *mark);

/* Whose is a thing with this name and this PODFORM_MARK (absent if none)?
 * For volumes has_env is false and the name alone decides. */
enum mark_owner mark_owner(struct str name, struct str env_value,
    bool has_env, const struct id128 *lineage);

/* Does the op id belong to the thing?  In both forms for pods. */
bool mark_matches(struct str name, struct str env_value, bool has_env,
    const struct id128 *lineage, const struct id128 *op);

/*
 * Does the op id belong to the thing in at least one form?  True where
 * mark_matches() is not: half a mark, which is no proof and no denial.
 */
bool mark_hints(struct str name, struct str env_value, bool has_env,
    const struct id128 *lineage, const struct id128 *op);

#endif
