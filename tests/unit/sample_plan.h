/*
 * sample_plan.h - plans made by hand, for the tests of pkg/ui.
 */
#ifndef TESTS_SAMPLE_PLAN_H
#define TESTS_SAMPLE_PLAN_H

#include "base/arena.h"
#include "plan/plan.h"

/*
 * Everything that a plan can say at once: drift, a pending op, a suspect, a
 * failed check, a change of each kind.  Places point into sources, which
 * are filled.
 */
struct plan *sample_plan_full(struct arena *arena, struct sources *sources);

/* Nothing to do, one pod running. */
struct plan *sample_plan_empty(struct arena *arena);

enum { SAMPLE_NOW_S = 1795262671 };	/* 2026-11-21T12:04:31Z */
#define SAMPLE_NOW_MS ((int64_t)SAMPLE_NOW_S * 1000)

#endif
