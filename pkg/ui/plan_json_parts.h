/*
 * plan_json_parts.h - pieces of the plan as JSON; private to plan_json.c.
 */
#ifndef UI_PLAN_JSON_PARTS_H
#define UI_PLAN_JSON_PARTS_H

#include "base/json.h"
#include "ui/plan_json.h"

/* Version, ids, digests, times, mode and options, as members. */
void plan_json_put_binding(struct json_writer *w,
    const struct plan_binding *binding);

/* `change` in Terraform's shape and `attributes`, as members. */
void plan_json_put_diff(struct json_writer *w, const char *actions,
    const struct plan_attr *attrs, size_t n);

#endif
