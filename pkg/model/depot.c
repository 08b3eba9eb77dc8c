/* depot.c - see depot.h: memory, faults, http and S3; etcd is depot_etcd.c */
#include "model/depot_state.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------- memory ---- */

static char *
copy_text(struct str text)
{
	char *copy = malloc(text.len + 1);

	if (copy == NULL)
		fail_out_of_memory();
	if (text.len > 0)
		memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	return copy;
}

static struct str
keep_text(struct str text)
{
	return (struct str){ copy_text(text), text.len };
}

static void
drop_text(struct str *text)
{
	free((char *)text->data);
	*text = (struct str){0};
}

struct depot *
depot_new(const struct depot_config *config)
{
	struct depot *depot = calloc(1, sizeof *depot);

	if (depot == NULL)
		fail_out_of_memory();
	depot->config = *config;
	depot->config.login = keep_text(config->login);
	depot->revision = 1;
	return depot;
}

static void
drop_item(struct depot *depot, size_t i)
{
	struct depot_item *item = &depot->items[i];

	drop_text(&item->name);
	drop_text(&item->text);
	drop_text(&item->before);
	depot->items[i] = depot->items[--depot->nitems];
}

void
depot_free(struct depot *depot)
{
	if (depot == NULL)
		return;
	while (depot->nitems > 0)
		drop_item(depot, 0);
	drop_text(&depot->lock);
	drop_text(&depot->lock_id);
	drop_text(&depot->config.login);
	free(depot);
}

struct depot_item *
depot_find(const struct depot *depot, struct str name)
{
	for (size_t i = 0; i < depot->nitems; i++)
		if (str_eq(depot->items[i].name, name))
			return (struct depot_item *)&depot->items[i];
	return NULL;
}

struct depot_item *
depot_store(struct depot *depot, struct str name, struct str text)
{
	struct depot_item *item = depot_find(depot, name);

	depot->revision++;
	if (item == NULL) {
		if (depot->nitems == DEPOT_ITEMS)
			abort();	/* tests need a handful */
		item = &depot->items[depot->nitems++];
		*item = (struct depot_item){ .name = keep_text(name),
		    .made = depot->revision };
	}
	drop_text(&item->before);
	item->before = item->text;
	item->text = keep_text(text);
	item->changed = depot->revision;
	return item;
}

void
depot_remove(struct depot *depot, struct str name)
{
	struct depot_item *item = depot_find(depot, name);

	if (item == NULL)
		return;
	depot->revision++;
	drop_item(depot, (size_t)(item - depot->items));
}

struct str
depot_get(const struct depot *depot, struct str name)
{
	const struct depot_item *item = depot_find(depot, name);

	return item != NULL ? item->text : (struct str){0};
}

void
depot_put(struct depot *depot, struct str name, struct str text)
{
	if (text.data == NULL)
		depot_remove(depot, name);
	else
		depot_store(depot, name, text);
}

enum depot_kind
depot_kind(const struct depot *depot)
{
	return depot->config.kind;
}

size_t
depot_requests(const struct depot *depot)
{
	return depot->requests;
}

void
depot_strike(struct depot *depot, enum depot_fault fault, size_t after,
    size_t n)
{
	depot->fault = fault;
	depot->after = after;
	depot->strikes = n;
}

/* ------------------------------------------------------------ answers ---- */

static void
say(struct model_reply *reply, int status, struct str body)
{
	reply->status = status;
	reply->body = body;
	if (body.len > 0)
		reply->content_type = STR("application/json");
}

static void
say_etag(struct model_reply *reply, struct arena *arena, int64_t revision)
{
	reply->headers[reply->nheaders++] = (struct model_header){
		.name = "ETag", .value = arena_printf(arena, "\"%032llx\"",
		    (long long)revision) };
}

/* What a read shows: a replica may lag behind. */
static struct str
shown(const struct depot *depot, const struct depot_item *item, bool old)
{
	(void)depot;
	return old && item->before.data != NULL ? item->before : item->text;
}

/* --------------------------------------------------------------- http ---- */

/* The value of a member of a flat object, as it is written: enough here. */
static struct str
member(struct str body, struct str name)
{
	ptrdiff_t at = str_search(body, name);
	struct str value = at < 0 ? (struct str){0} :
	    str_sub(body, (size_t)at + name.len, body.len), rest;

	return str_cut(value, '"', &rest);
}

struct str
depot_lock_id(const struct depot *depot)
{
	return depot->lock_id;
}

void
depot_force_unlock(struct depot *depot)
{
	drop_text(&depot->lock);
	drop_text(&depot->lock_id);
}

static void
http_lock(struct depot *depot, struct arena *arena,
    const struct depot_request *request, struct model_reply *reply)
{
	if (depot->lock_id.data != NULL) {
		say(reply, 423, arena_str(arena, depot->lock));
		return;
	}
	depot->lock_id = keep_text(member(request->body, STR("\"ID\":\"")));
	depot->lock = keep_text(request->body);
	say(reply, 200, (struct str){0});
}

static void
http_unlock(struct depot *depot, struct arena *arena,
    const struct depot_request *request, struct model_reply *reply)
{
	struct str id = request->body.len > 0 ?
	    member(request->body, STR("\"ID\":\"")) :
	    member(request->query, STR("ID="));

	if (depot->lock_id.data != NULL && !str_eq(id, depot->lock_id)) {
		say(reply, 409, arena_str(arena, depot->lock));
		return;
	}
	depot_force_unlock(depot);
	say(reply, 200, (struct str){0});
}

static void
http_write(struct depot *depot, struct arena *arena,
    const struct depot_request *request, struct model_reply *reply)
{
	struct str id = member(request->query, STR("ID="));

	if (depot->lock_id.data == NULL || !str_eq(id, depot->lock_id)) {
		say(reply, depot->lock_id.data != NULL ? 423 : 409,
		    arena_str(arena, depot->lock));
		return;
	}
	depot_store(depot, request->path, request->body);
	say(reply, 200, (struct str){0});
}

static void
ask_http(struct depot *depot, struct arena *arena,
    const struct depot_request *request, bool old, struct model_reply *reply)
{
	const struct depot_item *item = depot_find(depot, request->path);
	struct str hold = STR("/lock");
	bool gitlab = str_ends(request->path, hold) &&
	    str_search(request->path, STR("/terraform/state/")) >= 0;

	if (depot->config.cannot_lock && !str_is(request->method, "GET") &&
	    !str_is(request->method, "POST"))
		say(reply, 405, (struct str){0});
	else if (str_is(request->method, "LOCK") ||
	    (gitlab && str_is(request->method, "POST")))
		http_lock(depot, arena, request, reply);
	else if (str_is(request->method, "UNLOCK") ||
	    (gitlab && str_is(request->method, "DELETE")))
		http_unlock(depot, arena, request, reply);
	else if (str_is(request->method, "POST"))
		http_write(depot, arena, request, reply);
	else if (item == NULL)
		say(reply, 404, (struct str){0});
	else
		say(reply, 200, arena_str(arena, shown(depot, item, old)));
}

/* ----------------------------------------------------------------- S3 ---- */

static struct str
etag_of(struct arena *arena, const struct depot_item *item)
{
	return arena_printf(arena, "\"%032llx\"", (long long)item->changed);
}

static bool
meets_conditions(const struct depot *depot, struct arena *arena,
    const struct depot_request *request, const struct depot_item *item)
{
	if (depot->config.ignores_conditions)
		return true;
	if (str_is(request->if_none_match, "*") && item != NULL)
		return false;
	return request->if_match.len == 0 || (item != NULL &&
	    str_eq(request->if_match, etag_of(arena, item)));
}

static void
ask_s3(struct depot *depot, struct arena *arena,
    const struct depot_request *request, bool old, struct model_reply *reply)
{
	struct depot_item *item = depot_find(depot, request->path);
	bool changes = !str_is(request->method, "GET");

	if (changes && !meets_conditions(depot, arena, request, item)) {
		bool missing = item == NULL;
		say(reply, missing ? 404 : 412, missing ?
		    STR("<Error><Code>NoSuchKey</Code></Error>") :
		    STR("<Error><Code>PreconditionFailed</Code></Error>"));
	} else if (str_is(request->method, "PUT")) {
		item = depot_store(depot, request->path, request->body);
		say(reply, 200, (struct str){0});
		say_etag(reply, arena, item->changed);
	} else if (str_is(request->method, "DELETE")) {
		depot_remove(depot, request->path);
		say(reply, 204, (struct str){0});
	} else if (item == NULL) {
		say(reply, 404,
		    STR("<Error><Code>NoSuchKey</Code></Error>"));
	} else {
		say(reply, 200, arena_str(arena, shown(depot, item, old)));
		say_etag(reply, arena, item->changed);
	}
}

/* ---------------------------------------------------------------- all ---- */

static enum depot_fault
next_fault(struct depot *depot)
{
	if (depot->strikes == 0)
		return DEPOT_FINE;
	if (depot->after > 0) {
		depot->after--;
		return DEPOT_FINE;
	}
	depot->strikes--;
	return depot->fault;
}

void
depot_http(struct depot *depot, int64_t now_ms, struct arena *arena,
    const struct depot_request *request, struct model_reply *reply)
{
	enum depot_fault fault = next_fault(depot);
	bool old = fault == DEPOT_OLD;

	*reply = (struct model_reply){ .transport = MODEL_ANSWERED };
	depot->requests++;
	depot->now_ms = now_ms;
	if (fault == DEPOT_DROPPED || fault == DEPOT_BUSY) {
		say(reply, 503, (struct str){0});
		if (fault == DEPOT_DROPPED)
			reply->transport = MODEL_DROPPED;
		return;
	}
	if (depot->config.max_value > 0 &&
	    request->body.len > depot->config.max_value)
		say(reply, 400, STR("{\"error\":\"etcdserver: request is too "
		    "large\",\"code\":3}"));
	else if (depot->config.kind == DEPOT_HTTP)
		ask_http(depot, arena, request, old, reply);
	else if (depot->config.kind == DEPOT_S3)
		ask_s3(depot, arena, request, old, reply);
	else
		depot_etcd(depot, arena, request, old, reply);
	if (fault == DEPOT_LOST)
		reply->transport = MODEL_DROPPED;
}
