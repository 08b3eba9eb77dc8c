/*
 * model_world.h - a model to talk to, for the tests of pkg/model.
 *
 * One struct world holds the model, the time and the last reply.
 */
#ifndef TESTS_MODEL_WORLD_H
#define TESTS_MODEL_WORLD_H

#include "model/model.h"

/* 2026-11-21T09:00:00Z */
#define WORLD_START INT64_C(1795251600000)

struct world {
	struct arena arena;
	struct model *model;
	int64_t now;
	struct model_reply reply;
};

/* For cmocka: make one (pods never say RUNNING early), end it. */
int world_begin(void **state);
int world_end(void **state);
/* A fresh model in its place. */
void world_renew(struct world *world, const struct model_config *config);

/* One request with the right key; the body of the reply. */
struct str world_ask(struct world *world, const char *method,
    const char *path, const char *query, const char *body);

/* The body of a create: one A40 in EU-RO-1, 20 GB, 22/tcp and 8888/http. */
#define WORLD_POD "{\"name\":\"a\",\"image\":\"x\",\"disk\":20," \
	"\"gpu\":{\"id\":\"NVIDIA A40\",\"count\":1}," \
	"\"ports\":[\"22/tcp\",\"8888/http\"],\"env\":{\"A\":\"1\"}," \
	"\"dataCenterIds\":[\"EU-RO-1\"]}"

/* Create a pod, which must succeed; its path. */
const char *world_create(struct world *world);
/* path followed by more. */
const char *world_under(struct world *world, const char *path,
    const char *more);

void assert_has(struct str text, const char *part);
void assert_lacks(struct str text, const char *part);

#endif
