/*
 * plan_dump.h - a plan as a few lines of text, for tests to compare.
 *
 *	+ pod.trainer "trainer"                       op, address
 *	  image: - -> "a" [edit]                      attributes
 *	  at: A40/secure/EU-RO-1 $0.40 high           candidates
 *	drift pod.trainer stopped
 *	check fail budget.hourly: ...
 *	do 1 create pod pod.trainer after 0
 *	cost 0.40 -> 0.80, worst 0.80, storage 0.00
 */
#ifndef TESTS_PLAN_DUMP_H
#define TESTS_PLAN_DUMP_H

#include "base/strbuf.h"
#include "plan/plan.h"

enum {
	DUMP_CHANGES = 1, DUMP_ATTRS = 2, DUMP_CANDIDATES = 4,
	DUMP_DRIFT = 8, DUMP_CHECKS = 16, DUMP_ACTIONS = 32, DUMP_COST = 64,
	DUMP_UNMANAGED = 128, DUMP_ALL = 255,
};

void plan_dump(struct strbuf *out, const struct plan *plan, unsigned parts);

#endif
