/*
 * github_ops.h - one row for each thing GitHub can be asked.
 *
 * Private to pkg/github: encode, decode and classify read this one table, so
 * that a path, its expected status and its answer's shape cannot drift apart.
 */
#ifndef GITHUB_GITHUB_OPS_H
#define GITHUB_GITHUB_OPS_H

#include "base/github.h"

enum github_shape {
	GITHUB_SHAPE_NONE,	/* 204: the body means nothing */
	GITHUB_SHAPE_RUNNERS, GITHUB_SHAPE_RUNNER, GITHUB_SHAPE_JIT,
	GITHUB_SHAPE_TOKEN, GITHUB_SHAPE_DOWNLOADS, GITHUB_SHAPE_DEPRECATION,
	GITHUB_SHAPE_GROUPS, GITHUB_SHAPE_REPOSITORY,
};

struct github_ops_row {
	enum http_method method;
	/* After the scope's "/repos/OWNER/NAME" or "/orgs/NAME"; "#" stands
	 * for the id, "@" for the name and "%" for the version. */
	const char *path;
	int success;		/* the one status that means success */
	enum github_shape shape;
	int64_t timeout_ms;
	size_t max_body;
};

extern const struct github_ops_row github_ops_rows[GITHUB_OP_COUNT];

#endif
