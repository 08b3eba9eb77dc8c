/*
 * decode.h - from HTTP to a cloud_answer; private to this folder.
 *
 * Strict about what we use, blind to what we don't: an unknown member never
 * matters, a known one of the wrong type or shape makes the whole answer
 * malformed.  What the published description requires and a comparison
 * depends on (image, disk, ports, env ...) must be there, since a missing
 * one would look like drift.
 */
#ifndef CLOUD_RUNPOD_DECODE_H
#define CLOUD_RUNPOD_DECODE_H

#include "base/cloud.h"
#include "base/json.h"

/* struct cloud's decode(). */
void decode_answer(struct arena *arena, const struct cloud_request *request,
    const struct http_answer *http, int64_t wall_ms,
    struct cloud_answer *out);

/* One pod, from its object (decode_pod.c); failures go to the reader. */
void decode_pod(struct json_reader *reader, struct json_value value,
    struct cloud_pod *pod);

/* One volume, GPU type, data center (decode_catalog.c). */
void decode_volume(struct json_reader *reader, struct json_value value,
    struct cloud_volume *volume);
void decode_gpu(struct json_reader *reader, struct json_value value,
    struct gpu_type *gpu);
void decode_data_center(struct json_reader *reader, struct json_value value,
    struct data_center *data_center);

/* The account out of a GraphQL answer (decode_account.c). */
void decode_account(struct json_reader *reader, struct json_value root,
    struct cloud_answer *out);

/* The keys of the account, each a line of authorized_keys. */
void decode_ssh_keys(struct json_reader *reader, struct json_value root,
    struct cloud_answer *out);

/*
 * A log (decode_log.c): Server-Sent Events, as far as they came, since the
 * stream stays open behind the last one.  False, with *why, for what is no
 * such stream.
 */
bool decode_log(struct arena *arena, struct str body,
    struct cloud_answer *out, struct str *why);

/* A required id: 1 to 64 of [A-Za-z0-9_-]. */
void decode_id(struct json_reader *reader, struct json_value object,
    const char *key, struct str *out);

#endif
