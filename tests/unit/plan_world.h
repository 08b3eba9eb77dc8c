/*
 * plan_world.h - a spec, a lock and a cloud for the tests of pkg/plan.
 *
 * A test gives a spec as text, plans it, compares the dump; plan_apply()
 * then makes lock and live as an executed plan leaves them, so that the
 * next plan has to be empty.  Tests reach into lock and live to play the
 * user in the console.
 */
#ifndef TESTS_PLAN_WORLD_H
#define TESTS_PLAN_WORLD_H

#include "fake_fs.h"
#include "plan/plan.h"
#include "plan_dump.h"

struct plan_world {
	struct arena arena;
	struct fake_fs *fake;
	struct sources sources;
	struct diags diags;
	const struct spec *spec;
	struct lock lock;
	struct live live;
	VEC_OF(struct cloud_pod) pods;
	VEC_OF(struct cloud_volume) volumes;
	struct live_scope scope;		/* acme/model */
	VEC_OF(struct github_runner) runners;
	VEC_OF(struct tunnel_status) tunnels;
	struct plan_options options;
	const struct plan *plan;
	struct strbuf text;
	unsigned made;			/* things made so far */
	unsigned starts;		/* containers started so far */
	const char *secret;		/* today's value of every secret */
};

void world_init(struct plan_world *w);
void world_release(struct plan_world *w);
/* For cmocka: a world for each test, which is its *state. */
int world_setup(void **state);
int world_teardown(void **state);

/* Load a spec (it has to be right); text without `project:`. */
void world_spec(struct plan_world *w, const char *yaml);
/* A trainer with the given extra line of its mapping ("" for none). */
void world_trainer(struct plan_world *w, const char *line);

/* Plan and dump.  A refusal gives its diagnostics. */
const char *world_plan(struct plan_world *w, unsigned parts);
/* Make it so. */
void world_apply(struct plan_world *w);
/* Plan, apply, and find the next plan empty. */
void world_settle(struct plan_world *w);

struct cloud_pod *world_pod(struct plan_world *w, const char *address);
struct lock_entry *world_entry(struct plan_world *w, const char *address);
/* A pod that somebody else made, or that lost its record. */
struct cloud_pod *world_stray(struct plan_world *w, const char *id,
    const char *address, const char *op);

void assert_text(const char *found, const char *wanted);

#endif
