/*
 * store_etcd.c - two keys of etcd 3, through its JSON gateway.
 *
 * KEY is the record, KEY.hold the hold, which is bound to a lease: it goes
 * when its owner dies.  Every write is a transaction that compares both, so
 * a lease that ended unseen costs the write and not the record.
 *
 * Facts: etcd.io/docs/v3.5: keys and values are base64, 64-bit numbers are
 * strings, what is zero or false is left out; a request takes at most
 * 1.5 MiB unless the server is told otherwise.
 */
#include "lock/store_driver.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/probe.h"
#include "base/units.h"
#include "lock/lock.h"

enum { ANSWER_MAX = LOCK_BYTES_MAX / 3 * 4 + (64 << 10) };

/* -------------------------------------------------------------- texts ---- */

static void
put_base64(struct json_writer *w, const char *key, struct str bytes)
{
	struct strbuf text = {0};

	base64_encode(&text, bytes, BASE64_PADDED);
	json_member_str(w, key, strbuf_str(&text));
	strbuf_release(&text);
}

static void
put_number(struct json_writer *w, const char *key, int64_t number)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", (long long)number);
	json_member_str(w, key, str_from(text));
}

static struct str
hold_key(struct store *store)
{
	return arena_printf(store->arena, STR_FMT ".hold",
	    STR_ARG(store->place.path));
}

/* "the key was made, or last changed, at that revision"; 0: never. */
static void
put_compare(struct json_writer *w, struct str key, bool made,
    int64_t revision)
{
	json_begin(w, '{');
	put_base64(w, "key", key);
	json_member_str(w, "target", made ? STR("CREATE") : STR("MOD"));
	json_member_str(w, "result", STR("EQUAL"));
	put_number(w, made ? "create_revision" : "mod_revision", revision);
	json_end(w, '}');
}

static void
put_put(struct json_writer *w, struct str key, struct str value,
    int64_t lease)
{
	json_begin(w, '{');
	json_key(w, "request_put");
	json_begin(w, '{');
	put_base64(w, "key", key);
	put_base64(w, "value", value);
	if (lease != 0)
		put_number(w, "lease", lease);
	json_end(w, '}');
	json_end(w, '}');
}

static void
put_about(struct json_writer *w, const char *what, struct str key)
{
	json_begin(w, '{');
	json_key(w, what);
	json_begin(w, '{');
	put_base64(w, "key", key);
	json_end(w, '}');
	json_end(w, '}');
}

/* ------------------------------------------------------------ asking ---- */

/* Read answers leniently: what is left out is zero. */
static int64_t
get_number(struct json_reader *r, struct json_value object, const char *key)
{
	struct str text;
	int64_t number = 0;

	if (json_read_str(r, object, key, OPTIONAL, &text) &&
	    !parse_int(text, 0, INT64_MAX, &number))
		json_fail(r, key, "number in a string");
	return number;
}

struct told {				/* an answer, read */
	struct json_reader reader;
	struct json doc;
	struct json_value root;
};

static enum store_result
not_etcd(struct store *store, struct str why)
{
	diag_error(store->diags, "PF0626", NO_SPAN, "'" STR_FMT "' does not "
	    "answer as etcd 3 does: " STR_FMT, STR_ARG(store->place.shown),
	    STR_ARG(why));
	return STORE_REFUSED;
}

/* Status, form and words of an answer that has come. */
static enum store_result
take_answer(struct store *store, const char *doing,
    const struct http_answer *answer, struct told *told)
{
	struct json_limits limits = { .bytes = ANSWER_MAX };
	struct json_error error;

	if (answer->status != 200) {
		if (str_search(answer->body, STR("too large")) < 0)
			return store_refuse(store, doing, answer);
		diag_error(store->diags, "PF0621", NO_SPAN, "the record is "
		    "too large for '" STR_FMT "'",
		    STR_ARG(store->place.shown));
		diag_hint(store->diags, "etcd takes 1.5 MiB unless it is "
		    "started with a larger --max-request-bytes");
		return STORE_REFUSED;
	}
	told->reader = (struct json_reader){ .arena = store->arena,
	    .where = "answer" };
	if (!json_parse(store->arena, str_trim(answer->body), limits,
		&told->doc, &error) ||
	    !json_is(json_root(&told->doc), JSON_OBJECT))
		return not_etcd(store, STR("no JSON object"));
	told->root = json_root(&told->doc);
	return STORE_OK;
}

static enum store_result
authenticate(struct store *store)
{
	struct strbuf body = {0};
	struct json_writer w = { .out = &body };
	struct http_answer answer;
	struct told told;
	struct str password, name = str_cut(store->login, ':', &password);

	json_begin(&w, '{');
	json_member_str(&w, "name", name);
	json_member_str(&w, "password", password);
	json_end(&w, '}');
	struct http_request request = {
		.method = HTTP_POST, .path = STR("/v3/auth/authenticate"),
		.body = strbuf_str(&body), .max_body = HOLDER_BYTES_MAX,
	};
	enum store_result result = store_ask(store, &request, &answer);
	explicit_bzero(body.data, body.cap);
	strbuf_release(&body);
	if (result == STORE_OK)
		result = take_answer(store, "log in", &answer, &told);
	if (result != STORE_OK)
		return result;
	if (!json_read_str(&told.reader, told.root, "token", REQUIRED,
		&store->token))
		return not_etcd(store, told.reader.why);
	return STORE_OK;
}

/*
 * POST body to path.  once: it must not happen twice, and an answer that says
 * nothing is STORE_UNKNOWN.
 */
static enum store_result
ask(struct store *store, const char *path, struct strbuf *body, bool once,
    struct http_answer *answer)
{
	enum store_result result = STORE_OK;

	for (int tries = 0; tries < 2; tries++) {
		if (store->login.len > 0 && store->token.len == 0)
			result = authenticate(store);
		if (result != STORE_OK)
			break;
		struct http_request request = {
			.method = HTTP_POST, .path = str_from(path),
			.body = strbuf_str(body),
			.authorization = store->token,
			.max_body = ANSWER_MAX,
		};
		if (!once)
			result = store_ask(store, &request, answer);
		else
			store_ask_once(store, &request, answer);
		if (once && store_may_pass(answer))
			result = STORE_UNKNOWN;
		/* Tokens end after five minutes. */
		if (result != STORE_OK || answer->status != 401 ||
		    store->login.len == 0)
			break;
		store->token = (struct str){0};
	}
	strbuf_release(body);
	return result;
}

/* One key of a response_range, which holds at most one. */
struct found {
	bool there;
	int64_t made, changed;
	struct str value;
};

static void
get_found(struct told *told, struct json_value range, struct found *found)
{
	struct json_reader *r = &told->reader;
	struct json_iter it = json_iter(json_get(range, "kvs"));
	struct str text;

	*found = (struct found){0};
	if (!json_next(&it))
		return;
	found->there = true;
	found->made = get_number(r, it.value, "create_revision");
	found->changed = get_number(r, it.value, "mod_revision");
	if (json_read_str(r, it.value, "value", OPTIONAL, &text) &&
	    !base64_decode(r->arena, text, &found->value))
		json_fail(r, "value", "base64");
}

/* The n-th response of a transaction. */
static void
get_response(struct told *told, size_t n, struct found *found)
{
	struct json_iter it = json_iter(json_get(told->root, "responses"));

	*found = (struct found){0};
	while (json_next(&it))
		if (n-- == 0) {
			get_found(told, json_get(it.value, "response_range"),
			    found);
			return;
		}
}

static int64_t
get_revision(struct told *told)
{
	return get_number(&told->reader, json_get(told->root, "header"),
	    "revision");
}

static bool
get_succeeded(struct told *told)
{
	bool succeeded = false;

	json_read_bool(&told->reader, told->root, "succeeded", OPTIONAL,
	    &succeeded);
	return succeeded;
}

static enum store_result
ask_range(struct store *store, const char *doing, struct str key,
    struct found *found)
{
	struct strbuf body = {0};
	struct json_writer w = { .out = &body };
	struct http_answer answer;
	struct told told;

	json_begin(&w, '{');
	put_base64(&w, "key", key);
	json_end(&w, '}');
	enum store_result result = ask(store, "/v3/kv/range", &body, false,
	    &answer);
	if (result == STORE_OK)
		result = take_answer(store, doing, &answer, &told);
	if (result != STORE_OK)
		return result;
	get_found(&told, told.root, found);
	store->revision = get_revision(&told);
	if (told.reader.failed)
		return not_etcd(store, told.reader.why);
	return STORE_OK;
}

/* ------------------------------------------------------------- lease ---- */

static int64_t
boot_now(const struct store *store)
{
	const struct clock *clock = store->link.clock;

	return clock->boot_ms(clock->ctx);
}

static enum store_result
grant(struct store *store)
{
	struct strbuf body = {0};
	struct json_writer w = { .out = &body };
	int64_t from_ms = boot_now(store);
	struct http_answer answer;
	struct told told;

	json_begin(&w, '{');
	put_number(&w, "TTL", STORE_LEASE_MS / SECOND_MS);
	json_end(&w, '}');
	enum store_result result = ask(store, "/v3/lease/grant", &body, false,
	    &answer);
	if (result == STORE_OK)
		result = take_answer(store, "have a lease", &answer, &told);
	if (result != STORE_OK)
		return result;
	store->lease = get_number(&told.reader, told.root, "ID");
	store->lease_until_ms = from_ms +
	    get_number(&told.reader, told.root, "TTL") * SECOND_MS;
	if (told.reader.failed || store->lease == 0)
		return not_etcd(store, STR("no lease"));
	return STORE_OK;
}

static void
put_lease(struct store *store, struct strbuf *body)
{
	struct json_writer w = { .out = body };

	json_begin(&w, '{');
	put_number(&w, "ID", store->lease);
	json_end(&w, '}');
}

static enum store_result
renew(struct store *store)
{
	struct strbuf body = {0};
	int64_t from_ms = boot_now(store);
	struct http_answer answer;
	struct told told;

	put_lease(store, &body);
	enum store_result result = ask(store, "/v3/lease/keepalive", &body,
	    false, &answer);
	if (result == STORE_OK)
		result = take_answer(store, "renew a lease", &answer, &told);
	if (result != STORE_OK)
		return result;
	int64_t left = get_number(&told.reader, json_get(told.root, "result"),
	    "TTL");
	if (told.reader.failed)
		return not_etcd(store, told.reader.why);
	if (left == 0) {
		PROBE("store_lease_has_ended");
		return STORE_LOST;
	}
	store->lease_until_ms = from_ms + left * SECOND_MS;
	return STORE_OK;
}

static enum store_result
release(struct store *store)
{
	struct strbuf body = {0};
	struct http_answer answer;
	struct told told;

	put_lease(store, &body);
	enum store_result result = ask(store, "/v3/lease/revoke", &body,
	    false, &answer);
	if (result != STORE_OK)
		return result;
	/* 404: it has ended by itself, and the hold with it. */
	return answer.status == 404 ? STORE_OK :
	    take_answer(store, "end a lease", &answer, &told);
}

/* -------------------------------------------------------------- hold ---- */

/* Make the hold if there is none, and have the record with it. */
static void
put_take(struct store *store, struct strbuf *body)
{
	struct json_writer w = { .out = body };
	struct strbuf text = {0};
	struct str hold = hold_key(store);

	holder_put(&text, &store->self, false);
	json_begin(&w, '{');
	json_key(&w, "compare");
	json_begin(&w, '[');
	put_compare(&w, hold, true, 0);
	json_end(&w, ']');
	json_key(&w, "success");
	json_begin(&w, '[');
	put_put(&w, hold, strbuf_str(&text), store->lease);
	put_about(&w, "request_range", store->place.path);
	json_end(&w, ']');
	json_key(&w, "failure");
	json_begin(&w, '[');
	put_about(&w, "request_range", hold);
	json_end(&w, ']');
	json_end(&w, '}');
	strbuf_release(&text);
}

static void
keep_record(struct store *store, const struct found *found)
{
	store->ahead = true;
	store->ahead_text = found->value;
	store->ahead_revision = found->there ? found->changed : 0;
}

static enum store_result
take(struct store *store, struct mutex_holder *other)
{
	struct strbuf body = {0};
	struct http_answer answer;
	struct found found;
	struct told told;
	bool released;
	enum store_result result = grant(store);

	if (result != STORE_OK)
		return result;
	put_take(store, &body);
	result = ask(store, "/v3/kv/txn", &body, false, &answer);
	if (result == STORE_OK)
		result = take_answer(store, "lock it", &answer, &told);
	if (result != STORE_OK)
		return result;
	store->revision = get_revision(&told);
	bool ok = get_succeeded(&told);
	get_response(&told, ok ? 1 : 0, &found);
	if (told.reader.failed)
		return not_etcd(store, told.reader.why);
	if (ok) {
		store->hold_revision = store->revision;
		keep_record(store, &found);
		return STORE_OK;
	}
	holder_get(store->arena, found.value, other, &released);
	if (store_is_own(store, other)) {
		store->hold_revision = found.made;
		return STORE_OK;
	}
	release(store);			/* the lease that nothing hangs on */
	return STORE_HELD;
}

static enum store_result
holder(struct store *store, struct mutex_holder *out)
{
	struct found found;
	bool released;
	enum store_result result = ask_range(store, "read its hold",
	    hold_key(store), &found);

	if (result != STORE_OK)
		return result;
	if (!found.there)
		return STORE_MISSING;
	store->hold_revision = found.made;
	holder_get(store->arena, found.value, out, &released);
	return STORE_OK;
}

/* Without its hold no write of the owner succeeds. */
static enum store_result
end(struct store *store, const struct mutex_holder *holder)
{
	struct strbuf body = {0};
	struct json_writer w = { .out = &body };
	struct http_answer answer;
	struct told told;

	(void)holder;			/* its revision is remembered */
	json_begin(&w, '{');
	json_key(&w, "compare");
	json_begin(&w, '[');
	put_compare(&w, hold_key(store), true, store->hold_revision);
	json_end(&w, ']');
	json_key(&w, "success");
	json_begin(&w, '[');
	put_about(&w, "request_delete_range", hold_key(store));
	json_end(&w, ']');
	json_end(&w, '}');
	enum store_result result = ask(store, "/v3/kv/txn", &body, false,
	    &answer);
	if (result == STORE_OK)
		result = take_answer(store, "end its hold", &answer, &told);
	if (result != STORE_OK)
		return result;
	return get_succeeded(&told) ? STORE_OK : STORE_CHANGED;
}

/* Until it is deleted, which a lease that ends does as well. */
static void
await(struct store *store, int64_t ms)
{
	struct strbuf body = {0};
	struct json_writer w = { .out = &body };
	struct http_answer answer;

	json_begin(&w, '{');
	json_key(&w, "create_request");
	json_begin(&w, '{');
	put_base64(&w, "key", hold_key(store));
	put_number(&w, "start_revision", store->revision + 1);
	json_key(&w, "filters");
	json_begin(&w, '[');
	json_put_str(&w, STR("NOPUT"));
	json_end(&w, ']');
	json_end(&w, '}');
	json_end(&w, '}');
	struct http_request request = {
		.method = HTTP_POST, .path = STR("/v3/watch"),
		.body = strbuf_str(&body), .authorization = store->token,
		.max_body = ANSWER_MAX, .timeout_ms = ms, .quiet_ms = ms,
		.enough = STR("\"DELETE\""),
	};
	int64_t from_ms = boot_now(store);
	store_ask_once(store, &request, &answer);
	strbuf_release(&body);
	/* A server that does not watch must not make us ask in a circle. */
	if (str_search(answer.body, request.enough) < 0 &&
	    boot_now(store) - from_ms < ms)
		store->link.sleep(store->link.ctx, ms < SECOND_MS ? ms :
		    SECOND_MS);
}

/* ------------------------------------------------------------ record ---- */

static struct str
revision_text(struct store *store, int64_t revision)
{
	return arena_printf(store->arena, "%lld", (long long)revision);
}

static enum store_result
read_record(struct store *store, struct str *text)
{
	struct found found;

	if (store->ahead) {
		store->ahead = false;
		*text = store->ahead_text;
		if (store->ahead_revision == 0)
			return STORE_MISSING;
		store->version = revision_text(store, store->ahead_revision);
		return STORE_OK;
	}
	enum store_result result = ask_range(store, "read it",
	    store->place.path, &found);
	if (result != STORE_OK)
		return result;
	if (!found.there)
		return STORE_MISSING;
	store->version = revision_text(store, found.changed);
	*text = found.value;
	return STORE_OK;
}

static void
put_write(struct store *store, struct strbuf *body, struct str text)
{
	struct json_writer w = { .out = body };
	struct str hold = hold_key(store);
	int64_t revision = 0;

	parse_int(store->version, 0, INT64_MAX, &revision);
	json_begin(&w, '{');
	json_key(&w, "compare");
	json_begin(&w, '[');
	put_compare(&w, hold, true, store->hold_revision);
	put_compare(&w, store->place.path, false, revision);
	json_end(&w, ']');
	json_key(&w, "success");
	json_begin(&w, '[');
	put_put(&w, store->place.path, text, 0);
	json_end(&w, ']');
	json_key(&w, "failure");
	json_begin(&w, '[');
	put_about(&w, "request_range", hold);
	json_end(&w, ']');
	json_end(&w, '}');
}

static enum store_result
write_record(struct store *store, struct str text)
{
	struct strbuf body = {0};
	struct http_answer answer;
	struct found hold;
	struct told told;

	put_write(store, &body, text);
	enum store_result result = ask(store, "/v3/kv/txn", &body, true,
	    &answer);
	if (result == STORE_OK)
		result = take_answer(store, "write it", &answer, &told);
	if (result != STORE_OK)
		return result;
	bool ok = get_succeeded(&told);
	store->revision = get_revision(&told);
	get_response(&told, 0, &hold);
	if (told.reader.failed)
		return not_etcd(store, told.reader.why);
	if (ok) {
		store->version = revision_text(store, store->revision);
		return STORE_OK;
	}
	return hold.there && hold.made == store->hold_revision ?
	    STORE_CHANGED : STORE_LOST;
}

const struct store_driver store_etcd = {
	.take = take, .release = release, .holder = holder, .end = end,
	.read = read_record, .write = write_record, .renew = renew,
	.await = await,
};
