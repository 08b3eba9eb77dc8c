/* ops.c - see ops.h */
#include "cloud/runpod/ops.h"

enum {
	READ_MS = 30 * 1000,
	WRITE_MS = 60 * 1000,	/* a create that is lost costs much */
};

/* Ten thousand pods are 14 MB, the catalog is some 60 kB.  What a server that
 * never ends can make us hold stays below 64 MiB. */
#define LIST_BYTES ((size_t)32 << 20)
#define CATALOG_BYTES ((size_t)4 << 20)
#define ANSWER_BYTES ((size_t)256 << 10)
#define LOG_BYTES ((size_t)8 << 20)	/* 5,000 long lines */

#define POD "/pods/%"
#define VOLUME "/network-volumes/%"

const struct ops_row ops_rows[CLOUD_OP_COUNT] = {
	[CLOUD_LIST_PODS] = { HTTP_GET, HOST_CLOUD, "/pods", NULL,
	    200, SHAPE_PODS, WRITE_MS, LIST_BYTES },
	[CLOUD_GET_POD] = { HTTP_GET, HOST_CLOUD, POD, NULL,
	    200, SHAPE_POD, READ_MS, ANSWER_BYTES },
	[CLOUD_CREATE_POD] = { HTTP_POST, HOST_CLOUD, "/pods", NULL,
	    201, SHAPE_CREATED_POD, WRITE_MS, ANSWER_BYTES },
	[CLOUD_UPDATE_POD] = { HTTP_PATCH, HOST_CLOUD, POD, NULL,
	    200, SHAPE_POD, WRITE_MS, ANSWER_BYTES },
	[CLOUD_START_POD] = { HTTP_POST, HOST_CLOUD, POD "/action", "start",
	    200, SHAPE_POD, WRITE_MS, ANSWER_BYTES },
	[CLOUD_STOP_POD] = { HTTP_POST, HOST_CLOUD, POD "/action", "stop",
	    200, SHAPE_POD, WRITE_MS, ANSWER_BYTES },
	[CLOUD_RESTART_POD] = { HTTP_POST, HOST_CLOUD, POD "/action",
	    "restart", 200, SHAPE_POD, WRITE_MS, ANSWER_BYTES },
	[CLOUD_DELETE_POD] = { HTTP_DELETE, HOST_CLOUD, POD, NULL,
	    204, SHAPE_NONE, WRITE_MS, ANSWER_BYTES },
	[CLOUD_LIST_VOLUMES] = { HTTP_GET, HOST_CLOUD, "/network-volumes",
	    NULL, 200, SHAPE_VOLUMES, READ_MS, CATALOG_BYTES },
	[CLOUD_GET_VOLUME] = { HTTP_GET, HOST_CLOUD, VOLUME, NULL,
	    200, SHAPE_VOLUME, READ_MS, ANSWER_BYTES },
	[CLOUD_CREATE_VOLUME] = { HTTP_POST, HOST_CLOUD, "/network-volumes",
	    NULL, 201, SHAPE_VOLUME, WRITE_MS, ANSWER_BYTES },
	[CLOUD_UPDATE_VOLUME] = { HTTP_PATCH, HOST_CLOUD, VOLUME, NULL,
	    200, SHAPE_VOLUME, WRITE_MS, ANSWER_BYTES },
	[CLOUD_DELETE_VOLUME] = { HTTP_DELETE, HOST_CLOUD, VOLUME, NULL,
	    204, SHAPE_NONE, WRITE_MS, ANSWER_BYTES },
	[CLOUD_LIST_GPUS] = { HTTP_GET, HOST_CLOUD, "/catalog/gpus", NULL,
	    200, SHAPE_GPUS, READ_MS, CATALOG_BYTES },
	[CLOUD_LIST_DATA_CENTERS] = { HTTP_GET, HOST_CLOUD,
	    "/catalog/datacenters", NULL,
	    200, SHAPE_DATA_CENTERS, READ_MS, CATALOG_BYTES },
	[CLOUD_GET_ACCOUNT] = { HTTP_POST, HOST_CLOUD_GRAPHQL, "", NULL,
	    200, SHAPE_ACCOUNT, READ_MS, ANSWER_BYTES },
	[CLOUD_GET_SSH_KEYS] = { HTTP_GET, HOST_CLOUD, "/account/ssh-keys",
	    NULL, 200, SHAPE_SSH_KEYS, READ_MS, ANSWER_BYTES },
	[CLOUD_GET_LOG] = { HTTP_GET, HOST_CLOUD, POD "/logs", NULL,
	    200, SHAPE_LOG, READ_MS, LOG_BYTES },
};

bool
ops_id_ok(struct str id)
{
	if (id.len < 1 || id.len > 64)
		return false;
	for (size_t i = 0; i < id.len; i++) {
		char c = id.data[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '_' || c == '-'))
			return false;
	}
	return true;
}
