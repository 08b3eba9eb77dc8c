/* github_ops.c - see github_ops.h */
#include "github/github_ops.h"

enum {
	READ_MS = 30 * 1000,	/* the service itself gives up after ten */
	WRITE_MS = 45 * 1000,
};

/* A page of 100 runners with 100 labels of 256 letters each is 3.4 MB. */
#define LIST_BYTES ((size_t)8 << 20)
#define ANSWER_BYTES ((size_t)256 << 10)

#define RUNNERS "/actions/runners"
#define RUNNER RUNNERS "/#"

const struct github_ops_row github_ops_rows[GITHUB_OP_COUNT] = {
	[GITHUB_LIST_RUNNERS] = { HTTP_GET, RUNNERS "?per_page=100",
	    200, GITHUB_SHAPE_RUNNERS, READ_MS, LIST_BYTES },
	[GITHUB_FIND_RUNNER] = { HTTP_GET, RUNNERS "?name=@&per_page=100",
	    200, GITHUB_SHAPE_RUNNERS, READ_MS, LIST_BYTES },
	[GITHUB_GET_RUNNER] = { HTTP_GET, RUNNER,
	    200, GITHUB_SHAPE_RUNNER, READ_MS, ANSWER_BYTES },
	[GITHUB_JIT] = { HTTP_POST, RUNNERS "/generate-jitconfig",
	    201, GITHUB_SHAPE_JIT, WRITE_MS, ANSWER_BYTES },
	[GITHUB_REGISTRATION_TOKEN] = { HTTP_POST,
	    RUNNERS "/registration-token",
	    201, GITHUB_SHAPE_TOKEN, WRITE_MS, ANSWER_BYTES },
	[GITHUB_SET_LABELS] = { HTTP_PUT, RUNNER "/labels",
	    200, GITHUB_SHAPE_NONE, WRITE_MS, ANSWER_BYTES },
	[GITHUB_DELETE_RUNNER] = { HTTP_DELETE, RUNNER,
	    204, GITHUB_SHAPE_NONE, WRITE_MS, ANSWER_BYTES },
	[GITHUB_DOWNLOADS] = { HTTP_GET, RUNNERS "/downloads",
	    200, GITHUB_SHAPE_DOWNLOADS, READ_MS, ANSWER_BYTES },
	[GITHUB_DEPRECATION] = { HTTP_GET, RUNNERS "/deprecations/%",
	    200, GITHUB_SHAPE_DEPRECATION, READ_MS, ANSWER_BYTES },
	[GITHUB_LIST_GROUPS] = { HTTP_GET,
	    "/actions/runner-groups?per_page=100",
	    200, GITHUB_SHAPE_GROUPS, READ_MS, LIST_BYTES },
	[GITHUB_GET_REPOSITORY] = { HTTP_GET, "",
	    200, GITHUB_SHAPE_REPOSITORY, READ_MS, ANSWER_BYTES },
};
