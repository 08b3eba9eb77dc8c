/*
 * sim_parts.h - what sim_world.c and sim_flights.c share.
 */
#ifndef TESTS_SIM_PARTS_H
#define TESTS_SIM_PARTS_H

#include "hardware.h"

enum { CUTS_IN_ROW = 9 };

void sim_start_http(void *ctx, uint64_t token,
    const struct http_request *request);
void sim_start_banner(void *ctx, uint64_t token, struct str host, uint16_t port,
    int64_t timeout_ms);
/* Is it of the process that runs now? */
bool sim_is_mine(const struct sim *sim, const struct sim_flight *flight);
/* Nobody waits for its answer any more. */
void sim_abandon(struct sim *sim, struct sim_flight *flight);
void sim_cancel(void *ctx, uint64_t token);
/* A request reaches the cloud, a pod, GitHub or the holder. */
void sim_arrive(struct sim *sim, struct sim_flight *flight);

#endif
