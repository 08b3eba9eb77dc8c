/* store_world.c - see store_world.h */
#include "store_world.h"

#include <stdlib.h>
#include <strings.h>

static int64_t
mono(void *ctx)
{
	return ((struct store_world *)ctx)->now_ms;
}

static int64_t
wall(void *ctx)
{
	struct store_world *world = ctx;

	return world->wall_ms + world->now_ms;
}

static struct str
header(const struct model_reply *reply, const char *name)
{
	for (size_t i = 0; i < reply->nheaders; i++)
		if (strcasecmp(reply->headers[i].name, name) == 0)
			return reply->headers[i].value;
	return (struct str){0};
}

static void
exchange(void *ctx, struct arena *arena, const struct http_request *request,
    struct http_answer *answer)
{
	struct store_world *world = ctx;
	struct model_reply reply;
	struct str query;
	struct depot_request ask = {
		.method = str_from(http_method_name(request->method)),
		.path = str_cut(request->path, '?', &query),
		.authorization = request->authorization,
		.if_match = request->if_match,
		.if_none_match = request->etag, .body = request->body,
	};

	ask.query = query;
	depot_http(world->depot, world->now_ms, arena, &ask, &reply);
	world->now_ms += 10;
	if (world->logging)
		strbuf_addf(&world->log, STR_FMT " " STR_FMT "%s" STR_FMT
		    " -> %d%s\n", STR_ARG(ask.method), STR_ARG(ask.path),
		    query.len > 0 ? "?" : "", STR_ARG(query), reply.status,
		    reply.transport != MODEL_ANSWERED ? ", lost" : "");
	if (reply.transport != MODEL_ANSWERED) {
		answer->outcome = HTTP_BROKEN;
		answer->reason = STR("connection closed");
		return;
	}
	answer->outcome = request->max_body > 0 &&
	    reply.body.len > request->max_body ? HTTP_TOO_LARGE :
	    HTTP_ANSWERED;
	answer->status = reply.status;
	answer->body = reply.body;
	answer->etag = header(&reply, "etag");
}

static bool
pause_for(void *ctx, int64_t ms)
{
	struct store_world *world = ctx;

	world->now_ms += ms;
	return !world->interrupted;
}

void
store_world_open(struct store_world *world, const struct depot_config *config)
{
	*world = (struct store_world){
		.now_ms = 1000000, .wall_ms = INT64_C(1760000000000),
		.depot = depot_new(config),
		.clock = { world, mono, mono, wall },
	};
	world->diags.arena = &world->arena;
}

void
store_world_close(struct store_world *world)
{
	depot_free(world->depot);
	strbuf_release(&world->log);
	arena_release(&world->arena);
}

static const char *const urls[] = {
	[DEPOT_HTTP] = "https://store.example/state/podform",
	[DEPOT_S3] = "s3://bucket/podform.lock?region=eu-west-1",
	[DEPOT_ETCD] = "etcd://store.example:2379/podform/lock",
};

static enum depot_kind
kind_of(const struct store_world *world)
{
	return depot_kind(world->depot);
}

void
store_world_store(struct store_world *world, struct store *store)
{
	struct store_link link = { world, &world->clock, exchange,
	    pause_for };
	struct store_place place;
	struct str why;

	if (!store_parse(&world->arena, str_from(urls[kind_of(world)]),
		&place, &why))
		abort();
	store_open(store, &world->arena, &place, &link, &world->diags);
}

struct str
store_world_record(const struct store_world *world)
{
	static const char *const names[] = { "/state/podform",
	    "/podform.lock", "podform/lock" };

	return str_from(names[kind_of(world)]);
}

struct str
store_world_hold(const struct store_world *world)
{
	static const char *const names[] = { "", "/podform.lock.hold",
	    "podform/lock.hold" };

	return str_from(names[kind_of(world)]);
}

struct str
store_world_said(struct store_world *world)
{
	struct strbuf text = {0};

	diags_print(&text, &world->diags, (struct diag_style){0});
	struct str kept = arena_str(&world->arena, strbuf_str(&text));
	strbuf_release(&text);
	return kept;
}
