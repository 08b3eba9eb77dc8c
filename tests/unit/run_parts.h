/*
 * run_parts.h - what run_world.c and run_honest.c share.
 */
#ifndef TESTS_RUN_PARTS_H
#define TESTS_RUN_PARTS_H

#include "run_world.h"

struct run_event run_event_now(const struct run_world *r,
    enum run_event_type type);
void run_tell(struct run_world *r, const struct run_event *event);
bool run_take_request(struct run_world *r, enum cloud_op op,
    struct run_effect *out);
void run_deliver(struct run_world *r, const struct run_effect *effect,
    const struct cloud_answer *answer);

#endif
