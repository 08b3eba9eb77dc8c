/* depot_etcd.c - the JSON gateway of etcd 3, as far as a record needs it */
#include "model/depot_state.h"

#include <stdio.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/units.h"

/* A request, read, and its answer. */
struct talk {
	struct depot *depot;
	struct arena *arena;
	struct json_reader reader;
	struct json doc;
	struct json_value root;
	bool old;
	struct model_reply *reply;
	struct json_writer w;
};

/* -------------------------------------------------------------- values ---- */

static struct str
get_bytes(struct talk *talk, struct json_value object, const char *key)
{
	struct str text, bytes = {0};

	if (json_read_str(&talk->reader, object, key, OPTIONAL, &text))
		base64_decode(talk->arena, text, &bytes);
	return bytes;
}

static int64_t
get_number(struct talk *talk, struct json_value object, const char *key)
{
	struct str text;
	int64_t number = 0;

	if (json_read_str(&talk->reader, object, key, OPTIONAL, &text))
		parse_int(text, 0, INT64_MAX, &number);
	return number;
}

static void
put_number(struct talk *talk, const char *key, int64_t number)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", (long long)number);
	json_member_str(&talk->w, key, str_from(text));
}

static void
put_bytes(struct talk *talk, const char *key, struct str bytes)
{
	struct strbuf text = {0};

	base64_encode(&text, bytes, BASE64_PADDED);
	json_member_str(&talk->w, key, strbuf_str(&text));
	strbuf_release(&text);
}

static void
put_header(struct talk *talk)
{
	json_key(&talk->w, "header");
	json_begin(&talk->w, '{');
	put_number(talk, "revision", talk->depot->revision);
	json_end(&talk->w, '}');
}

static void
refuse(struct talk *talk, int status, int code, const char *words)
{
	talk->reply->status = status;
	talk->reply->content_type = STR("application/json");
	talk->reply->body = arena_printf(talk->arena,
	    "{\"error\":\"%s\",\"code\":%d,\"message\":\"%s\"}", words, code,
	    words);
}

/* -------------------------------------------------------------- leases ---- */

static struct depot_lease *
find_lease(struct depot *depot, int64_t id)
{
	for (size_t i = 0; i < depot->nleases; i++)
		if (depot->leases[i].id == id)
			return &depot->leases[i];
	return NULL;
}

/* What hangs on a lease goes with it. */
static void
end_lease(struct depot *depot, struct depot_lease *lease)
{
	for (size_t i = depot->nitems; i-- > 0;)
		if (depot->items[i].lease == lease->id)
			depot_remove(depot, depot->items[i].name);
	*lease = depot->leases[--depot->nleases];
}

static void
expire(struct depot *depot)
{
	for (size_t i = depot->nleases; i-- > 0;)
		if (depot->now_ms >= depot->leases[i].until_ms)
			end_lease(depot, &depot->leases[i]);
}

void
depot_end_leases(struct depot *depot)
{
	while (depot->nleases > 0)
		end_lease(depot, &depot->leases[0]);
}

static void
grant(struct talk *talk)
{
	struct depot *depot = talk->depot;
	int64_t ttl = get_number(talk, talk->root, "TTL");

	if (depot->nleases == DEPOT_LEASES)
		end_lease(depot, &depot->leases[0]);
	struct depot_lease *lease = &depot->leases[depot->nleases++];
	*lease = (struct depot_lease){ .id = 7587000000 + ++depot->last_lease,
	    .ttl_ms = ttl * SECOND_MS,
	    .until_ms = depot->now_ms + ttl * SECOND_MS };
	put_number(talk, "ID", lease->id);
	put_number(talk, "TTL", ttl);
}

static void
keep_alive(struct talk *talk)
{
	struct depot_lease *lease = find_lease(talk->depot,
	    get_number(talk, talk->root, "ID"));

	json_key(&talk->w, "result");
	json_begin(&talk->w, '{');
	if (lease != NULL) {
		lease->until_ms = talk->depot->now_ms + lease->ttl_ms;
		put_number(talk, "ID", lease->id);
		put_number(talk, "TTL", lease->ttl_ms / SECOND_MS);
	}
	json_end(&talk->w, '}');
}

/* ---------------------------------------------------------------- keys ---- */

static void
put_range(struct talk *talk, struct str key)
{
	const struct depot_item *item = depot_find(talk->depot, key);

	if (item == NULL)
		return;
	bool old = talk->old && item->before.data != NULL;
	json_key(&talk->w, "kvs");
	json_begin(&talk->w, '[');
	json_begin(&talk->w, '{');
	put_bytes(talk, "key", key);
	put_number(talk, "create_revision", item->made);
	put_number(talk, "mod_revision", item->changed);
	put_bytes(talk, "value", old ? item->before : item->text);
	json_end(&talk->w, '}');
	json_end(&talk->w, ']');
	json_member_str(&talk->w, "count", STR("1"));
}

static bool
compares(struct talk *talk, struct json_value compare)
{
	const struct depot_item *item = depot_find(talk->depot,
	    get_bytes(talk, compare, "key"));
	struct str target = {0};

	if (talk->depot->config.ignores_conditions)
		return true;
	json_read_str(&talk->reader, compare, "target", REQUIRED, &target);
	if (str_is(target, "CREATE"))
		return (item != NULL ? item->made : 0) ==
		    get_number(talk, compare, "create_revision");
	return (item != NULL ? item->changed : 0) ==
	    get_number(talk, compare, "mod_revision");
}

/* All that a transaction puts gets one revision. */
static bool
do_request(struct talk *talk, struct json_value request)
{
	struct json_value put = json_get(request, "request_put");
	struct json_value gone = json_get(request, "request_delete_range");
	struct json_value range = json_get(request, "request_range");
	int64_t lease = get_number(talk, put, "lease");

	json_begin(&talk->w, '{');
	if (json_exists(put)) {
		if (lease != 0 && find_lease(talk->depot, lease) == NULL)
			return false;
		depot_store(talk->depot, get_bytes(talk, put, "key"),
		    get_bytes(talk, put, "value"))->lease = lease;
		json_key(&talk->w, "response_put");
		json_begin(&talk->w, '{');
	} else if (json_exists(gone)) {
		depot_remove(talk->depot, get_bytes(talk, gone, "key"));
		json_key(&talk->w, "response_delete_range");
		json_begin(&talk->w, '{');
	} else {
		json_key(&talk->w, "response_range");
		json_begin(&talk->w, '{');
		put_range(talk, get_bytes(talk, range, "key"));
	}
	json_end(&talk->w, '}');
	json_end(&talk->w, '}');
	return true;
}

static bool
transact(struct talk *talk)
{
	struct json_iter it = json_iter(json_get(talk->root, "compare"));
	bool ok = true;

	while (json_next(&it))
		ok &= compares(talk, it.value);
	if (ok)
		json_member_bool(&talk->w, "succeeded", true);
	json_key(&talk->w, "responses");
	json_begin(&talk->w, '[');
	it = json_iter(json_get(talk->root, ok ? "success" : "failure"));
	while (json_next(&it))
		if (!do_request(talk, it.value)) {
			refuse(talk, 404, 5,
			    "etcdserver: requested lease not found");
			return false;
		}
	json_end(&talk->w, ']');
	return true;
}

/* ---------------------------------------------------------------- login ---- */

static bool
log_in(struct talk *talk)
{
	struct str name = {0}, password = {0}, wanted;
	struct str known = str_cut(talk->depot->config.login, ':', &wanted);

	json_read_str(&talk->reader, talk->root, "name", OPTIONAL, &name);
	json_read_str(&talk->reader, talk->root, "password", OPTIONAL,
	    &password);
	if (!str_eq(name, known) || !str_eq(password, wanted)) {
		refuse(talk, 400, 3, "etcdserver: authentication failed, "
		    "invalid user ID or password");
		return false;
	}
	json_member_str(&talk->w, "token", STR("simple.1"));
	return true;
}

static bool
answer(struct talk *talk, struct str path)
{
	if (str_is(path, "/v3/auth/authenticate"))
		return log_in(talk);
	if (str_is(path, "/v3/lease/grant"))
		grant(talk);
	else if (str_is(path, "/v3/lease/keepalive"))
		keep_alive(talk);
	else if (str_is(path, "/v3/kv/range"))
		put_range(talk, get_bytes(talk, talk->root, "key"));
	else if (str_is(path, "/v3/kv/txn"))
		return transact(talk);
	else if (str_is(path, "/v3/lease/revoke")) {
		struct depot_lease *lease = find_lease(talk->depot,
		    get_number(talk, talk->root, "ID"));
		if (lease == NULL) {
			refuse(talk, 404, 5,
			    "etcdserver: requested lease not found");
			return false;
		}
		end_lease(talk->depot, lease);
	} else if (!str_is(path, "/v3/watch")) {
		refuse(talk, 404, 5, "Not Found");
		return false;
	}
	return true;
}

void
depot_etcd(struct depot *depot, struct arena *arena,
    const struct depot_request *request, bool old, struct model_reply *reply)
{
	struct strbuf text = {0};
	struct json_limits limits = { .bytes = 128 << 20 };
	struct json_error error;
	struct talk talk = {
		.depot = depot, .arena = arena, .old = old, .reply = reply,
		.reader = { .arena = arena, .where = "request" },
		.w = { .out = &text },
	};

	expire(depot);
	if (!json_parse(arena, request->body, limits, &talk.doc, &error)) {
		refuse(&talk, 400, 3, "invalid JSON");
		return;
	}
	talk.root = json_root(&talk.doc);
	if (depot->config.login.len > 0 &&
	    !str_is(request->path, "/v3/auth/authenticate") &&
	    !str_is(request->authorization, "simple.1")) {
		refuse(&talk, 401, 16, "etcdserver: invalid auth token");
		return;
	}
	json_begin(&talk.w, '{');
	if (answer(&talk, request->path)) {
		put_header(&talk);
		json_end(&talk.w, '}');
		reply->status = 200;
		reply->content_type = STR("application/json");
		reply->body = arena_str(arena, strbuf_str(&text));
	}
	strbuf_release(&text);
}
