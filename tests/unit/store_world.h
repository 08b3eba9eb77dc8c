/*
 * store_world.h - a store of any kind over a depot in memory, and its clock.
 */
#ifndef STORE_WORLD_H
#define STORE_WORLD_H

#include "lock/store.h"
#include "model/depot.h"

struct store_world {
	struct arena arena;
	struct diags diags;
	struct clock clock;
	int64_t now_ms, wall_ms;	/* boot and mono; wall */
	struct depot *depot;
	bool interrupted;		/* sleeping says so */
	struct strbuf log;		/* "PUT /b/k -> 200\n", if wanted */
	bool logging;
};

/* A depot of that kind, and a clock at 1,000 s. */
void store_world_open(struct store_world *world,
    const struct depot_config *config);
void store_world_close(struct store_world *world);
/* A store at the usual place of that depot; several share it. */
void store_world_store(struct store_world *world, struct store *store);
/* The name of the record, and that of its hold ("" for http). */
struct str store_world_record(const struct store_world *world);
struct str store_world_hold(const struct store_world *world);

/* The words of all diagnostics so far. */
struct str store_world_said(struct store_world *world);

#endif
