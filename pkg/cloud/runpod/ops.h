/*
 * ops.h - one row for each thing RunPod can be asked.
 *
 * Private to pkg/cloud/runpod: encode, decode and classify read this one
 * table, so that a path, its expected status and its answer's shape cannot
 * drift apart.
 */
#ifndef CLOUD_RUNPOD_OPS_H
#define CLOUD_RUNPOD_OPS_H

#include "base/cloud.h"

enum ops_shape {
	SHAPE_NONE,		/* 204: the body means nothing */
	SHAPE_PODS, SHAPE_POD, SHAPE_CREATED_POD,
	SHAPE_VOLUMES, SHAPE_VOLUME,
	SHAPE_GPUS, SHAPE_DATA_CENTERS, SHAPE_ACCOUNT, SHAPE_SSH_KEYS,
	SHAPE_LOG,		/* an event stream, not JSON */
};

struct ops_row {
	enum http_method method;
	enum http_host host;
	const char *path;	/* "%" stands for the id */
	const char *action;	/* body of POST /pods/{id}/action */
	int success;		/* the one status that means success */
	enum ops_shape shape;
	int64_t timeout_ms;
	size_t max_body;
};

extern const struct ops_row ops_rows[CLOUD_OP_COUNT];

/* The shapes of names in URLs and answers: 1 to 64 of [A-Za-z0-9_-]. */
bool ops_id_ok(struct str id);

#endif
