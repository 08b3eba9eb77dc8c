/* model_world.c - see model_world.h */
#include "model_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

int
world_begin(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	struct model_config config;

	assert_non_null(world);
	model_config_default(&config);
	config.early_running_per_mille = 0;
	world->now = WORLD_START;
	world->model = model_new(&config, world->now);
	*state = world;
	return 0;
}

int
world_end(void **state)
{
	struct world *world = *state;

	model_free(world->model);
	arena_release(&world->arena);
	free(world);
	return 0;
}

void
world_renew(struct world *world, const struct model_config *config)
{
	model_free(world->model);
	world->now = WORLD_START;
	world->model = model_new(config, world->now);
}

struct str
world_ask(struct world *world, const char *method, const char *path,
    const char *query, const char *body)
{
	struct model_request request = {
		.method = str_from(method), .path = str_from(path),
		.query = str_from(query), .body = str_from(body),
		.authorization = STR("Bearer rpa_sim"),
	};

	model_http(world->model, world->now, &world->arena, &request,
	    &world->reply);
	return world->reply.body;
}

const char *
world_create(struct world *world)
{
	size_t n = model_pod_count(world->model);

	world_ask(world, "POST", "/v2/pods", NULL, WORLD_POD);
	assert_int_equal(world->reply.status, 201);
	return arena_printf(&world->arena, "/v2/pods/" STR_FMT,
	    STR_ARG(model_pod_at(world->model, n)->id)).data;
}

const char *
world_under(struct world *world, const char *path, const char *more)
{
	return arena_printf(&world->arena, "%s%s", path, more).data;
}

void
assert_has(struct str text, const char *part)
{
	if (str_search(text, str_from(part)) < 0)
		fail_msg("'%s' is not in: " STR_FMT, part, STR_ARG(text));
}

void
assert_lacks(struct str text, const char *part)
{
	if (str_search(text, str_from(part)) >= 0)
		fail_msg("'%s' is in: " STR_FMT, part, STR_ARG(text));
}
