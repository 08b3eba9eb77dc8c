/* encode.h - a cloud_request as RunPod's HTTP; private to this folder. */
#ifndef CLOUD_RUNPOD_ENCODE_H
#define CLOUD_RUNPOD_ENCODE_H

#include "base/cloud.h"

/* Path and body are made in the arena. */
void encode_request(struct arena *arena, const struct cloud_request *request,
    struct http_request *out);

#endif
